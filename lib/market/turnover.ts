import { int64Words, saturate } from '../tables/columnChecks.ts'

const scale = 100_000_000
const two32 = 4_294_967_296

/**
 * Price times quantity, both and the result with eight decimals; what the product has beyond them is cut off. Exact: where
 * a double cannot say the product of ticks and lots, bigints do. What no table holds comes out as the largest integer.
 */
export function turnoverOf(price: BigInt64Array, qty: BigInt64Array): BigInt64Array {
  const out = new BigInt64Array(price.length)
  const words = int64Words(out)
  const [prices, quantities] = [int64Words(price), int64Words(qty)]
  for (let row = 0; row < out.length; row++) {
    const px = prices[2 * row + 1]! * two32 + (prices[2 * row]! >>> 0)
    const lots = quantities[2 * row + 1]! * two32 + (quantities[2 * row]! >>> 0)
    // Real prices have few of their eight decimals: without the zeros behind them most products fit.
    const [cutPx, cutLots] = [px / 10_000, lots / 10_000]
    // A quotient of safe integers is whole exactly if there is no remainder, and far cheaper to ask for.
    const shortPx = cutPx === Math.floor(cutPx) ? cutPx : px
    const shortLots = cutLots === Math.floor(cutLots) ? cutLots : lots
    const divisor = scale / ((px === shortPx ? 1 : 10_000) * (lots === shortLots ? 1 : 10_000))
    const product = shortPx * shortLots
    if (Number.isSafeInteger(product) && Number.isSafeInteger(px) && Number.isSafeInteger(lots)) {
      const value = Math.trunc(product / divisor)
      words[2 * row] = value
      words[2 * row + 1] = Math.floor(value / two32)
    } else out[row] = saturate((price[row]! * qty[row]!) / BigInt(scale))
  }
  return out
}

/** Venues that round the turnover do it to cents at the coarsest. */
const roundingMax = 1_000_000n

/** Rows whose stated turnover is not the product, rounded at most. */
export function* wrongTurnovers(
  price: BigInt64Array,
  qty: BigInt64Array,
  stated: BigInt64Array,
): Generator<number, void, undefined> {
  const words = int64Words(stated)
  const expected = turnoverOf(price, qty)
  const expectedWords = int64Words(expected)
  for (let row = 0; row < stated.length; row++) {
    if (words[2 * row] === expectedWords[2 * row] && words[2 * row + 1] === expectedWords[2 * row + 1]) continue
    const difference = stated[row]! - expected[row]!
    if (difference > 1n || difference < -1n) {
      let unit = 1n
      while (unit < roundingMax && stated[row]! % (unit * 10n) === 0n) unit *= 10n
      if (difference >= unit || difference <= -unit) yield row
    }
  }
}
