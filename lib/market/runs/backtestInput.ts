import type { z } from 'zod'
import type { FileSet } from '../../artifact.ts'
import { makeInstrument } from '../../backtest/instrument.ts'
import {
  type BarSeries,
  type FundingSeries,
  type MarketInput,
  type SymbolInput,
  snapSettlementTsMs,
  type TimeSpan,
  type UniverseChange,
} from '../../backtest/market.ts'
import { Fault } from '../../fault.ts'
import type { fundingTable } from '../../tables/funding.ts'
import type { QaReport } from '../../tables/qa.ts'
import type { TableOf } from '../../tables/table.ts'
import { DAY_MS, formatUtc } from '../../time.ts'
import type { universe } from '../universe/universe.ts'
import type { DataStamp } from './backtestFiles.ts'
import { DeclaredColumns } from './featureColumns.ts'
import { type BarRows, barSeries, presentUnits, withoutUnsound } from './minuteBars.ts'
import { assertNothingRejected, quarantineSpans } from './quarantine.ts'

type Universe = z.infer<typeof universe.schema>
type Funding = TableOf<typeof fundingTable>

export interface BacktestSources {
  readonly universe: Universe
  readonly minutes: readonly BarRows[]
  readonly funding: readonly Funding[]
  readonly qa?: readonly QaReport[] | undefined
  readonly features?: readonly FileSet[] | undefined
}

export interface BacktestInputOptions extends TimeSpan {
  readonly intervalMs: number
  readonly cashDecimals: number
  /** The columns the strategy declares, and for how long a value may be used after it became known. */
  readonly columns: readonly string[]
  readonly maxFeatureAgeMs: number
  /** Who declares columns, for messages. */
  readonly strategy?: string
}

/** A market in the engine's form, and what was found in the data: plain data both. */
export interface PreparedMarket {
  readonly market: MarketInput
  readonly stamp: DataStamp
}

/**
 * Brings universe, bars, settlements, verdicts and features, in whatever pieces they come, into the form the backtest
 * engine reads, and says what it found there. Rows before the range stay: a strategy may look back on them. A missing bar
 * stays a missing row. Nothing given is written to, for other runs read the same memory.
 */
export function backtestInput(sources: BacktestSources, options: BacktestInputOptions): PreparedMarket {
  const { universe: chosen, minutes, funding, qa, features } = sources
  assertNotEmpty(chosen)
  assertCovered(minutes, options)
  const columns =
    options.columns.length === 0
      ? undefined
      : new DeclaredColumns(features ?? [], options.columns, {
          ...options,
          maxAgeMs: options.maxFeatureAgeMs,
          where: `strategy ${options.strategy}`,
        })
  const barsOf = bySymbol(minutes)
  const fundingOf = bySymbol(funding)
  const gone = new Set(chosen.selection?.gone)
  const delisted: { symbol: string; tsMs: number }[] = []
  let unsoundBars = 0
  let quarantinedMs = 0
  const symbols = chosen.symbols.flatMap(({ symbol, deliveryTsMs, ...listed }): SymbolInput[] => {
    const instrument = makeInstrument({ symbol, ...listed }, options.cashDecimals)
    const { bars, leftOut } = withoutUnsound(barSeries(barsOf.get(symbol) ?? [], instrument, options.toMs))
    unsoundBars += leftOut
    // A symbol without a single bar cannot be traded, and the engine has nothing to order it by.
    if (bars.openTsMs.length === 0) return []
    const endTsMs = deliveryTsMs ?? (gone.has(symbol) ? endOf(bars, options) : undefined)
    const delistTsMs = endTsMs === undefined || endTsMs >= options.toMs ? undefined : endTsMs
    if (delistTsMs !== undefined) delisted.push({ symbol, tsMs: delistTsMs })
    const alive = { fromMs: options.fromMs, toMs: delistTsMs ?? options.toMs }
    assertNothingRejected(qa ?? [], symbol, alive)
    const quarantine = quarantineSpans(qa ?? [], symbol)
    for (const span of quarantine) {
      quarantinedMs += Math.max(0, Math.min(span.toMs, alive.toMs) - Math.max(span.fromMs, alive.fromMs))
    }
    const columnsOf = columns?.of(symbol)
    return [
      {
        instrument,
        bars,
        funding: fundingSeries(fundingOf.get(symbol) ?? [], instrument.pxDecimals, options.toMs),
        ...(columnsOf === undefined ? {} : { columns: columnsOf }),
        ...(delistTsMs === undefined ? {} : { delistTsMs }),
        ...(quarantine.length === 0 ? {} : { quarantine }),
      },
    ]
  })
  const known = new Set(symbols.map(({ instrument }) => instrument.symbol))
  const { selection } = chosen
  const stamp: DataStamp = {
    universe: {
      mode: selection?.mode ?? 'listed',
      hasSurvivorship: selection?.hasSurvivorship ?? false,
      withoutBars: chosen.symbols.map(({ symbol }) => symbol).filter((symbol) => !known.has(symbol)),
      delisted,
    },
    ...(qa?.[0] === undefined ? {} : { quality: { policy: qa[0].policy, quarantinedMs } }),
    unsoundBars,
    columns: [...options.columns],
    ...lateColumns(columns?.firstKnownMs, options),
  }
  return {
    market: {
      intervalMs: options.intervalMs,
      symbols,
      ...(selection === undefined ? {} : { universe: membership(selection.dates, known) }),
    },
    stamp,
  }
}

/** A strategy waits for its columns, and nobody sees from its result that it only waited. */
function lateColumns(
  firstKnownMs: DeclaredColumns['firstKnownMs'] | undefined,
  { fromMs, toMs }: TimeSpan,
): Pick<DataStamp, 'lateColumns'> {
  const late = [...(firstKnownMs ?? [])].filter(([, tsMs]) => tsMs > fromMs + DAY_MS)
  if (late.length === 0) return {}
  return { lateColumns: late.map(([column, tsMs]) => ({ column, fromMs: tsMs < toMs ? tsMs : null })) }
}

/** Members from each date on. Those without a single bar were never there to be traded. */
function membership(dates: readonly UniverseChange[], known: ReadonlySet<string>): UniverseChange[] {
  return dates.map(({ tsMs, symbols }) => ({ tsMs, symbols: symbols.filter((symbol) => known.has(symbol)) }))
}

/**
 * When a symbol that is gone today stopped trading: with its last bar that had trades, whatever frozen prices the venue
 * went on to publish. Undefined while its bars go on to the end of the range.
 */
function endOf({ openTsMs, tradeCount }: BarSeries, { toMs, intervalMs }: BacktestInputOptions): number | undefined {
  let row = openTsMs.length - 1
  while (row > 0 && !(tradeCount[row]! > 0)) row--
  const lastCloseMs = openTsMs.at(-1)! + intervalMs
  const tradedCloseMs = openTsMs[row]! + intervalMs
  return lastCloseMs < toMs || toMs - tradedCloseMs >= DAY_MS ? tradedCloseMs : undefined
}

/** Settlements at the instants they were due, with the mark they were made at where the venue published one. */
function fundingSeries(tables: readonly Funding[], pxDecimals: number, toMs: number): FundingSeries {
  const count = tables.reduce((sum, { rowCount }) => sum + rowCount, 0)
  const tsMs = new Float64Array(count)
  const rateE18 = new BigInt64Array(count)
  const markPx = new Float64Array(count)
  let at = 0
  let isAscending = true
  for (const { rowCount, columns } of tables) {
    rateE18.set(columns.rate, at)
    markPx.set(presentUnits(columns.markPrice, pxDecimals), at)
    for (let row = 0; row < rowCount; row++, at++) {
      tsMs[at] = snapSettlementTsMs(columns.tsMs[row]!)
      if (at > 0 && tsMs[at]! < tsMs[at - 1]!) isAscending = false
    }
  }
  const all = { tsMs, rateE18, markPx }
  const sorted = isAscending ? all : reordered(all)
  let end = count
  while (end > 0 && sorted.tsMs[end - 1]! > toMs) end--
  return {
    tsMs: sorted.tsMs.subarray(0, end),
    rateE18: sorted.rateE18.subarray(0, end),
    markPx: sorted.markPx.subarray(0, end),
  }
}

/** Months may come in any order. */
function reordered({ tsMs, rateE18, markPx }: FundingSeries): FundingSeries {
  const order = Array.from(tsMs.keys()).sort((a, b) => tsMs[a]! - tsMs[b]! || a - b)
  const pick = (column: Float64Array) => Float64Array.from(order, (row) => column[row]!)
  return { tsMs: pick(tsMs), rateE18: BigInt64Array.from(order, (row) => rateE18[row]!), markPx: pick(markPx) }
}

function assertNotEmpty({ symbols, rejected }: Universe): void {
  if (symbols.length > 0) return
  const why = rejected.slice(0, 3).map(({ symbol, reason }) => `${symbol}: ${reason}`)
  throw new Fault({
    code: 'failed',
    what: `the universe has no symbol${why.length === 0 ? '' : ` (${rejected.length} rejected, such as ${why.join('; ')})`}`,
    where: 'universe',
    todo: 'name symbols the venue lists, or ask for less volume or a lower age',
  })
}

function assertCovered(minutes: readonly BarRows[], { fromMs, toMs, intervalMs }: BacktestInputOptions): void {
  let firstMs = Number.POSITIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  for (const { rowCount, columns } of minutes) {
    if (rowCount === 0) continue
    firstMs = Math.min(firstMs, columns.openTsMs[0]!)
    lastMs = Math.max(lastMs, columns.openTsMs[rowCount - 1]!)
  }
  if (firstMs < toMs && lastMs >= fromMs) return
  const there =
    lastMs < firstMs
      ? 'there are none at all'
      : `there are bars from ${formatUtc(firstMs)} to ${formatUtc(lastMs + intervalMs)}`
  throw new Fault({
    code: 'failed',
    what: `no symbol has a bar from ${formatUtc(fromMs)} to ${formatUtc(toMs)}; ${there}`,
    where: 'backtest.range',
    todo: 'choose days for which there are bars, or ingest these',
  })
}

/** A table is of one symbol. */
function bySymbol<T extends BarRows | Funding>(tables: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const table of tables) {
    if (table.rowCount === 0) continue
    const symbol = table.columns.symbol[0]!
    const group = groups.get(symbol)
    if (group === undefined) groups.set(symbol, [table])
    else group.push(table)
  }
  return groups
}
