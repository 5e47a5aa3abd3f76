import assert from 'node:assert/strict'

/** Rolling kernels over a dense grid. Row i covers the `window` rows that end with it; it is NaN until they exist and
 *  while any of them is NaN: a missing minute blanks the windows that contain it and no others.
 *
 *  All cut the grid into blocks of `window` rows. A window is then the tail of one block and the head of the next, and
 *  its value is that of the tail (accumulated backward) joined with that of the head (accumulated forward). Nothing is
 *  ever subtracted, so no rounding error is carried along, a NaN leaves with its window, and the cost a row does not
 *  depend on the window. Blocks lie on multiples of `window` counted from row -anchor. Callers pass the number of grid
 *  rows before the first (since 1970, say): the same window then sums in the same order whatever history comes before,
 *  and `window - 1` rows of warm-up give the same bits as all of history. */

export function rollingSum(src: Float64Array, window: number, dst: Float64Array, anchor = 0): void {
  checkKernel(src, window, dst, anchor)
  const tail = new Float64Array(window)
  for (let start = -(anchor % window); start < src.length; start += window) {
    const from = Math.max(0, -start)
    const to = Math.min(window, src.length - start)
    let head = 0
    // Rows before the first full window, then those of head and tail, then the one that ends the block.
    const firstFull = Math.min(to, Math.max(from, window - 1 - start))
    for (let j = from; j < firstFull; j++) {
      head += src[start + j]!
      dst[start + j] = NaN
    }
    const end = Math.min(to, window - 1)
    for (let j = firstFull; j < end; j++) {
      head += src[start + j]!
      dst[start + j] = tail[j + 1]! + head
    }
    if (firstFull < window && to === window) {
      head += src[start + window - 1]!
      dst[start + window - 1] = from === 0 ? head : NaN
    }
    let sum = 0
    for (let j = to - 1; j >= from; j--) tail[j] = sum += src[start + j]!
  }
}

export function rollingMean(src: Float64Array, window: number, dst: Float64Array, anchor = 0): void {
  rollingSum(src, window, dst, anchor)
  for (let i = 0; i < dst.length; i++) dst[i] = dst[i]! / window
}

export function rollingMin(src: Float64Array, window: number, dst: Float64Array, anchor = 0): void {
  checkKernel(src, window, dst, anchor)
  const tail = new Float64Array(window)
  for (let start = -(anchor % window); start < src.length; start += window) {
    const from = Math.max(0, -start)
    const to = Math.min(window, src.length - start)
    let head = Infinity
    for (let j = from; j < to; j++) {
      const i = start + j
      head = Math.min(head, src[i]!)
      if (j === window - 1) dst[i] = from === 0 ? head : NaN
      else dst[i] = i + 1 < window ? NaN : Math.min(tail[j + 1]!, head)
    }
    let least = Infinity
    for (let j = to - 1; j >= from; j--) tail[j] = least = Math.min(least, src[start + j]!)
  }
}

export function rollingMax(src: Float64Array, window: number, dst: Float64Array, anchor = 0): void {
  checkKernel(src, window, dst, anchor)
  const tail = new Float64Array(window)
  for (let start = -(anchor % window); start < src.length; start += window) {
    const from = Math.max(0, -start)
    const to = Math.min(window, src.length - start)
    let head = -Infinity
    for (let j = from; j < to; j++) {
      const i = start + j
      head = Math.max(head, src[i]!)
      if (j === window - 1) dst[i] = from === 0 ? head : NaN
      else dst[i] = i + 1 < window ? NaN : Math.max(tail[j + 1]!, head)
    }
    let most = -Infinity
    for (let j = to - 1; j >= from; j--) tail[j] = most = Math.max(most, src[start + j]!)
  }
}

/** Standard deviation with `ddof` degrees of freedom taken off. Heads and tails carry a running mean and the squares
 *  about it (Welford), and are joined by Chan's formula: values near 10^7 that differ in the eighth digit keep theirs. */
export function rollingStd(src: Float64Array, window: number, dst: Float64Array, anchor = 0, ddof = 1): void {
  checkKernel(src, window, dst, anchor)
  assert.ok(window > ddof, 'a window has more rows than degrees of freedom taken off')
  const tailMean = new Float64Array(window)
  const tailSquares = new Float64Array(window)
  const degrees = window - ddof
  for (let start = -(anchor % window); start < src.length; start += window) {
    const from = Math.max(0, -start)
    const to = Math.min(window, src.length - start)
    let mean = 0
    let squares = 0
    for (let j = from; j < to; j++) {
      const i = start + j
      const value = src[i]!
      const count = j - from + 1
      const apart = value - mean
      mean += apart / count
      squares += apart * (value - mean)
      if (i + 1 < window) dst[i] = NaN
      else if (j === window - 1) dst[i] = Math.sqrt(squares / degrees)
      else {
        const between = tailMean[j + 1]! - mean
        const joined = tailSquares[j + 1]! + squares + (between * between * (window - count) * count) / window
        dst[i] = Math.sqrt(joined / degrees)
      }
    }
    mean = squares = 0
    for (let j = to - 1; j >= from; j--) {
      const value = src[start + j]!
      const apart = value - mean
      mean += apart / (to - j)
      squares += apart * (value - mean)
      tailMean[j] = mean
      tailSquares[j] = squares
    }
  }
}

/** Exponentially weighted mean of exactly the last `window` rows: weights 1, d, d² … for decay d, normalised over the
 *  window. The usual recursion never forgets, so that no warm-up is ever enough; this one has forgotten after `window`. */
export function rollingEwm(src: Float64Array, decay: number, window: number, dst: Float64Array, anchor = 0): void {
  checkKernel(src, window, dst, anchor)
  assert.ok(decay > 0 && decay < 1)
  const power = new Float64Array(window + 1)
  power[0] = 1
  for (let k = 1; k <= window; k++) power[k] = power[k - 1]! * decay
  let total = 0
  for (let k = window - 1; k >= 0; k--) total += power[k]!

  const tail = new Float64Array(window)
  for (let start = -(anchor % window); start < src.length; start += window) {
    const from = Math.max(0, -start)
    const to = Math.min(window, src.length - start)
    let head = 0
    for (let j = from; j < to; j++) {
      const i = start + j
      head = head * decay + src[i]!
      if (i + 1 < window) dst[i] = NaN
      else if (j === window - 1) dst[i] = head / total
      else dst[i] = (power[j + 1]! * tail[j + 1]! + head) / total
    }
    let sum = 0
    for (let j = to - 1; j >= from; j--) tail[j] = sum += power[to - 1 - j]! * src[start + j]!
  }
}

/** The value `rows` rows ago. */
export function lag(src: Float64Array, rows: number, dst: Float64Array): void {
  assert.ok(Number.isInteger(rows) && rows >= 0, 'a lag looks back')
  assert.equal(dst.length, src.length)
  const shift = Math.min(rows, src.length)
  dst.set(src.subarray(0, src.length - shift), shift)
  dst.fill(NaN, 0, shift)
}

/** The change over `rows` rows. */
export function diff(src: Float64Array, rows: number, dst: Float64Array): void {
  assert.ok(Number.isInteger(rows) && rows >= 1)
  assert.equal(dst.length, src.length)
  const first = Math.min(rows, src.length)
  for (let i = src.length - 1; i >= first; i--) dst[i] = src[i]! - src[i - rows]!
  dst.fill(NaN, 0, first)
}

function checkKernel(src: Float64Array, window: number, dst: Float64Array, anchor: number): void {
  assert.ok(Number.isInteger(window) && window >= 1)
  assert.ok(Number.isInteger(anchor) && anchor >= 0)
  assert.equal(dst.length, src.length)
  assert.notEqual(dst, src, 'heads and tails read the source again: it must not be the destination')
}
