import { type BigInts, bigAt } from '../../tables/wideInts.ts'

/** Numbers with their doubles, which answer nearly every question for a fraction of what bigints cost. */
export type Amounts = { readonly exact: BigInts; readonly rounded: Float64Array }

/** Columns of a bar that speak of money. */
export type Turnover = {
  readonly low: Amounts
  readonly high: Amounts
  readonly count: Int32Array
  readonly volume: Amounts
  readonly quoteVolume: Amounts
}

const scale = 100_000_000n
/** Far more than doubles round away of a product of two numbers, and far less than any error of a file. */
const sure = 1e-12

/**
 * Whether a bar's turnover may be that of its volume: nothing traded below the low or above the high. Exact; a venue rounds
 * the turnover of each trade to eight decimals, so that it may be off by as many units as there were trades.
 */
export function isTurnoverPossible({ low, high, count, volume, quoteVolume }: Turnover, row: number): boolean {
  const units = volume.rounded[row]!
  if (units === 0) return quoteVolume.rounded[row] === 0
  // Nearly every bar is well within, and doubles can say so.
  const told = quoteVolume.rounded[row]! * 1e8
  if (told > low.rounded[row]! * units * (1 + sure) && told < high.rounded[row]! * units * (1 - sure)) return true
  const traded = bigAt(volume.exact, row)
  const stated = bigAt(quoteVolume.exact, row) * scale
  const slack = BigInt(count[row]! + 1) * scale
  return bigAt(low.exact, row) * traded <= stated + slack && stated <= bigAt(high.exact, row) * traded + slack
}
