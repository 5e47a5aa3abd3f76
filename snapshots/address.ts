/** A node's readable name: `klines[BTCUSDT,1m,2024-01]`. The family is its task's name, the values are what sets this
 *  node apart within the family. */
export interface Address {
  readonly family: string
  readonly values: readonly string[]
}

const longestAddress = 1024
const addressText = /^([\p{L}_$][\p{L}\p{N}_$.:/@+-]*)(?:\[([\p{L}\p{N}._:+@-]+(?:,[\p{L}\p{N}._:+@-]+)*)\])?$/u

export function isAddress(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestAddress && addressText.test(value)
}

export function parseAddress(address: string): Address {
  const match = addressText.exec(address)
  return { family: match?.[1] ?? address, values: match?.[2]?.split(',') ?? [] }
}
