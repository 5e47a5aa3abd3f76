import assert from 'node:assert/strict'
import { Fault } from '../fault.ts'
import type { fundingTable } from '../tables/funding.ts'
import type { minuteTable } from '../tables/minute.ts'
import type { openInterestTable } from '../tables/openInterest.ts'
import { indexKlines, markKlines, premiumKlines } from '../tables/priceKlines.ts'
import type { TableOf } from '../tables/table.ts'
import { type BigInts, bigAt, bigIntsOf } from '../tables/wideInts.ts'
import { DAY_MS } from '../time.ts'
import { type BarsOfDay, barsFromAggTrades, barsFromKlines, barsFromPrices, barsFromTrades } from './barSources.ts'
import { emptyBars, type LeftOut } from './bars.ts'
import type { FundingRule } from './fundingEstimate.ts'
import { type DaySources, MinuteRows, type StateLimits } from './minuteRows.ts'
import type { StoredTable } from './pieces.ts'
import { joinSettlements } from './settlements.ts'

export type BarSource = 'klines' | 'trades' | 'aggTrades'

/** All that minutes are made of. What is not there is absent from the rows, and never guessed. */
export interface MinuteSources {
  readonly klines?: readonly StoredTable[]
  readonly trades?: readonly StoredTable[]
  readonly aggTrades?: readonly StoredTable[]
  readonly mark?: readonly StoredTable[]
  readonly index?: readonly StoredTable[]
  readonly premium?: readonly StoredTable[]
  readonly spot?: readonly StoredTable[]
  readonly funding?: readonly TableOf<typeof fundingTable>[]
  readonly openInterest?: readonly TableOf<typeof openInterestTable>[]
}

export interface MinuteOptions extends StateLimits {
  readonly symbol: string
  /** Bars that open in [fromMs, toMs): whole UTC days. */
  readonly fromMs: number
  readonly toMs: number
  readonly intervalMs: number
  /** Length of the given klines, and of mark, index and premium bars: `intervalMs`, or a part of it. */
  readonly klineMs: number
  readonly priceMs: number
  /** Where the bars come from. The other sources that are given are compared with them. */
  readonly barsFrom: BarSource
  readonly openInterestMaxAgeMs: number
  readonly fundingRule: FundingRule
  readonly onLeftOut?: (left: LeftOut) => void
}

/** How much history before a row can change it: state, staleness and as-of values look back no further. */
export const minuteWarmupMs = DAY_MS

/** The minute table, a UTC day at a time. Of everything that is given by stored tables, no more than a day and the row
 *  group it lies in is in memory. */
export function* buildMinutes(sources: MinuteSources, options: MinuteOptions): Generator<TableOf<typeof minuteTable>> {
  const { fromMs, toMs, intervalMs, klineMs, priceMs, barsFrom, onLeftOut } = options
  checkOptions(options)
  const range = { fromMs: fromMs - minuteWarmupMs, toMs, intervalMs }
  const barSources: Record<BarSource, BarsOfDay | undefined> = {
    klines: sources.klines && barsFromKlines(sources.klines, klineMs, range, onLeftOut),
    trades: sources.trades && barsFromTrades(sources.trades, range),
    aggTrades: sources.aggTrades && barsFromAggTrades(sources.aggTrades, range),
  }
  const primary = barSources[barsFrom]
  if (primary === undefined) {
    throw new Fault({
      code: 'usage',
      what: `bars are to come from ${barsFrom}, and there are none`,
      where: options.symbol,
      todo: `ingest ${barsFrom}, or set barsFrom to what is ingested`,
    })
  }
  const mark = sources.mark && barsFromPrices(markKlines, sources.mark, priceMs, range)
  const index = sources.index && barsFromPrices(indexKlines, sources.index, priceMs, range)
  // Premiums are samples of the funding estimate and stay as fine as they are given.
  const premiumRange = { ...range, intervalMs: priceMs }
  const premium = sources.premium && barsFromPrices(premiumKlines, sources.premium, priceMs, premiumRange)
  const spot = sources.spot && barsFromKlines(sources.spot, klineMs, range)
  const rows = new MinuteRows(
    options,
    joinSettlements(sources.funding ?? [], options.symbol),
    openInterestOf(sources.openInterest ?? []),
  )
  const others = (Object.keys(barSources) as BarSource[]).filter((name) => name !== barsFrom)

  for (let dayTsMs = range.fromMs; dayTsMs < toMs; dayTsMs += DAY_MS) {
    // A source that has nothing of this day is compared all the same: it lacks every bar.
    const compared = others.flatMap((name) => {
      const barsOf = barSources[name]
      return barsOf === undefined ? [] : [{ name, bars: barsOf(dayTsMs) ?? emptyBars(0) }]
    })
    const day: DaySources = {
      bars: primary(dayTsMs),
      compared: compared.map(({ bars }) => bars),
      // Trades cannot tell a bar without any from one that the venue never had: its own bars can.
      existing: compared.find(({ name }) => name === 'klines')?.bars,
      mark: mark?.(dayTsMs),
      index: index?.(dayTsMs),
      premium: premium?.(dayTsMs),
      spot: spot?.(dayTsMs),
    }
    const table = rows.day(day)
    if (dayTsMs >= fromMs && table.rowCount > 0) yield table
  }
}

function checkOptions({ symbol, fromMs, toMs, intervalMs, klineMs, priceMs, outageMs }: MinuteOptions): void {
  assert.ok(fromMs % DAY_MS === 0 && toMs % DAY_MS === 0, 'minutes are made for whole days')
  assert.ok(outageMs <= minuteWarmupMs, 'an outage is told apart within the warm-up')
  for (const [name, partMs] of Object.entries({ klines: klineMs, prices: priceMs })) {
    if (intervalMs % partMs === 0 && DAY_MS % intervalMs === 0) continue
    throw new Fault({
      code: 'usage',
      what: `bars of ${intervalMs / 60_000} minutes cannot be made of ${name} of ${partMs / 60_000} minutes`,
      where: symbol,
      todo: 'choose a baseInterval that they divide',
    })
  }
}

/** Samples of open interest, ascending. */
export interface Samples {
  readonly tsMs: Float64Array
  readonly openInterest: BigInts
}

function openInterestOf(tables: readonly TableOf<typeof openInterestTable>[]): Samples {
  const rows = tables
    .flatMap(({ columns }) => Array.from(columns.tsMs, (tsMs, i) => ({ tsMs, lots: bigAt(columns.openInterest, i) })))
    .sort((a, b) => a.tsMs - b.tsMs)
  return {
    tsMs: Float64Array.from(rows, ({ tsMs }) => tsMs),
    openInterest: bigIntsOf(rows.length, (row) => rows[row]!.lots),
  }
}
