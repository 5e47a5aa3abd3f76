import { formatScaledShort } from '../../decimal.ts'
import { Fault } from '../../fault.ts'
import { int64Words } from '../../tables/columnChecks.ts'

const scale = 100_000_000
const two32 = 4_294_967_296

/**
 * Price times quantity, both and the result with eight decimals; what the product has beyond them is cut off. Exact: where
 * a double cannot say the product of ticks and lots, bigints do. One trade of more than 92 billion is a defect of the data, and ends the
 * work rather than wrap around.
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
    } else out[row] = fitting((price[row]! * qty[row]!) / BigInt(scale), price[row]!, qty[row]!)
  }
  return out
}

function fitting(turnover: bigint, price: bigint, qty: bigint): bigint {
  if (turnover === BigInt.asIntN(64, turnover)) return turnover
  throw new Fault({
    code: 'failed',
    what: `a trade of ${formatScaledShort(qty, 8)} at ${formatScaledShort(price, 8)} turns over more than any trade can`,
    todo: 'look at that trade: its quantity or its price cannot be right',
  })
}

/** Venues that round the turnover do it to cents at the coarsest. */
const roundingMax = 1_000_000n

/** Rows whose stated turnover is not the product, rounded at most. */
export function* wrongTurnovers(
  price: BigInt64Array,
  qty: BigInt64Array,
  stated: BigInt64Array,
): Generator<number, void, undefined> {
  const words = [price, qty, stated].map(int64Words) as [Int32Array, Int32Array, Int32Array]
  for (let row = nextDoubtful(...words, 0); row < stated.length; row = nextDoubtful(...words, row + 1)) {
    if (isWrong(price[row]!, qty[row]!, stated[row]!)) yield row
  }
}

/** The next row that doubles cannot acquit. Two numbers less than one last decimal apart are one number, cut off; and what
 *  doubles round away of either is less than a part in 2^51 of both. */
function nextDoubtful(price: Int32Array, qty: Int32Array, stated: Int32Array, from: number): number {
  const end = stated.length >>> 1
  for (let row = from; row < end; row++) {
    const low = 2 * row
    const high = low + 1
    const px = price[high]! * two32 + (price[low]! >>> 0)
    const lots = qty[high]! * two32 + (qty[low]! >>> 0)
    const product = px * lots
    const told = (stated[high]! * two32 + (stated[low]! >>> 0)) * scale
    if (Math.abs(product - told) + (product + told) * 2 ** -51 >= scale) return row
  }
  return end
}

function isWrong(price: bigint, qty: bigint, stated: bigint): boolean {
  const difference = stated - (price * qty) / BigInt(scale)
  if (difference <= 1n && difference >= -1n) return false
  let unit = 1n
  while (unit < roundingMax && stated % (unit * 10n) === 0n) unit *= 10n
  return difference >= unit || difference <= -unit
}
