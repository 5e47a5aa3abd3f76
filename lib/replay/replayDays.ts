import { createHash } from 'node:crypto'
import { type ChainHash, Replay, type ReplayBlock } from '../backtest/replay.ts'
import type { ReplayStream } from '../backtest/replayStream.ts'
import { lowerBound } from '../minute/bars.ts'
import { openAll, readersBySymbol, type StoredTable } from '../minute/pieces.ts'
import { minuteTable } from '../tables/minute.ts'
import { tradeTable } from '../tables/trades.ts'
import { DAY_MS, type Day, dayOf } from '../time.ts'
import { type SparseEvents, sparseStreams } from './sparseEvents.ts'
import { BarDays, type MinuteReader, TradeDays, type TradeReader } from './symbolDays.ts'

export interface ReplaySources extends SparseEvents {
  readonly minutes: readonly StoredTable[]
  readonly trades: readonly StoredTable[]
}

/** The same with every table opened, once and for all, and told apart by its symbol. */
export interface OpenedSources extends SparseEvents {
  readonly minutes: ReadonlyMap<string, readonly MinuteReader[]>
  readonly trades: ReadonlyMap<string, readonly TradeReader[]>
  /** Every symbol that anything is known of, sorted. */
  readonly symbols: readonly string[]
}

export interface ReplayRange {
  /** Whole UTC days: instants from `fromMs` on and before `toMs`. */
  readonly fromMs: number
  readonly toMs: number
  readonly intervalMs: number
}

/** One UTC day of events in their order, and the digest of everything up to its end. */
export interface ReplayDay {
  readonly day: Day
  readonly streams: readonly ReplayStream[]
  readonly blocks: readonly ReplayBlock[]
  readonly events: number
  readonly digest: string
  /** Where a later replay goes on: the digest of all days so far. */
  readonly chain: string
}

export function openSources(sources: ReplaySources): OpenedSources {
  const minutes = readersBySymbol(openAll(minuteTable, sources.minutes))
  const trades = readersBySymbol(openAll(tradeTable, sources.trades))
  const named = [...minutes.keys(), ...trades.keys(), ...sources.universe.flatMap(({ symbols }) => symbols)]
  return { ...sources, minutes, trades, symbols: [...new Set(named)].sort() }
}

const sha256: ChainHash = (previous, block) => createHash('sha256').update(previous).update(block).digest()

/** What the first day is chained to. */
export const emptyChain = (): string => createHash('sha256').update('tickpipe replay 1').digest('hex')

/**
 * Merges everything there is into one order, a UTC day at a time: memory does not grow with the range. The order in which
 * symbols and tables are listed is nothing to it. With the chain of the days before, it goes on from them.
 */
export function* replayDays(
  sources: OpenedSources,
  { fromMs, toMs, intervalMs }: ReplayRange,
  chainBefore?: string,
): Generator<ReplayDay> {
  const { minutes, trades, symbols } = sources
  const bars = [...minutes].map(([symbol, tables]) => new BarDays(symbol, tables, intervalMs, fromMs))
  const ticks = [...trades].map(([symbol, tables]) => new TradeDays(symbol, tables, fromMs))
  const isFirst = chainBefore === undefined
  const sparse = symbols
    .flatMap((symbol) => sparseStreams(symbol, sources))
    .map((stream) => (isFirst ? fromState(stream, fromMs) : stream))
  let chain = chainBefore ?? emptyChain()
  for (let dayTsMs = fromMs; dayTsMs < toMs; dayTsMs += DAY_MS) {
    const day = dayOf(dayTsMs)
    const streams = [
      ...bars.flatMap((one) => one.streams(dayTsMs)),
      ...ticks.flatMap((one) => one.streams(dayTsMs)),
      ...sparse.map((stream) => within(stream, dayTsMs, dayTsMs + DAY_MS)),
    ].filter(({ knownAtMs }) => knownAtMs.length > 0)
    const replay = new Replay(streams, sha256)
    const blocks: ReplayBlock[] = []
    for (let block = replay.next(); block !== undefined; block = replay.next()) blocks.push(block)
    const digest = Buffer.from(replay.digest).toString('hex')
    chain = createHash('sha256')
      .update(Buffer.from(chain, 'hex'))
      .update(day)
      .update(Buffer.from(digest, 'hex'))
      .digest('hex')
    yield { day, streams: replay.streams, blocks, events: replay.events, digest, chain }
  }
}

/** What held when the replay begins is an event of its first instant, as far as that is not 0. */
function fromState(stream: ReplayStream, fromMs: number): ReplayStream {
  const before = lowerBound(stream.knownAtMs, fromMs)
  const [values] = Object.values(stream.columns)
  if (stream.class !== 'universe' || before === 0 || stream.knownAtMs[before] === fromMs || values![before - 1] === 0) {
    return stream
  }
  const knownAtMs = stream.knownAtMs.slice()
  knownAtMs[before - 1] = fromMs
  return { ...stream, knownAtMs }
}

function within(stream: ReplayStream, fromMs: number, toMs: number): ReplayStream {
  const from = lowerBound(stream.knownAtMs, fromMs)
  const to = lowerBound(stream.knownAtMs, toMs)
  const columns = Object.entries(stream.columns).map(([name, values]) => [name, values.subarray(from, to)])
  return { ...stream, knownAtMs: stream.knownAtMs.subarray(from, to), columns: Object.fromEntries(columns) }
}
