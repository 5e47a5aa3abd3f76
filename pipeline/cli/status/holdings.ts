import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import type { ArtifactDescriptor, ArtifactFile } from '../../../cas/artifact.ts'
import { objectPath } from '../../../cas/layout.ts'
import { Fault } from '../../../lib/fault.ts'
import type { StoredSpan } from '../../../lib/market/coverage/completeness.ts'
import type { Holdings, SeriesName } from '../../../lib/market/coverage/coverage.ts'
import type { Partition } from '../../../lib/market/plan/partitions.ts'
import { fundingTable } from '../../../lib/tables/funding.ts'
import { openAnyTable, openTable, type ReadAt } from '../../../lib/tables/parquet.ts'
import { DAY_MS, dayStart, isDay, isMonth, monthStart, nextMonth } from '../../../lib/time.ts'
import type { Digest, Store } from '../context.ts'
import { TypesByTask } from '../storedPlan.ts'
import type { FailedNode, LastPlan } from './lastPlans.ts'

type Market = SeriesName['market']

/** Tables of market data by their type, with the column that names a row's instant. Bars say themselves which they are. */
const tables: Readonly<Record<string, { dataSet?: string; market?: Market; time: string }>> = {
  klines: { time: 'openTsMs' },
  markKlines: { time: 'openTsMs' },
  indexKlines: { time: 'openTsMs' },
  premiumKlines: { time: 'openTsMs' },
  funding: { dataSet: 'funding', time: 'settledTsMs' },
  venueMetrics: { dataSet: 'metrics', time: 'fromTsMs' },
  openInterest: { dataSet: 'openInterest', time: 'tsMs' },
  takerVolume: { dataSet: 'takerVolume', time: 'tsMs' },
  trades: { dataSet: 'trades', time: 'tsMs' },
  aggTrades: { dataSet: 'aggTrades', time: 'tsMs' },
  spotTrades: { dataSet: 'trades', market: 'spot', time: 'tsUs' },
  spotAggTrades: { dataSet: 'aggTrades', market: 'spot', time: 'tsUs' },
}

/** As much of a task's params as says which rows it is about. */
interface Params {
  readonly symbol?: string
  readonly market?: Market
  readonly kind?: string
  readonly interval?: string
  readonly fromTsMs?: number
  readonly toTsMs?: number
  readonly closedBeforeTsMs?: number
  readonly period?: string
  readonly slice?: { readonly fromTsMs: number; readonly toTsMs: number }
}

/** What is stored of a plan, found by what tables are and what their tasks were asked, whatever their names. Nothing is
 *  opened but descriptors, until somebody asks for a table's times. */
export function holdingsOf(store: Store, { nodes, failures }: LastPlan): Holdings {
  const types = new TypesByTask(store)
  const newest = new Map<string, { artifact: Digest; params: Params; time: string }>()
  const markets = new Map<string, Set<Market>>()
  for (const node of nodes) {
    const params = (node.params ?? {}) as Params
    if (params.symbol === undefined || params.fromTsMs === undefined || params.toTsMs === undefined) continue
    const table = tables[types.of(node) ?? '']
    if (table === undefined) continue
    const dataSet = table.dataSet ?? params.kind ?? 'klines'
    const market = table.market ?? params.market ?? 'usdm'
    markets.set(dataSet, (markets.get(dataSet) ?? new Set()).add(market))
    const id = idOf({ dataSet, market, symbol: params.symbol, interval: params.interval }, params)
    const known = newest.get(id)
    // Of an open partition the latest look counts; a closed one is later than any.
    if (known !== undefined && lookOf(known.params) > lookOf(params)) continue
    newest.set(id, { artifact: node.artifact, params, time: table.time })
  }
  return {
    stored(series, partition) {
      const found = newest.get(idOf(series, partition))
      if (found === undefined) return undefined
      return storedSpan(store, found.artifact, found.params.closedBeforeTsMs, found.time)
    },
    failureOf: (series, partition) => failures.find((failed) => isAbout(failed, series, partition))?.message,
    tradeMarkets: (dataSet) => [...(markets.get(dataSet) ?? ['usdm' as const])],
  }
}

const lookOf = ({ closedBeforeTsMs }: { readonly closedBeforeTsMs?: number | undefined }): number =>
  closedBeforeTsMs ?? Number.POSITIVE_INFINITY

const idOf = (
  { dataSet, market, symbol, interval = '' }: Omit<SeriesName, 'interval'> & { readonly interval?: string | undefined },
  { fromTsMs, toTsMs }: { readonly fromTsMs?: number; readonly toTsMs?: number },
): string => `${dataSet},${market},${symbol},${interval},${fromTsMs},${toTsMs}`

function storedSpan(
  store: Store,
  artifact: Digest,
  closedBeforeTsMs: number | undefined,
  time: string,
): StoredSpan | undefined {
  const file = firstFile(store, artifact)
  if (file?.rows === undefined) return undefined
  const { digest, sizeBytes, rows } = file
  return {
    rows,
    closedBeforeTsMs,
    times: () =>
      withFile(store, digest, (readAt) => {
        const table = openAnyTable({ sizeBytes, readAt }).read({ columns: [time] })
        return table.columns[time] as unknown as Float64Array
      }),
    settlements: () =>
      withFile(
        store,
        digest,
        (readAt) =>
          openTable(fundingTable, { sizeBytes, readAt }).read({ columns: ['settledTsMs', 'intervalHours'] }).columns,
      ),
  }
}

/** Asked for thousands of tables, and only for a count: what `verify` does with each byte is not done here. */
function firstFile(store: Store, artifact: Digest): ArtifactFile | undefined {
  try {
    const { files } = JSON.parse(readFileSync(objectPath(store.objectsDir, artifact), 'utf8')) as ArtifactDescriptor
    return files[0]
  } catch {
    // Gone or damaged: a run will make it again.
    return undefined
  }
}

function withFile<T>(store: Store, digest: Digest, read: (readAt: ReadAt) => T): T | undefined {
  const path = store.locate(digest)
  if (path === undefined) return undefined
  const fd = openSync(path, 'r')
  try {
    return read((offset, length) => {
      const bytes = new Uint8Array(length)
      readSync(fd, bytes, 0, length, offset)
      return bytes
    })
  } catch (error) {
    if (error instanceof Fault) return undefined // damaged, or of another form: "pipe verify" says which
    throw error
  } finally {
    closeSync(fd)
  }
}

const dataSets = ['funding', 'metrics', 'openInterest', 'takerVolume', 'aggTrades', 'trades']

/** Whether a node that failed stood between a partition and its rows. */
function isAbout({ task, params }: FailedNode, series: SeriesName, partition: Partition): boolean {
  const failed = (params ?? {}) as Params
  if (failed.symbol !== partition.symbol) return false
  if (failed.interval !== undefined || series.interval !== undefined) {
    const isSame = failed.interval === series.interval && (failed.kind ?? 'klines') === series.dataSet
    if (!isSame || (failed.market ?? 'usdm') !== series.market) return false
  } else {
    // Nothing but its name says what a source without an answer would have given.
    const name = task.toLowerCase()
    if (dataSets.find((dataSet) => name.includes(dataSet.toLowerCase())) !== series.dataSet) return false
    if ((series.market === 'spot') !== name.includes('spot')) return false
  }
  const span = spanOf(failed)
  return span === undefined || (span.fromTsMs < partition.toTsMs && partition.fromTsMs < span.toTsMs)
}

function spanOf({ fromTsMs, toTsMs, slice, period }: Params): { fromTsMs: number; toTsMs: number } | undefined {
  if (slice !== undefined) return slice
  if (fromTsMs !== undefined && toTsMs !== undefined) return { fromTsMs, toTsMs }
  if (period === undefined) return undefined
  if (isDay(period)) return { fromTsMs: dayStart(period), toTsMs: dayStart(period) + DAY_MS }
  if (isMonth(period)) return { fromTsMs: monthStart(period), toTsMs: monthStart(nextMonth(period)) }
  return undefined
}
