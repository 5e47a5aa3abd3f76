/** Whole numbers and fractions without limits, so that the reference cannot round where it did not mean to. */

export interface Fraction {
  readonly over: bigint
  readonly under: bigint
}

/** A number as it is written: 0.1 is a tenth, and not the double beside it. */
export function decimal(value: number): Fraction {
  const [digits, exponent = '0'] = String(value).split('e') as [string, string?]
  const [whole, part = ''] = digits.split('.') as [string, string?]
  const shift = part.length - Number(exponent)
  const over = BigInt(whole + part)
  return shift >= 0 ? { over, under: 10n ** BigInt(shift) } : { over: over * 10n ** BigInt(-shift), under: 1n }
}

export const whole = (over: bigint): Fraction => ({ over, under: 1n })
export const times = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under })
export const plus = (a: Fraction, b: Fraction): Fraction => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
})
/** The divisor is positive wherever this is used. */
export const per = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.under, under: a.under * b.over })
export const isLess = (a: Fraction, b: Fraction): boolean => a.over * b.under < b.over * a.under
export const least = (a: Fraction, b: Fraction): Fraction => (isLess(b, a) ? b : a)

export const abs = (a: bigint): bigint => (a < 0n ? -a : a)
export const sign = (a: bigint): number => (a > 0n ? 1 : a < 0n ? -1 : 0)
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

/** Toward zero, down, and up to a multiple of `step`. */
export const truncate = ({ over, under }: Fraction, step = 1n): bigint => (over / (under * step)) * step
export const floor = (a: Fraction, step = 1n): bigint => {
  const quotient = truncate(a, step)
  return isLess(a, whole(quotient)) ? quotient - step : quotient
}
export const ceil = (a: Fraction, step = 1n): bigint => -floor({ over: -a.over, under: a.under }, step)
/** To the nearest, halves away from zero. */
export const nearest = ({ over, under }: Fraction): bigint => {
  const magnitude = (2n * abs(over) + under) / (2n * under)
  return over < 0n ? -magnitude : magnitude
}

/** As strategies write numbers: a thousandth of a unit counts, and what is finer is noise. */
export const fine = (a: Fraction): Fraction => ({ over: nearest(times(a, whole(1000n))), under: 1000n })
