import type { Interval } from '../time.ts'
import type { BarKind } from './usdm.ts'

export type ArchiveMarket = 'usdm' | 'spot'
export type ArchiveKind = BarKind | 'trades' | 'aggTrades' | 'metrics' | 'fundingRate'

/** One file of the archive. A period of ten characters is a day, one of seven a month. */
export type ArchiveFile = {
  readonly market: ArchiveMarket
  readonly kind: ArchiveKind
  readonly symbol: string
  readonly interval?: Interval
  readonly period: string
}

/** Months are `1mo` here and `1M` in the API. */
const intervalFolder = (interval: Interval): string => (interval === '1M' ? '1mo' : interval)

function archiveFolder({ market, kind, symbol, interval, period }: ArchiveFile): string {
  const root = market === 'spot' ? 'data/spot' : 'data/futures/um'
  const frequency = period.length === 7 ? 'monthly' : 'daily'
  const folder = `${root}/${frequency}/${kind}/${symbol}/`
  return interval === undefined ? folder : `${folder}${intervalFolder(interval)}/`
}

/** Mark, index, premium and trade bars share their file names: only the folder tells them apart. */
export function archiveName({ kind, symbol, interval, period }: ArchiveFile): string {
  return `${symbol}-${interval === undefined ? kind : intervalFolder(interval)}-${period}.zip`
}

export const archiveKey = (file: ArchiveFile): string => archiveFolder(file) + archiveName(file)
