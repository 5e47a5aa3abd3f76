/** Contracts on many of a cheap coin carry the number in their names: a thousand PEPE, a million MOG. */
const multiplied = /^(?:10{3,6}|1M)(?=\D.*(?:USDT|USDC|BUSD)$)/

/** Coins that spot, too, trades by the thousand or the million, under the contract's own name. */
const multipliedOnSpot: ReadonlySet<string> = new Set([
  '1000CATUSDT',
  '1000CHEEMSUSDT',
  '1000SATSUSDT',
  '1MBABYDOGEUSDT',
])

/**
 * The coin's pair on spot: contracts on a thousand of a coin are named so, and the coin is not. Nothing but a list of
 * spot's pairs tells whether there is one; where it is given it decides, and undefined is a coin that spot does not have.
 */
export function spotPairOf(symbol: string): string
export function spotPairOf(symbol: string, listed: ReadonlySet<string>): string | undefined
export function spotPairOf(symbol: string, listed?: ReadonlySet<string>): string | undefined {
  const coin = symbol.replace(multiplied, '')
  if (listed === undefined) return multipliedOnSpot.has(symbol) ? symbol : coin
  return [symbol, coin].find((name) => listed.has(name))
}

/** The same stretches of time of spot's pairs, each once: two contracts may be about one coin. */
export function onSpot<T extends { readonly symbol: string; readonly period: string }>(contracts: readonly T[]): T[] {
  const pairs = new Map<string, T>()
  for (const contract of contracts) {
    const symbol = spotPairOf(contract.symbol)
    const id = `${symbol},${contract.period}`
    if (!pairs.has(id)) pairs.set(id, { ...contract, symbol })
  }
  return [...pairs.values()]
}
