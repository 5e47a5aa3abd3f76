type Codes = { lengths: Uint8Array; codes: Uint16Array }

/** Use counts share a number with their symbol, so that plain numbers can be sorted. */
const symbolBits = 9
const symbolMask = (1 << symbolBits) - 1

/** Huffman code lengths of at most `most` bits, and canonical codes with their bits reversed, ready to write. */
export function huffman(use: Uint32Array, most: number): Codes {
  const lengths = new Uint8Array(use.length)
  const leaves = leavesOf(use)
  while (codeLengths(leaves, lengths) > most) {
    // Too deep: flatten the counts a little and try again.
    for (const [i, leaf] of leaves.entries()) {
      const count = leaf >>> symbolBits
      leaves[i] = (((count >> 1) + 1) << symbolBits) | (leaf & symbolMask)
    }
    leaves.sort()
  }
  const codes = new Uint16Array(use.length)
  const next = new Uint16Array(most + 2)
  for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol]! > 0) next[lengths[symbol]! + 1]!++
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

/** The symbols that are used, each below its count, from the rarest up. Ties go to the smaller symbol: the result must not
 *  depend on how a sort treats equals. */
function leavesOf(use: Uint32Array): Uint32Array {
  const leaves = new Uint32Array(use.length)
  let n = 0
  for (let symbol = 0; symbol < use.length; symbol++) {
    if (use[symbol]! > 0) leaves[n++] = (use[symbol]! << symbolBits) | symbol
  }
  return leaves.subarray(0, n).sort()
}

/** Fills `lengths` by the two-queue construction and returns the deepest. */
function codeLengths(leaves: Uint32Array, lengths: Uint8Array): number {
  const n = leaves.length
  if (n === 0) return 0
  if (n === 1) {
    lengths[leaves[0]! & symbolMask] = 1
    return 1
  }
  const nodes = 2 * n - 1
  const weight = new Uint32Array(nodes)
  const parent = new Uint16Array(nodes)
  for (let i = 0; i < n; i++) weight[i] = leaves[i]! >>> symbolBits
  let leaf = 0
  let inner = n
  for (let node = n; node < nodes; node++) {
    const first = leaf < n && (inner >= node || weight[leaf]! <= weight[inner]!) ? leaf++ : inner++
    const second = leaf < n && (inner >= node || weight[leaf]! <= weight[inner]!) ? leaf++ : inner++
    parent[first] = parent[second] = node
    weight[node] = weight[first]! + weight[second]!
  }
  // A parent comes behind its children, so that going down from the root each depth is known when it is asked for. The
  // weights have served.
  const depth = weight
  let deepest = 0
  depth[nodes - 1] = 0
  for (let node = nodes - 2; node >= 0; node--) {
    depth[node] = depth[parent[node]!]! + 1
    if (node >= n) continue
    lengths[leaves[node]! & symbolMask] = Math.min(255, depth[node]!)
    deepest = Math.max(deepest, depth[node]!)
  }
  return deepest
}
