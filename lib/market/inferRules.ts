import { formatScaledShort } from '../decimal.ts'

const powersOfTen = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8] as const

/** Volumes of coarse bars are doubles: beyond this share of them the digits are the venue's own. */
const doubleNoise = 1e-15

/** Tick and step of a contract nobody describes any more: the coarsest grids its prices and traded quantities lie on.
 *  Prices are in units of 10^-8. Undefined where nothing was traded. */
export function inferRules(
  prices: readonly BigInt64Array[],
  volumes: Float64Array,
): { tickSize: string; stepSize: string } | undefined {
  let tick = 0n
  for (const column of prices) for (const price of column) tick = gcd(tick, price)
  const places = placesOf(volumes)
  let step = 0n
  const scale = powersOfTen[places]!
  for (const volume of volumes) step = gcd(step, BigInt(Math.round(volume * scale)))
  if (tick === 0n || step === 0n) return undefined
  // Sums of lots share the lot and by chance a small multiple of it: a grid of the venue is a power of ten.
  return { tickSize: formatScaledShort(decade(tick), 8), stepSize: formatScaledShort(decade(step), places) }
}

function gcd(a: bigint, b: bigint): bigint {
  let x = a < 0n ? -a : a
  let y = b < 0n ? -b : b
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

/** The largest power of ten that divides it. */
function decade(units: bigint): bigint {
  let power = 1n
  while (units % (power * 10n) === 0n) power *= 10n
  return power
}

/** Digits behind the point that the values really have, up to eight. */
function placesOf(values: Float64Array): number {
  for (let places = 0; places < 8; places++) {
    const scale = powersOfTen[places]!
    const fits = values.every((value) => {
      const scaled = value * scale
      const rounded = Math.round(scaled)
      return Math.abs(scaled - rounded) <= Math.abs(rounded) * doubleNoise
    })
    if (fits) return places
  }
  return 8
}
