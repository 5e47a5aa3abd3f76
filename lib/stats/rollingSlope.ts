import assert from 'node:assert/strict'

/** Slope per row of the least-squares line through the last `window` rows. Gaps, blocks and anchor as in rolling.ts. */
export function rollingSlope(src: Float64Array, window: number, dst: Float64Array, anchor = 0): void {
  assert.ok(Number.isInteger(window) && window >= 2, 'a line needs two points')
  assert.equal(dst.length, src.length)
  assert.notEqual(dst, src)
  const tailSum = new Float64Array(window)
  const tailMoment = new Float64Array(window)
  const middle = (window - 1) / 2
  const spread = (window * (window * window - 1)) / 12
  for (let start = -(anchor % window); start < src.length; start += window) {
    const from = Math.max(0, -start)
    const to = Math.min(window, src.length - start)
    // Moments about each part's own border: of the head from its first row on, of the tail from its last row back. Their
    // arguments stay small, and a constant series has a slope of exactly what its moments say, near zero.
    let headSum = 0
    let headMoment = 0
    for (let j = from; j < to; j++) {
      const i = start + j
      const value = src[i]!
      headSum += value
      headMoment += j * value
      if (i + 1 < window || (j === window - 1 && from > 0)) dst[i] = NaN
      else if (j === window - 1) dst[i] = (headMoment - middle * headSum) / spread
      else {
        // In the window the head's row j stands at place window - 1 and the tail's last row at window - 2 - j.
        const headPlace = window - 1 - j
        const moment = headMoment + headPlace * headSum + (headPlace - 1) * tailSum[j + 1]! - tailMoment[j + 1]!
        dst[i] = (moment - middle * (headSum + tailSum[j + 1]!)) / spread
      }
    }
    let sum = 0
    let moment = 0
    for (let j = to - 1; j >= from; j--) {
      const value = src[start + j]!
      sum += value
      moment += (to - 1 - j) * value
      tailSum[j] = sum
      tailMoment[j] = moment
    }
  }
}
