import type { Columns } from '../../tables/schema.ts'
import type { Table } from '../../tables/table.ts'
import { type BigInts, bigAt, bigsToFloat64 } from '../../tables/wideInts.ts'
import { floorTo, formatUtc, type Interval, nextOpen, openOf } from '../../time.ts'
import type { BarKind } from '../../venues/usdm.ts'
import { type Amounts, isTurnoverPossible } from './barTurnover.ts'
import type { DefectOf } from './mergePieces.ts'

/** Below it the double of an integer is exact. */
const exactBelow = 2 ** 53

/** What is wrong with a bar by itself. */
export function barDefects<C extends Columns>(table: Table<C>, interval: Interval, kind: BarKind): DefectOf {
  const isMonth = interval === '1M'
  const anchor = isMonth ? 0 : openOf(0, interval)
  const stepMs = isMonth ? 0 : nextOpen(anchor, interval) - anchor
  const times = table.columns as unknown as Readonly<Record<'openTsMs' | 'closeTsMs', Float64Array>>
  const { openTsMs: opens, closeTsMs: closes } = times
  const amounts = (name: string): Amounts => {
    const exact = (table.columns as unknown as Readonly<Record<string, BigInts>>)[name]!
    return { exact, rounded: bigsToFloat64(exact) }
  }
  const prices = { open: amounts('open'), high: amounts('high'), low: amounts('low'), close: amounts('close') }
  const money = 'volume' in table.columns ? moneyOf(table, prices, amounts) : undefined
  return (row) => {
    const openTsMs = opens[row]!
    const onGrid = isMonth
      ? openOf(openTsMs, interval) === openTsMs
      : floorTo(openTsMs - anchor, stepMs) === openTsMs - anchor
    if (!onGrid) return { kind: 'offGrid', what: `a bar opens at ${formatUtc(openTsMs)}, off the grid of ${interval}` }
    const closeTsMs = closes[row]!
    if (closeTsMs !== (isMonth ? nextOpen(openTsMs, interval) : openTsMs + stepMs) - 1)
      return { kind: 'wrongCloseTime', what: `the bar of ${formatUtc(openTsMs)} closes at ${formatUtc(closeTsMs)}` }
    // A premium is a share that lies on either side of nothing; nothing has a price of nothing.
    const isPrice = prices.low.rounded[row]! > 0 || kind === 'premiumIndexKlines'
    if (!isPrice || !isInOrder(prices, row) || (money !== undefined && !isShare(money, row)))
      return { kind: 'impossibleRow', what: `the bar of ${formatUtc(openTsMs)} contradicts itself` }
    if (money === undefined || isTurnoverPossible(money, row)) return undefined
    const what = `the turnover of the bar of ${formatUtc(openTsMs)} is not its volume at any of its prices`
    return { kind: 'wrongTurnover', what }
  }
}

type Prices = Readonly<Record<'open' | 'high' | 'low' | 'close', Amounts>>

/** Bars of a price nobody trades at have no volume. */
const moneyOf = <C extends Columns>(
  { columns }: Table<C>,
  { low, high }: Prices,
  amounts: (name: string) => Amounts,
) => ({
  low,
  high,
  count: (columns as unknown as { readonly count: Int32Array }).count,
  volume: amounts('volume'),
  quoteVolume: amounts('quoteVolume'),
  takerBuyVolume: amounts('takerBuyVolume'),
  takerBuyQuoteVolume: amounts('takerBuyQuoteVolume'),
})

function isInOrder({ open, high, low, close }: Prices, row: number): boolean {
  return (
    isAtMost(low, open, row) && isAtMost(low, close, row) && isAtMost(open, high, row) && isAtMost(close, high, row)
  )
}

/** Whether takers bought no more than was traded, and for no more than it was traded for. */
function isShare(money: ReturnType<typeof moneyOf>, row: number): boolean {
  return (
    isAtMost(money.takerBuyVolume, money.volume, row) && isAtMost(money.takerBuyQuoteVolume, money.quoteVolume, row)
  )
}

function isAtMost(a: Amounts, b: Amounts, row: number): boolean {
  const x = a.rounded[row]!
  const y = b.rounded[row]!
  if (Math.abs(x) < exactBelow && Math.abs(y) < exactBelow) return x <= y
  return bigAt(a.exact, row) <= bigAt(b.exact, row)
}
