import assert from 'node:assert/strict'

/** Where the newest value stands among the last `window` rows, its own included: 1 is the smallest, `window` the
 *  largest, ties share the mean of their places. NaN as in rolling.ts. */
export function rollingRank(src: Float64Array, window: number, dst: Float64Array): void {
  assert.ok(Number.isInteger(window) && window >= 1)
  assert.equal(dst.length, src.length)
  if (window <= countingWindowMax) rankByCounting(src, window, dst)
  else forChunks(src, window, (chunk) => rankInChunk(src, window, dst, chunk))
}

/** The rank as a share of the window, in (0, 1]. */
export function rollingPercentile(src: Float64Array, window: number, dst: Float64Array): void {
  rollingRank(src, window, dst)
  for (let i = 0; i < dst.length; i++) dst[i] = dst[i]! / window
}

/** The value below which the share `q` of the window lies, between neighbours by linear interpolation. */
export function rollingQuantile(src: Float64Array, window: number, q: number, dst: Float64Array): void {
  assert.ok(Number.isInteger(window) && window >= 1)
  assert.ok(q >= 0 && q <= 1)
  assert.equal(dst.length, src.length)
  forChunks(src, window, (chunk) => quantileInChunk(src, window, q, dst, chunk))
}

/** Up to this window looking at every row of it is faster than keeping a tree. */
const countingWindowMax = 96

function rankByCounting(src: Float64Array, window: number, dst: Float64Array): void {
  let lastGap = -1
  for (let i = 0; i < src.length; i++) {
    const value = src[i]!
    if (Number.isNaN(value)) lastGap = i
    const from = i - window + 1
    if (lastGap >= from || from < 0) {
      dst[i] = NaN
      continue
    }
    let less = 0
    let notMore = 0
    for (let k = from; k <= i; k++) {
      const other = src[k]!
      less += other < value ? 1 : 0
      notMore += other <= value ? 1 : 0
    }
    dst[i] = (less + notMore + 1) / 2
  }
}

/** Rows [from, to) get their results; values from `valuesFrom` on take part. */
interface Chunk {
  readonly valuesFrom: number
  readonly from: number
  readonly to: number
  /** Dense ranks of the chunk's values from 1, 0 for NaN; and the value of each rank. */
  readonly ranks: Int32Array
  readonly valueOfRank: Float64Array
  readonly tree: Fenwick
}

/** Ranks are over a chunk of a few windows, so that the tree stays in the cache however long the column is. */
function forChunks(src: Float64Array, window: number, work: (chunk: Chunk) => void): void {
  const chunkRows = Math.max(4 * window, 16_384)
  for (let from = 0; from < src.length; from += chunkRows) {
    const to = Math.min(src.length, from + chunkRows)
    const valuesFrom = Math.max(0, from - window + 1)
    const { ranks, valueOfRank } = denseRanks(src.subarray(valuesFrom, to))
    work({ valuesFrom, from, to, ranks, valueOfRank, tree: new Fenwick(valueOfRank.length) })
  }
}

function rankInChunk(src: Float64Array, window: number, dst: Float64Array, chunk: Chunk): void {
  const { valuesFrom, from, to, ranks, tree } = chunk
  const equals = new Int32Array(tree.size)
  let inWindow = 0
  for (let i = valuesFrom; i < to; i++) {
    const leaving = i - window >= valuesFrom ? ranks[i - window - valuesFrom]! : 0
    if (leaving > 0) {
      tree.add(leaving, -1)
      equals[leaving]!--
      inWindow--
    }
    const rank = ranks[i - valuesFrom]!
    if (rank > 0) {
      tree.add(rank, 1)
      equals[rank]!++
      inWindow++
    }
    if (i >= from) dst[i] = inWindow === window ? tree.sumTo(rank) - (equals[rank]! - 1) / 2 : NaN
  }
  assert.equal(dst.length, src.length)
}

function quantileInChunk(src: Float64Array, window: number, q: number, dst: Float64Array, chunk: Chunk): void {
  const { valuesFrom, from, to, ranks, valueOfRank, tree } = chunk
  const place = (window - 1) * q
  const below = Math.floor(place)
  const share = place - below
  let inWindow = 0
  for (let i = valuesFrom; i < to; i++) {
    const leaving = i - window >= valuesFrom ? ranks[i - window - valuesFrom]! : 0
    if (leaving > 0) {
      tree.add(leaving, -1)
      inWindow--
    }
    const rank = ranks[i - valuesFrom]!
    if (rank > 0) {
      tree.add(rank, 1)
      inWindow++
    }
    if (i < from) continue
    if (inWindow !== window) {
      dst[i] = NaN
      continue
    }
    const low = valueOfRank[tree.find(below + 1)]!
    dst[i] = share === 0 ? low : low + share * (valueOfRank[tree.find(below + 2)]! - low)
  }
  assert.equal(dst.length, src.length)
}

/** Counts by rank, with sums up to a rank in logarithmic time. */
class Fenwick {
  readonly size: number
  readonly #counts: Int32Array
  readonly #topBit: number

  constructor(size: number) {
    this.size = size
    this.#counts = new Int32Array(size)
    let bit = 1
    while (bit * 2 < size) bit *= 2
    this.#topBit = bit
  }

  add(rank: number, by: number): void {
    const counts = this.#counts
    for (let k = rank; k < counts.length; k += k & -k) counts[k]! += by
  }

  sumTo(rank: number): number {
    const counts = this.#counts
    let sum = 0
    for (let k = rank; k > 0; k -= k & -k) sum += counts[k]!
    return sum
  }

  /** The rank of the `count`-th smallest that is in. */
  find(count: number): number {
    const counts = this.#counts
    let rank = 0
    let left = count
    for (let bit = this.#topBit; bit > 0; bit >>= 1) {
      const next = rank + bit
      if (next < counts.length && counts[next]! < left) {
        rank = next
        left -= counts[next]!
      }
    }
    return rank + 1
  }
}

/** Sorts by the bits of the doubles, digit by digit: three times faster than a comparing sort, and stable. */
function denseRanks(values: Float64Array): { ranks: Int32Array; valueOfRank: Float64Array } {
  const count = values.length
  const halves = new Uint32Array(Float64Array.from(values, (x) => x + 0).buffer) // + 0 makes -0 equal to 0
  let order = new Uint32Array(count)
  let valid = 0
  for (let i = 0; i < count; i++) {
    if (Number.isNaN(values[i]!)) continue
    order[valid++] = i
    // So that unsigned order is the order of the doubles: negative numbers are turned over, positive ones put above.
    const high = halves[2 * i + 1]!
    const flip = high >>> 31 === 1 ? 0xffffffff : 0
    halves[2 * i] = halves[2 * i]! ^ flip
    halves[2 * i + 1] = high ^ (flip === 0 ? 0x80000000 : flip)
  }
  let other = new Uint32Array(count)
  // Wider digits are fewer passes, and worth their counters once there are more values than those.
  const digitBits = valid > 1 << 16 ? 16 : 11
  const digits = 1 << digitBits
  const digitMask = digits - 1
  const counts = new Int32Array(digits)
  for (let half = 0; half < 2; half++) {
    for (let shift = 0; shift < 32; shift += digitBits) {
      counts.fill(0)
      for (let k = 0; k < valid; k++) counts[(halves[2 * order[k]! + half]! >>> shift) & digitMask]!++
      if (counts.some((n) => n === valid)) continue // all alike in this digit, as prices often are
      let position = 0
      for (let digit = 0; digit < digits; digit++) {
        const here = counts[digit]!
        counts[digit] = position
        position += here
      }
      for (let k = 0; k < valid; k++) {
        const i = order[k]!
        const digit = (halves[2 * i + half]! >>> shift) & digitMask
        other[counts[digit]!++] = i
      }
      ;[order, other] = [other, order]
    }
  }
  const ranks = new Int32Array(count)
  const valueOfRank = new Float64Array(valid + 1)
  let rank = 0
  for (let k = 0; k < valid; k++) {
    const value = values[order[k]!]!
    if (k === 0 || value !== valueOfRank[rank]) valueOfRank[++rank] = value
    ranks[order[k]!] = rank
  }
  return { ranks, valueOfRank: valueOfRank.subarray(0, rank + 1) }
}
