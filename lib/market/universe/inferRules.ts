import { formatScaledShort } from '../../decimal.ts'
import { type BigInts, bigAt, rowsOf } from '../../tables/wideInts.ts'

/** Tick and step of a contract nobody describes any more: the coarsest grids its prices and traded quantities lie on.
 *  Both are in units of 10^-8. Undefined where nothing was traded. */
export function inferRules(
  prices: readonly BigInt64Array[],
  volumes: readonly BigInts[],
): { tickSize: string; stepSize: string } | undefined {
  let tick = 0n
  for (const column of prices) for (const price of column) tick = gcd(tick, price)
  let step = 0n
  for (const column of volumes) for (let row = 0; row < rowsOf(column); row++) step = gcd(step, bigAt(column, row))
  if (tick === 0n || step === 0n) return undefined
  // Sums of lots share the lot and by chance a small multiple of it: a grid of the venue is a power of ten.
  return { tickSize: formatScaledShort(decade(tick), 8), stepSize: formatScaledShort(decade(step), 8) }
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
