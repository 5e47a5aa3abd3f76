import type { BarSource } from '../../minute/buildMinute.ts'
import { DAY_MS, dayOf, dayStart, type Interval, type Month, monthStart, nextMonth, type TsMs } from '../../time.ts'
import type { BarKind } from '../../venues/usdm.ts'
import { type OpenInterestDay, openInterestDays } from './openInterestDays.ts'
import type { Partition, PlannedBars } from './partitions.ts'
import type { DatasetPlan } from './planDataset.ts'
import { spotPairOf } from './spotPair.ts'

/** What the minutes of one symbol and month are made of. */
export interface SymbolMonth {
  readonly symbol: string
  readonly period: Month
  /** Days of the month the symbol has bars for, or the trades they are made of; the second is not included. */
  readonly from: string
  readonly to: string
  readonly klines: readonly PlannedBars[]
  readonly mark: readonly PlannedBars[]
  readonly index: readonly PlannedBars[]
  readonly premium: readonly PlannedBars[]
  readonly spot: readonly PlannedBars[]
  readonly funding: readonly Partition[]
  readonly openInterest: readonly OpenInterestDay[]
  /** Days of trades, where bars are made of them. */
  readonly trades: readonly Partition[]
  readonly aggTrades: readonly Partition[]
}

export type MonthRules = {
  readonly interval: Interval
  readonly barsFrom: BarSource
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
  /** The first rows look so far back: what lies there belongs to what they are made of. */
  readonly backMs: number
}

/** Everything a plan holds for one month, symbol by symbol in the order of their names. A day that is not over yet is
 *  left out: its minutes would change under the same name. */
export function symbolMonths(plan: DatasetPlan, period: Month, rules: MonthRules): SymbolMonth[] {
  const fromTsMs = Math.max(monthStart(period), rules.fromTsMs)
  const toTsMs = Math.min(monthStart(nextMonth(period)), rules.toTsMs, dayStart(dayOf(plan.nowTsMs)))
  const reached = (one: Partition) => one.toTsMs > fromTsMs - rules.backMs && one.fromTsMs < toTsMs
  const series = plan.bars.filter((one) => one.interval === rules.interval && reached(one))
  const bars = (market: PlannedBars['market'], kind: BarKind) =>
    bySymbol(series.filter((one) => one.market === market && one.kind === kind))
  const [klines, spot] = [bars('usdm', 'klines'), bars('spot', 'klines')]
  const mark = bars('usdm', 'markPriceKlines')
  const index = bars('usdm', 'indexPriceKlines')
  const premium = bars('usdm', 'premiumIndexKlines')
  const funding = bySymbol(plan.funding.filter(reached))
  const openInterest = bySymbol(openInterestDays(plan).filter(reached))
  const daysOfTrades = (source: BarSource, days: readonly Partition[]) =>
    bySymbol(rules.barsFrom === source ? days.filter(reached) : [])
  const trades = daysOfTrades('trades', plan.trades)
  const aggTrades = daysOfTrades('aggTrades', plan.aggTrades)
  const made = { klines, trades, aggTrades }[rules.barsFrom]
  return [...made.keys()].sort().flatMap((symbol): SymbolMonth[] => {
    const lives = made.get(symbol)!.filter((one) => one.toTsMs > fromTsMs && one.fromTsMs < toTsMs)
    if (lives.length === 0) return []
    const first = Math.max(fromTsMs, Math.min(...lives.map((one) => one.fromTsMs)))
    const end = Math.min(toTsMs, Math.max(...lives.map((one) => one.toTsMs)))
    return [
      {
        symbol,
        period,
        from: dayOf(first),
        to: dayOf(end + DAY_MS - 1),
        klines: klines.get(symbol) ?? [],
        mark: mark.get(symbol) ?? [],
        index: index.get(symbol) ?? [],
        premium: premium.get(symbol) ?? [],
        spot: spot.get(spotPairOf(symbol)) ?? [],
        funding: funding.get(symbol) ?? [],
        openInterest: openInterest.get(symbol) ?? [],
        trades: trades.get(symbol) ?? [],
        aggTrades: aggTrades.get(symbol) ?? [],
      },
    ]
  })
}

function bySymbol<T extends Partition>(partitions: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>()
  for (const partition of partitions) {
    const known = found.get(partition.symbol)
    if (known === undefined) found.set(partition.symbol, [partition])
    else known.push(partition)
  }
  return found
}
