/** Transcendental functions whose every bit is the same on every engine. ECMAScript lets an engine answer `Math.exp` or
 *  `**` as it likes, and V8 has changed its mind between releases; these follow the published fdlibm algorithms with
 *  IEEE basic operations only, which are exact everywhere. Errors stay near 1 ulp (sin and cos: for |x| <= 2^20). */

const wordsOf = new Float64Array(1)
const words = new Uint32Array(wordsOf.buffer)
// The two halves of a double swap places on a big-endian machine: look where the exponent of 1 went.
wordsOf[0] = 1
const hiAt = words[1] === 0 ? 0 : 1
const loAt = 1 - hiAt

function highWord(x: number): number {
  wordsOf[0] = x
  return words[hiAt]! | 0
}

function withHighWord(x: number, high: number): number {
  wordsOf[0] = x
  words[hiAt] = high
  return wordsOf[0]!
}

function withoutLowWord(x: number): number {
  wordsOf[0] = x
  words[loAt] = 0
  return wordsOf[0]!
}

const LN2_HI = 0.6931471803691238
const LN2_LO = 1.9082149292705877e-10
const INV_LN2 = Math.LOG2E
const TWO_M1000 = 9.332636185032189e-302
const TWO_1023 = 8.98846567431158e307

const P1 = 0.16666666666666602
const P2 = -0.0027777777777015593
const P3 = 6.613756321437934e-5
const P4 = -1.6533902205465252e-6
const P5 = 4.1381367970572385e-8

export function exp(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (x > 709.782712893384) return Infinity
  if (x < -745.1332191019411) return 0
  let hi = 0
  let lo = 0
  let k = 0
  const ax = x < 0 ? -x : x
  if (ax > 0.34657359027997264) {
    if (ax < 1.0397207708399179) {
      k = x < 0 ? -1 : 1
    } else {
      k = (INV_LN2 * x + (x < 0 ? -0.5 : 0.5)) | 0
    }
    hi = x - k * LN2_HI
    lo = k * LN2_LO
    x = hi - lo
  } else if (ax < 3.725290298461914e-9) {
    return 1 + x
  }
  const t = x * x
  const c = x - t * (P1 + t * (P2 + t * (P3 + t * (P4 + t * P5))))
  if (k === 0) return 1 - ((x * c) / (c - 2) - x)
  const y = 1 - (lo - (x * c) / (2 - c) - hi)
  if (k === 1024) return y * 2 * TWO_1023
  if (k >= -1021) return withHighWord(y, highWord(y) + (k << 20))
  return withHighWord(y, highWord(y) + ((k + 1000) << 20)) * TWO_M1000
}

const LG1 = 0.6666666666666735
const LG2 = 0.3999999999940942
const LG3 = 0.2857142874366239
const LG4 = 0.22222198432149784
const LG5 = 0.1818357216161805
const LG6 = 0.15313837699209373
const LG7 = 0.14798198605116586
const TWO_54 = 1.8014398509481984e16

export function log(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN
  if (x === 0) return -Infinity
  if (x === Infinity) return Infinity
  let k = 0
  let hx = highWord(x)
  if (hx < 0x00100000) {
    k = -54
    x *= TWO_54
    hx = highWord(x)
  }
  k += (hx >> 20) - 1023
  hx &= 0x000fffff
  const i = (hx + 0x95f64) & 0x100000
  x = withHighWord(x, hx | (i ^ 0x3ff00000))
  k += i >> 20
  const f = x - 1
  const dk = k
  if ((0x000fffff & (2 + hx)) < 3) {
    if (f === 0) return k === 0 ? 0 : dk * LN2_HI + dk * LN2_LO
    const r = f * f * (0.5 - 0.3333333333333333 * f)
    return k === 0 ? f - r : dk * LN2_HI - (r - dk * LN2_LO - f)
  }
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const t1 = w * (LG2 + w * (LG4 + w * LG6))
  const t2 = z * (LG1 + w * (LG3 + w * (LG5 + w * LG7)))
  const r = t2 + t1
  if (((hx - 0x6147a) | (0x6b851 - hx)) > 0) {
    const hfsq = 0.5 * f * f
    return k === 0 ? f - (hfsq - s * (hfsq + r)) : dk * LN2_HI - (hfsq - (s * (hfsq + r) + dk * LN2_LO) - f)
  }
  return k === 0 ? f - s * (f - r) : dk * LN2_HI - (s * (f - r) - dk * LN2_LO - f)
}

/** log(1 + x) without losing the digits of a small x. */
export function log1p(x: number): number {
  if (Number.isNaN(x) || x < -1) return NaN
  if (x === -1) return -Infinity
  if (x === Infinity || x === 0) return x
  const u = 1 + x
  // What rounding 1 + x lost, to first order: below 2^-106 relative once divided by u.
  const lost = u === 1 ? 0 : (u - 1 > x ? 1 - (u - x) : x - (u - 1)) / u
  if (x > -0.2928932188134525 && x < 0.4142131805419922) return log1pNearZero(x)
  return log(u) + lost
}

function log1pNearZero(x: number): number {
  const ax = x < 0 ? -x : x
  if (ax < 5.551115123125783e-17) return x
  if (ax < 1.862645149230957e-9) return x - x * x * 0.5
  const hfsq = 0.5 * x * x
  const s = x / (2 + x)
  const z = s * s
  const r = z * (LG1 + z * (LG2 + z * (LG3 + z * (LG4 + z * (LG5 + z * (LG6 + z * LG7))))))
  return x - (hfsq - s * (hfsq + r))
}

const Q1 = -0.03333333333333313
const Q2 = 0.0015873015872548146
const Q3 = -7.93650757867488e-5
const Q4 = 4.008217827329362e-6
const Q5 = -2.0109921818362437e-7

/** exp(x) - 1 without losing the digits of a small x. */
export function expm1(x: number): number {
  if (Number.isNaN(x)) return NaN
  if (x > 709.782712893384) return Infinity
  if (x < -38.816242) return -1
  const ax = x < 0 ? -x : x
  if (ax < 5.551115123125783e-17) return x
  let k = 0
  let c = 0
  if (ax > 0.34657359027997264) {
    if (ax < 1.0397207708399179) k = x < 0 ? -1 : 1
    else k = (INV_LN2 * x + (x < 0 ? -0.5 : 0.5)) | 0
    const hi = x - k * LN2_HI
    const lo = k * LN2_LO
    x = hi - lo
    c = hi - x - lo
  }
  const hfx = 0.5 * x
  const hxs = x * hfx
  const r1 = 1 + hxs * (Q1 + hxs * (Q2 + hxs * (Q3 + hxs * (Q4 + hxs * Q5))))
  let t = 3 - r1 * hfx
  let e = hxs * ((r1 - t) / (6 - x * t))
  if (k === 0) return x - (x * e - hxs)
  e = x * (e - c) - c - hxs
  if (k === -1) return 0.5 * (x - e) - 0.5
  if (k === 1) return x < -0.25 ? -2 * (e - (x + 0.5)) : 1 + 2 * (x - e)
  if (k <= -2 || k > 56) {
    const y = 1 - (e - x)
    const scaled = k === 1024 ? y * 2 * TWO_1023 : withHighWord(y, highWord(y) + (k << 20))
    return scaled - 1
  }
  const ulpOfOne = withHighWord(0, (0x3ff - k) << 20) // 2^-k
  if (k < 20) {
    t = 1 - ulpOfOne
    const y = t - (e - x)
    return withHighWord(y, highWord(y) + (k << 20))
  }
  const y = x - (e + ulpOfOne) + 1
  return withHighWord(y, highWord(y) + (k << 20))
}

export function tanh(x: number): number {
  if (Number.isNaN(x)) return NaN
  const ax = x < 0 ? -x : x
  let z: number
  if (ax < 2.7755575615628914e-17) return x
  if (ax < 22) {
    if (ax >= 1) {
      const t = expm1(2 * ax)
      z = 1 - 2 / (t + 2)
    } else {
      const t = expm1(-2 * ax)
      z = -t / (t + 2)
    }
  } else {
    z = 1
  }
  return x < 0 ? -z : z
}

const DP_H = 0.5849624872207642
const DP_L = 1.350039202129749e-8
const L1 = 0.5999999999999946
const L2 = 0.4285714285785502
const L3 = 0.33333332981837743
const L4 = 0.272728123808534
const L5 = 0.23066074577556175
const L6 = 0.20697501780033842
const CP = 0.9617966939259756
const CP_H = 0.9617967009544373
const CP_L = -7.028461650952758e-9
const LG2_H = 0.6931471824645996
const LG2_L = -1.904654299957768e-9
const OVT = 8.008566259537294e-17
const TWO_53 = 9007199254740992

/** x to the power y, with the special cases of IEEE 754 (and ECMAScript's: 1 to an infinite or NaN power is NaN). */
export function pow(x: number, y: number): number {
  if (y === 0) return 1
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN
  if (y === 1) return x
  const ay = y < 0 ? -y : y
  let ax = x < 0 ? -x : x
  if (ay === Infinity) return ax === 1 ? NaN : ax > 1 === y > 0 ? Infinity : 0
  const isInteger = ay >= TWO_53 || Math.floor(ay) === ay
  const isOdd = isInteger && ay < TWO_53 && ay % 2 === 1
  const negative = (x < 0 || Object.is(x, -0)) && isOdd
  if (ax === Infinity || ax === 0 || ax === 1) {
    const magnitude = ax === 1 ? 1 : (ax === 0) === y > 0 ? 0 : Infinity
    if (x === -1 && !isInteger) return NaN
    return negative ? -magnitude : magnitude
  }
  if (x < 0 && !isInteger) return NaN
  if (y === 2) return x * x
  const s = negative ? -1 : 1
  let n = 0
  if (ax < 2.2250738585072014e-308) {
    ax *= TWO_53
    n = -53
  }
  let ix = highWord(ax)
  n += (ix >> 20) - 0x3ff
  const j = ix & 0x000fffff
  ix = j | 0x3ff00000
  let bp = 1
  let dpH = 0
  let dpL = 0
  if (j > 0x3988e && j < 0xbb67a) {
    bp = 1.5
    dpH = DP_H
    dpL = DP_L
  } else if (j >= 0xbb67a) {
    n += 1
    ix -= 0x00100000
  }
  ax = withHighWord(ax, ix)
  const u = ax - bp
  const v = 1 / (ax + bp)
  const ss = u * v
  const sH = withoutLowWord(ss)
  const tH = withHighWord(0, ((ix >> 1) | 0x20000000) + 0x00080000 + (bp === 1.5 ? 0x00040000 : 0))
  const tL = ax - (tH - bp)
  const sL = v * (u - sH * tH - sH * tL)
  const s2 = ss * ss
  let r = s2 * s2 * (L1 + s2 * (L2 + s2 * (L3 + s2 * (L4 + s2 * (L5 + s2 * L6)))))
  r += sL * (sH + ss)
  const s2H = sH * sH
  const t3 = withoutLowWord(3 + s2H + r)
  const t4 = r - (t3 - 3 - s2H)
  const u2 = sH * t3
  const v2 = sL * t3 + t4 * ss
  const pH = withoutLowWord(u2 + v2)
  const pL = v2 - (pH - u2)
  const zH = CP_H * pH
  const zL = CP_L * pH + pL * CP + dpL
  const t1 = withoutLowWord(zH + zL + dpH + n)
  const t2 = zL - (t1 - n - dpH - zH)
  const y1 = withoutLowWord(y)
  const pLow = (y - y1) * t1 + y * t2
  let pHigh = y1 * t1
  const z = pLow + pHigh
  if (z >= 1024 && (z > 1024 || pLow + OVT > z - pHigh)) return s * Infinity
  if (z <= -1075 && (z < -1075 || pLow <= z - pHigh)) return s * 0
  const k = z < 0 ? Math.ceil(z - 0.5) : Math.floor(z + 0.5)
  if (z > 0.5 || z < -0.5) pHigh -= k
  const scale = z > 0.5 || z < -0.5 ? k : 0
  const t5 = withoutLowWord(pLow + pHigh)
  const u5 = t5 * LG2_H
  const v5 = (pLow - (t5 - pHigh)) * Math.LN2 + t5 * LG2_L
  const zz = u5 + v5
  const w = v5 - (zz - u5)
  const q = zz * zz
  const q1 = zz - q * (P1 + q * (P2 + q * (P3 + q * (P4 + q * P5))))
  const rr = (zz * q1) / (q1 - 2) - (w + zz * w)
  const result = 1 - (rr - zz)
  return s * timesTwoTo(result, scale)
}

function timesTwoTo(x: number, k: number): number {
  if (k > 1023) return x * TWO_1023 * withHighWord(0, (1023 + k - 1023) << 20)
  if (k >= -1022) return x * withHighWord(0, (1023 + k) << 20)
  // Into the subnormals in one rounding: scale by an exact power first, by the rest last.
  return withHighWord(x, highWord(x) + ((k + 1000) << 20)) * TWO_M1000
}

const S1 = -0.16666666666666632
const S2 = 0.00833333333332249
const S3 = -0.0001984126982985795
const S4 = 2.7557313707070068e-6
const S5 = -2.5050760253406863e-8
const S6 = 1.58969099521155e-10
const C1 = 0.0416666666666666
const C2 = -0.001388888888887411
const C3 = 2.480158728947673e-5
const C4 = -2.7557314351390663e-7
const C5 = 2.087572321298175e-9
const C6 = -1.1359647557788195e-11

function sinKernel(x: number, tail: number): number {
  const z = x * x
  const v = z * x
  const r = S2 + z * (S3 + z * (S4 + z * (S5 + z * S6)))
  return x - (z * (0.5 * tail - v * r) - tail - v * S1)
}

function cosKernel(x: number, tail: number): number {
  const z = x * x
  const r = z * (C1 + z * (C2 + z * (C3 + z * (C4 + z * (C5 + z * C6)))))
  const hz = 0.5 * z
  const w = 1 - hz
  return w + (1 - w - hz + (z * r - x * tail))
}

const PIO2_1 = 1.5707963267341256
const PIO2_1T = 6.077100506506192e-11
const PIO2_2 = 6.077100506303966e-11
const PIO2_2T = 2.0222662487959506e-21
const PIO2_3 = 2.0222662487111665e-21
const PIO2_3T = 8.4784276603689e-32

let reduced = 0
let reducedTail = 0

/** Leaves x - n*pi/2 as a sum of two doubles in `reduced` and `reducedTail`, and returns n. */
function reduceByHalfPi(x: number): number {
  const n = Math.floor(x * 0.6366197723675814 + 0.5)
  let r = x - n * PIO2_1
  let w = n * PIO2_1T
  let t = r
  let y = r - w
  const exponent = (highWord(x) >> 20) & 0x7ff
  // Each further part of pi/2 is needed only when the leading ones cancelled.
  if (exponent - ((highWord(y) >> 20) & 0x7ff) > 16) {
    w = n * PIO2_2
    r = t - w
    w = n * PIO2_2T - (t - r - w)
    y = r - w
    if (exponent - ((highWord(y) >> 20) & 0x7ff) > 49) {
      t = r
      w = n * PIO2_3
      r = t - w
      w = n * PIO2_3T - (t - r - w)
      y = r - w
    }
  }
  reduced = y
  reducedTail = r - y - w
  return n
}

function quadrant(x: number, shift: number): number {
  if (!Number.isFinite(x)) return NaN
  if (x > 1048576 || x < -1048576) throw new RangeError(`sin and cos are made for |x| <= 2^20, got ${x}`)
  const ax = x < 0 ? -x : x
  if (ax <= 0.7853981633974483) return shift === 0 ? (ax < 7.450580596923828e-9 ? x : sinKernel(x, 0)) : cosKernel(x, 0)
  const n = reduceByHalfPi(x) + shift
  const turn = ((n % 4) + 4) % 4
  if (turn === 0) return sinKernel(reduced, reducedTail)
  if (turn === 1) return cosKernel(reduced, reducedTail)
  if (turn === 2) return -sinKernel(reduced, reducedTail)
  return -cosKernel(reduced, reducedTail)
}

export const sin = (x: number): number => quadrant(x, 0)

export const cos = (x: number): number => quadrant(x, 1)
