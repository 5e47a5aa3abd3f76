type Codes = { lengths: Uint8Array; codes: Uint16Array }

/** Huffman code lengths of at most `most` bits, and canonical codes with their bits reversed, ready to write. */
export function huffman(use: Uint32Array, most: number): Codes {
  const lengths = new Uint8Array(use.length)
  let counts = Array.from(use)
  for (;;) {
    const deepest = codeLengths(counts, lengths)
    if (deepest <= most) break
    // Too deep: flatten the counts a little and try again.
    counts = counts.map((count) => (count === 0 ? 0 : (count >> 1) + 1))
  }
  const codes = new Uint16Array(use.length)
  const next = new Uint16Array(most + 2)
  for (const length of lengths) if (length > 0) next[length + 1]!++
  for (let bits = 1; bits <= most + 1; bits++) next[bits] = (next[bits]! + next[bits - 1]!) << 1
  // next[b] now holds twice the first code of b - 1 bits plus their number: the first code of b bits.
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!
    if (length === 0) continue
    let code = next[length]!++
    let reversed = 0
    for (let bit = 0; bit < length; bit++) {
      reversed = (reversed << 1) | (code & 1)
      code >>= 1
    }
    codes[symbol] = reversed
  }
  return { lengths, codes }
}

/** Fills `lengths` from the use counts by the two-queue construction and returns the deepest. */
function codeLengths(use: readonly number[], lengths: Uint8Array): number {
  lengths.fill(0)
  const leaves = use.map((_, symbol) => symbol).filter((symbol) => use[symbol]! > 0)
  // Ties go to the smaller symbol: the result must not depend on how a sort treats equals.
  leaves.sort((a, b) => use[a]! - use[b]! || a - b)
  const n = leaves.length
  if (n === 0) return 0
  if (n === 1) {
    lengths[leaves[0]!] = 1
    return 1
  }
  const weight = leaves.map((symbol) => use[symbol]!)
  const parent = new Int32Array(2 * n - 1)
  let leaf = 0
  let inner = n
  const take = (): number =>
    leaf < n && (inner >= weight.length || weight[leaf]! <= weight[inner]!) ? leaf++ : inner++
  while (weight.length < 2 * n - 1) {
    const first = take()
    const second = take()
    parent[first] = parent[second] = weight.length
    weight.push(weight[first]! + weight[second]!)
  }
  const depth = new Uint16Array(2 * n - 1)
  let deepest = 0
  for (let node = 2 * n - 3; node >= 0; node--) {
    depth[node] = depth[parent[node]!]! + 1
    if (node >= n) continue
    lengths[leaves[node]!] = Math.min(255, depth[node]!)
    deepest = Math.max(deepest, depth[node]!)
  }
  return deepest
}
