import { Fault } from '../fault.ts'

/** Money, prices and quantities of a backtest are whole numbers held in doubles. Cash is in units of 10^-cashDecimals,
 *  a quantity in 10^-qtyDecimals, a price in 10^-(cashDecimals - qtyDecimals): price times quantity is then cash, for
 *  every symbol, without rounding. Doubles carry whole numbers exactly up to 2^53, and `exact` guards that border, so
 *  the ledger is exact or stops; bigints would be exact too, at ten times the cost a bar. */
export const cashDecimalsDefault = 8

/** Fee rates are whole numbers of 10^-8, the precision in which venues publish them. */
const rateScale = 1e8

/** A product or sum of whole numbers. Beyond 2^53 a double would round in silence, so the run ends instead. */
export function exact(value: number): number {
  if (value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER) return value
  throw new Fault({
    code: 'failed',
    what: 'an amount left the range in which the ledger is exact',
    todo: 'lower the capital or the leverage, or give fewer cashDecimals (each one less widens the range tenfold)',
    details: { value },
  })
}

/** value * rate, rounded half away from zero to a unit of cash. The product may pass 2^53, so it is formed in halves. */
export function timesRateE8(value: number, rateE8: number): number {
  const magnitude = Math.abs(value)
  const rate = Math.abs(rateE8)
  // Above a tenth, low * rate / 10^8 would come so close to a whole number that its quotient might round up to it.
  if (rate > 1e7) return timesRateInBigint(value, BigInt(rateE8), BigInt(rateScale))
  const high = Math.floor(magnitude / rateScale)
  const low = magnitude - high * rateScale
  // high * rate is whole already; low * rate < 2^53, and the half to add is a whole number too.
  const result = exact(high * rate) + Math.floor((low * rate + rateScale / 2) / rateScale)
  return value < 0 === rateE8 < 0 || result === 0 ? result : -result
}

/** The same for rates of up to 18 decimals, which few venues print: eight and fewer take the fast way. */
export function timesRateE18(value: number, rateE18: bigint): number {
  const rateE8 = rateE18 / 10_000_000_000n
  return rateE8 * 10_000_000_000n === rateE18
    ? timesRateE8(value, Number(rateE8))
    : timesRateInBigint(value, rateE18, 1_000_000_000_000_000_000n)
}

function timesRateInBigint(value: number, rate: bigint, scale: bigint): number {
  const product = BigInt(value) * rate
  const magnitude = ((product < 0n ? -product : product) + scale / 2n) / scale
  return exact(Number(product < 0n ? -magnitude : magnitude))
}

/** Basis points to a rate in 10^-8. Exact for every published fee: venues quote at most hundredths of a basis point. */
export function bpsToRateE8(bps: number): number {
  return Math.round(bps * 1e4)
}

/** 10^decimals for 0 <= decimals <= 15, as literals: a power function is not the same on every runtime. */
export function pow10(decimals: number): number {
  const power = powersOfTen[decimals]
  if (power === undefined) throw new RangeError(`no exact power of ten for ${decimals} decimals`)
  return power
}
const powersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]
