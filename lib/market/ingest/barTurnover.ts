import { type BigInts, bigAt } from '../../tables/wideInts.ts'

/** Columns of a bar that speak of money. */
export type Turnover = {
  readonly low: BigInt64Array
  readonly high: BigInt64Array
  readonly count: Int32Array
  readonly volume: BigInts
  readonly quoteVolume: BigInts
}

const scale = 100_000_000n
/** Far more than doubles round away of a product of two numbers, and far less than any error of a file. */
const sure = 1e-12

/**
 * Whether a bar's turnover may be that of its volume: nothing traded below the low or above the high. Exact; a venue rounds
 * the turnover of each trade to eight decimals, so that it may be off by as many units as there were trades.
 */
export function isTurnoverPossible({ low, high, count, volume, quoteVolume }: Turnover, row: number): boolean {
  const traded = bigAt(volume, row)
  const turned = bigAt(quoteVolume, row)
  if (traded === 0n) return turned === 0n
  // Nearly every bar is well within, and doubles can say so.
  const [units, told] = [Number(traded), Number(turned) * 1e8]
  if (told > Number(low[row]!) * units * (1 + sure) && told < Number(high[row]!) * units * (1 - sure)) return true
  const slack = BigInt(count[row]! + 1) * scale
  const stated = turned * scale
  return low[row]! * traded <= stated + slack && stated <= high[row]! * traded + slack
}
