import assert from 'node:assert/strict'

/** Exact decimals: `units` × 10^-`scale`. `1.50` is {150n, 2}; the trailing zero is kept, because it says something
 *  about the grid the number lives on. */
export type Decimal = { readonly units: bigint; readonly scale: number }

const decimalPattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/

/** Reads decimal text, exponent notation included, without ever passing through a float. Undefined if it is no number. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = decimalPattern.exec(text)
  if (match === null) return undefined
  const whole = match[2]!
  const fraction = match[3] ?? ''
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(whole + fraction)
  const signed = match[1] === '-' ? -digits : digits
  const scale = fraction.length - Number(match[4] ?? 0)
  return scale >= 0 ? { units: signed, scale } : { units: signed * 10n ** BigInt(-scale), scale: 0 }
}

/** The same value on another scale, or undefined where that would lose a digit. */
export function rescale(decimal: Decimal, scale: number): bigint | undefined {
  if (scale >= decimal.scale) return decimal.units * 10n ** BigInt(scale - decimal.scale)
  const divisor = 10n ** BigInt(decimal.scale - scale)
  return decimal.units % divisor === 0n ? decimal.units / divisor : undefined
}

/** Decimal text as an integer count of 10^-scale. Undefined if it is no number or needs more digits than the scale has. */
export function parseScaledBig(text: string, scale: number): bigint | undefined {
  const decimal = parseDecimal(text)
  return decimal === undefined ? undefined : rescale(decimal, scale)
}

/** As `parseScaledBig`, in a double. Undefined also where the integer is beyond 2^53 and would be rounded. */
export function parseScaled(text: string, scale: number): number | undefined {
  const units = parseScaledBig(text, scale)
  if (units === undefined) return undefined
  const value = Number(units)
  return Number.isSafeInteger(value) ? value : undefined
}

/** An integer count of 10^-scale as text with exactly `scale` digits after the point: (150, 2) is `1.50`. */
export function formatScaled(units: number | bigint, scale: number): string {
  assert.ok(typeof units === 'bigint' || Number.isSafeInteger(units), `not an exact integer: ${units}`)
  const negative = units < 0
  // Number and bigint print the same digits; -0 has none of its own.
  const digits = String(negative ? -units : units).padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return negative ? `-${text}` : text
}

/** As `formatScaled`, without trailing zeros or a bare point: (150, 2) is `1.5`. */
export function formatScaledShort(units: number | bigint, scale: number): string {
  const text = formatScaled(units, scale)
  return scale === 0 ? text : text.replace(/\.?0+$/, '')
}

/** Digits after the point, as written. */
export function decimalPlaces(text: string): number {
  const decimal = parseDecimal(text)
  assert.ok(decimal !== undefined, `not a decimal: ${text}`)
  return decimal.scale
}
