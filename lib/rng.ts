import { log } from './math.ts'

/** A seeded stream of random numbers. The same seed and names give the same stream on every machine; another name
 *  gives an unrelated one, so adding a consumer never shifts the numbers of the others. */
export type Rng = {
  /** 32 random bits. */
  bits(): number
  /** In [0, 1), a multiple of 2^-53. */
  uniform(): number
  /** An integer in [0, bound), without bias, for 1 <= bound <= 2^32. */
  below(bound: number): number
  /** Mean 0, variance 1. */
  normal(): number
}

/** xoshiro128** on 32-bit integers, its state filled from the seed and the names. */
export function createRng(seed: number | string, ...names: readonly (number | string)[]): Rng {
  const state = seedState(seed, names)
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!

  const bits = (): number => {
    const x = Math.imul(b, 5)
    const result = Math.imul((x << 7) | (x >>> 25), 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return result >>> 0
  }
  const uniform = (): number => {
    const high = bits() >>> 5
    return (high * 67108864 + (bits() >>> 6)) / 9007199254740992
  }
  const below = (bound: number): number => {
    // Draws above the last whole multiple of the bound would favour small values; they are drawn again.
    const limit = 4294967296 - (4294967296 % bound)
    let draw = bits()
    while (draw >= limit) draw = bits()
    return draw % bound
  }
  // The centre of each of 2^32 equal cells: never 0 or 1, and one draw instead of two. Tails end near 6.3.
  const normal = (): number => inverseNormal((bits() + 0.5) / 4294967296)
  return { bits, uniform, below, normal }
}

/** The first bits of the stream that `createRng` gives for the same seed and names, all at once: several times as fast
 *  for who needs thousands of each of many streams. */
export function drawBits(
  into: Uint32Array,
  seed: number | string,
  ...names: readonly (number | string)[]
): Uint32Array {
  const state = seedState(seed, names)
  let a = state[0]! | 0
  let b = state[1]! | 0
  let c = state[2]! | 0
  let d = state[3]! | 0
  for (let i = 0; i < into.length; i++) {
    const x = Math.imul(b, 5)
    into[i] = Math.imul((x << 7) | (x >>> 25), 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
  }
  return into
}

/** Mixes seed and names, with their types and borders, into four non-zero words (MurmurHash3's body and finaliser). */
function seedState(seed: number | string, names: readonly (number | string)[]): Uint32Array {
  let h1 = 0x9e3779b9
  let h2 = 0x85ebca6b
  const absorb = (word: number) => {
    let k = Math.imul(word, 0xcc9e2d51)
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
    h1 ^= k
    h1 = (Math.imul((h1 << 13) | (h1 >>> 19), 5) + 0xe6546b64) | 0
    h2 ^= h1
    h2 = (Math.imul((h2 << 17) | (h2 >>> 15), 0x2c1b3c6d) + 0x297a2d39) | 0
  }
  for (const part of [seed, ...names]) {
    if (typeof part === 'number') {
      absorb(1)
      absorb(part | 0)
      absorb(Math.floor(part / 4294967296) | 0)
      // The fraction too, so that 0.5 and 0.25 are different seeds.
      absorb(((part - Math.floor(part)) * 4294967296) | 0)
    } else {
      absorb(2)
      absorb(part.length)
      for (let i = 0; i < part.length; i++) absorb(part.charCodeAt(i))
    }
  }
  const state = new Uint32Array(4)
  for (let i = 0; i < 4; i++) {
    absorb(i + 3)
    state[i] = finalise(h1 ^ finalise(h2))
  }
  if ((state[0]! | state[1]! | state[2]! | state[3]!) === 0) state[0] = 1
  return state
}

function finalise(h: number): number {
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** The normal quantile by Wichura's algorithm AS 241 (PPND16), relative error about 1e-16. */
export function inverseNormal(p: number): number {
  const q = p - 0.5
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q
    return (
      (q *
        (((((((2509.0809287301227 * r + 33430.57558358813) * r + 67265.7709270087) * r + 45921.95393154987) * r +
          13731.69376550946) *
          r +
          1971.5909503065513) *
          r +
          133.14166789178438) *
          r +
          3.3871328727963665)) /
      (((((((5226.495278852545 * r + 28729.085735721943) * r + 39307.89580009271) * r + 21213.794301586597) * r +
        5394.196021424751) *
        r +
        687.1870074920579) *
        r +
        42.31333070160091) *
        r +
        1)
    )
  }
  let r = Math.sqrt(-log(q < 0 ? p : 1 - p))
  let x: number
  if (r <= 5) {
    r -= 1.6
    x =
      (((((((7.745450142783414e-4 * r + 0.022723844989269184) * r + 0.2417807251774506) * r + 1.2704582524523684) * r +
        3.6478483247632045) *
        r +
        5.769497221460691) *
        r +
        4.630337846156546) *
        r +
        1.4234371107496835) /
      (((((((1.0507500716444169e-9 * r + 5.475938084995345e-4) * r + 0.015198666563616457) * r + 0.14810397642748008) *
        r +
        0.6897673349851) *
        r +
        1.6763848301838038) *
        r +
        2.053191626637759) *
        r +
        1)
  } else {
    r -= 5
    x =
      (((((((2.0103343992922881e-7 * r + 2.7115555687434876e-5) * r + 0.0012426609473880784) * r +
        0.026532189526576124) *
        r +
        0.29656057182850487) *
        r +
        1.7848265399172913) *
        r +
        5.463784911164114) *
        r +
        6.657904643501103) /
      (((((((2.0442631033899397e-15 * r + 1.421511758316446e-7) * r + 1.8463183175100548e-5) * r +
        7.868691311456133e-4) *
        r +
        0.014875361290850615) *
        r +
        0.1369298809227358) *
        r +
        0.599832206555888) *
        r +
        1)
  }
  return q < 0 ? -x : x
}
