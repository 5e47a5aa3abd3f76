import assert from 'node:assert/strict'
import { PositionSet } from './positionSet.ts'
import { type SortedOrder, sortedOrder } from './sortedOrder.ts'

/** Where the newest value stands among the last `window` rows, its own included: 1 is the smallest, `window` the
 *  largest, ties share the mean of their places. NaN as in rolling.ts. */
export function rollingRank(src: Float64Array, window: number, dst: Float64Array): void {
  assert.ok(Number.isInteger(window) && window >= 1)
  assert.equal(dst.length, src.length)
  forChunks(src, window, (chunk) => rankInChunk(window, dst, chunk))
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
  forChunks(src, window, (chunk) => quantileInChunk(window, q, dst, chunk))
}

/** Rows [from, to) get their results; values from `valuesFrom` on take part. */
interface Chunk extends SortedOrder {
  readonly valuesFrom: number
  readonly from: number
  readonly to: number
}

/** Positions are over a chunk of a few windows, so that all that is asked stays in the cache however long the column is. */
function forChunks(src: Float64Array, window: number, work: (chunk: Chunk) => void): void {
  const chunkRows = Math.max(3 * window, 8192)
  for (let from = 0; from < src.length; from += chunkRows) {
    const to = Math.min(src.length, from + chunkRows)
    const valuesFrom = Math.max(0, from - window + 1)
    work({ valuesFrom, from, to, ...sortedOrder(src.subarray(valuesFrom, to)) })
  }
}

function rankInChunk(window: number, dst: Float64Array, chunk: Chunk): void {
  const { valuesFrom, from, to, position, tiesFrom, tiesTo, sorted } = chunk
  const inWindow = new PositionSet(sorted.length)
  let count = 0
  for (let i = 0; i < to - valuesFrom; i++) {
    const leaving = i < window ? -1 : position[i - window]!
    if (leaving >= 0) {
      inWindow.delete(leaving)
      count--
    }
    const entering = position[i]!
    if (entering >= 0) {
      inWindow.add(entering)
      count++
    }
    const row = valuesFrom + i
    if (row < from) continue
    if (count !== window) {
      dst[row] = Number.NaN
      continue
    }
    const first = tiesFrom[entering]!
    const end = tiesTo[entering]!
    const equals = end - first === 1 ? 1 : inWindow.countBetween(first, end)
    dst[row] = inWindow.countBelow(first) + (equals + 1) / 2
  }
}

function quantileInChunk(window: number, q: number, dst: Float64Array, chunk: Chunk): void {
  const { valuesFrom, from, to, position, sorted } = chunk
  const place = (window - 1) * q
  const wanted = Math.floor(place)
  const share = place - wanted
  const inWindow = new PositionSet(sorted.length)
  let count = 0
  // A mark among the positions, and how many are below it. From row to row it moves by a place or two.
  let mark = 0
  let below = 0
  for (let i = 0; i < to - valuesFrom; i++) {
    const leaving = i < window ? -1 : position[i - window]!
    if (leaving >= 0) {
      inWindow.delete(leaving)
      count--
      if (leaving < mark) below--
    }
    const entering = position[i]!
    if (entering >= 0) {
      inWindow.add(entering)
      count++
      if (entering < mark) below++
    }
    const row = valuesFrom + i
    if (row < from) continue
    if (count !== window) {
      dst[row] = Number.NaN
      continue
    }
    if (!inWindow.has(mark) && below <= wanted) mark = inWindow.next(mark)
    while (below > wanted) {
      mark = inWindow.previous(mark)
      below--
    }
    while (below < wanted) {
      mark = inWindow.next(mark)
      below++
    }
    const low = sorted[mark]!
    dst[row] = share === 0 ? low : low + share * (sorted[inWindow.next(mark)]! - low)
  }
}
