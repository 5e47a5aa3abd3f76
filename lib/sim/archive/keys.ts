import {
  DAY_MS,
  dayStart,
  type Interval,
  intervals,
  isDay,
  isMonth,
  monthStart,
  nextMonth,
  type TsMs,
} from '../../time.ts'
import type { MarketKind } from '../config.ts'
import { type Instrument, rowsEndTsMs } from '../instrument.ts'
import type { Market } from '../market.ts'

export type Frequency = 'daily' | 'monthly'

const candleKinds = ['klines', 'markPriceKlines', 'indexPriceKlines', 'premiumIndexKlines'] as const
export const archiveKinds = [...candleKinds, 'aggTrades', 'trades', 'metrics', 'fundingRate'] as const
export type ArchiveKind = (typeof archiveKinds)[number]

/** One zip of the bucket, by what it holds. */
export type ArchiveFile = {
  readonly market: MarketKind
  readonly frequency: Frequency
  readonly kind: ArchiveKind
  readonly symbol: string
  /** Present for candles. */
  readonly interval?: Interval
  /** `YYYY-MM-DD` in daily folders, `YYYY-MM` in monthly ones. */
  readonly period: string
}

/** Months are `1mo` here and `1M` in the API: the bucket's names survive file systems that fold case. */
export const intervalFolder = (interval: Interval): string => (interval === '1M' ? '1mo' : interval)
const intervalOfFolder = (folder: string): Interval | undefined =>
  intervals.find((one) => intervalFolder(one) === folder)

const marketFolder = (market: MarketKind): string => (market === 'spot' ? 'spot' : 'futures/um')

const isCandleKind = (kind: ArchiveKind): boolean => (candleKinds as readonly string[]).includes(kind)

export function fileStem({ symbol, kind, interval, period }: ArchiveFile): string {
  return `${symbol}-${interval === undefined ? kind : intervalFolder(interval)}-${period}`
}

function folderOf({ market, frequency, kind, symbol, interval }: Omit<ArchiveFile, 'period'>): string {
  const folder = `data/${marketFolder(market)}/${frequency}/${kind}/${symbol}/`
  return interval === undefined ? folder : `${folder}${intervalFolder(interval)}/`
}

export const keyOf = (file: ArchiveFile): string => `${folderOf(file)}${fileStem(file)}.zip`

/** The file a key names, or undefined where the bucket has no such place. */
export function parseKey(key: string): ArchiveFile | undefined {
  const match = /^data\/(spot|futures\/um)\/(daily|monthly)\/(\w+)\/(\w+)\/(?:(\w+)\/)?([^/]+)\.zip$/.exec(key)
  if (match === null) return undefined
  const kind = archiveKinds.find((one) => one === match[3])
  const interval = match[5] === undefined ? undefined : intervalOfFolder(match[5])
  if (kind === undefined || isCandleKind(kind) !== (interval !== undefined)) return undefined
  const file: ArchiveFile = {
    market: match[1] === 'spot' ? 'spot' : 'usdm',
    frequency: match[2] as Frequency,
    kind,
    symbol: match[4]!,
    ...(interval === undefined ? {} : { interval }),
    period: match[6]!.slice(match[6]!.length - (match[2] === 'daily' ? 10 : 7)),
  }
  const isPeriod = file.frequency === 'daily' ? isDay(file.period) : isMonth(file.period)
  return isPeriod && keyOf(file) === key ? file : undefined
}

export function periodOf({ frequency, period }: Pick<ArchiveFile, 'frequency' | 'period'>): {
  fromTsMs: TsMs
  toTsMs: TsMs
} {
  if (frequency === 'daily') return { fromTsMs: dayStart(period), toTsMs: dayStart(period) + DAY_MS }
  return { fromTsMs: monthStart(period), toTsMs: monthStart(nextMonth(period)) }
}

/** When the file appears: a day's at 08:00 of the next, a month's on the first Monday of the next. */
export function publishedTsMs(file: Pick<ArchiveFile, 'frequency' | 'period'>): TsMs {
  const { toTsMs } = periodOf(file)
  if (file.frequency === 'daily') return toTsMs + DAY_MS / 3
  const weekday = (Math.floor(toTsMs / DAY_MS) + 3) % 7 // 0 is Monday
  return toTsMs + ((7 - weekday) % 7) * DAY_MS + DAY_MS / 3
}

/** Kinds and intervals an instrument has folders for. */
export function hasFolder(
  instrument: Instrument,
  frequency: Frequency,
  kind: ArchiveKind,
  interval: Interval | undefined,
): boolean {
  const { market, contractType } = instrument.spec
  if (isCandleKind(kind) !== (interval !== undefined)) return false
  if (market === 'spot' && kind !== 'klines' && kind !== 'trades' && kind !== 'aggTrades') return false
  if (kind === 'metrics') return frequency === 'daily'
  if (kind === 'fundingRate') return frequency === 'monthly' && instrument.spec.funding.length > 0
  if (kind === 'premiumIndexKlines' && contractType === 'CURRENT_QUARTER') return false
  if (interval === '1s') return market === 'spot'
  const isLong = interval === '3d' || interval === '1w' || interval === '1M'
  return !(isLong && frequency === 'daily')
}

/** Whether the bucket holds the file now. */
export function isPublished(market: Market, file: ArchiveFile): boolean {
  const instrument = market.find(file.market, file.symbol)
  if (instrument === undefined || !hasFolder(instrument, file.frequency, file.kind, file.interval)) return false
  if (publishedTsMs(file) > market.nowTsMs) return false
  const { fromTsMs, toTsMs } = periodOf(file)
  if (fromTsMs < market.config.startTsMs && toTsMs <= market.config.startTsMs) return false
  return toTsMs > instrument.spec.onboardTsMs && fromTsMs < lastContentTsMs(instrument, file.kind)
}

/** Candles go on while the price is frozen; what needs traders ends with them. */
function lastContentTsMs(instrument: Instrument, kind: ArchiveKind): TsMs {
  return isCandleKind(kind) ? rowsEndTsMs(instrument.spec) : (instrument.spec.delistTsMs ?? Number.MAX_SAFE_INTEGER)
}
