import { DAY_MS, dayOf, formatUtc, intervals, monthOf, monthStart, nextMonth, type TsMs } from '../../time.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import {
  type ArchiveFile,
  archiveKinds,
  type Frequency,
  fileStem,
  hasFolder,
  intervalFolder,
  isPublished,
  keyOf,
  publishedTsMs,
} from './keys.ts'

/** What a listing asks for. Version 2 pages by token and `startAfter`, version 1 by marker. */
export type ListQuery = {
  readonly version: 1 | 2
  readonly prefix: string
  readonly delimiter: string
  readonly after: string
  readonly maxKeys: number
}

/** Says which published files a listing leaves out, and how each one's tag reads: faults live here. */
export type ListView = {
  hides(file: ArchiveFile, key: string): boolean
  revision(key: string): number
}

type ListedKey = { readonly key: string; readonly file: ArchiveFile }

/** Everything the bucket holds, as a tree: sub-folders (with their '/') and keys of a folder, in byte order. */
function childrenOf(market: Market, folder: string): { folders: string[]; files: ArchiveFile[] } {
  const parts = folder.split('/').slice(0, -1)
  const distinct = (names: Iterable<string>) => ({ folders: [...new Set(names)].sort(), files: [] })
  if (folder === '') return distinct(['data/'])
  if (folder === 'data/') return distinct(['futures/', 'spot/'])
  if (folder === 'data/futures/') return distinct(['um/'])
  const isSpot = parts[1] === 'spot'
  if (!isSpot && !(parts[1] === 'futures' && parts[2] === 'um')) return { folders: [], files: [] }
  const rest = parts.slice(isSpot ? 2 : 3)
  if (rest.length === 0) return distinct(['daily/', 'monthly/'])
  const frequency = rest[0] as Frequency
  if (frequency !== 'daily' && frequency !== 'monthly') return { folders: [], files: [] }
  const withRows = market.instruments.filter(
    (one) => (one.spec.market === 'spot') === isSpot && hasAnyFile(market, one),
  )
  if (rest.length === 1) {
    return distinct(
      archiveKinds
        .filter((kind) => withRows.some((one) => intervalsOf(one, frequency, kind).length > 0))
        .map((kind) => `${kind}/`),
    )
  }
  const kind = archiveKinds.find((one) => one === rest[1])
  if (kind === undefined) return { folders: [], files: [] }
  if (rest.length === 2) {
    return distinct(
      withRows.filter((one) => intervalsOf(one, frequency, kind).length > 0).map(({ spec }) => `${spec.symbol}/`),
    )
  }
  const instrument = withRows.find(({ spec }) => spec.symbol === rest[2])
  if (instrument === undefined) return { folders: [], files: [] }
  const choices = intervalsOf(instrument, frequency, kind)
  if (rest.length === 3 && choices[0] !== undefined) return distinct(choices.map((one) => `${intervalFolder(one!)}/`))
  const interval = choices.find((one) => (one === undefined ? rest.length === 3 : intervalFolder(one) === rest[3]))
  if (!choices.includes(interval) || rest.length > (interval === undefined ? 3 : 4)) return { folders: [], files: [] }
  const { symbol, market: kindOfMarket } = instrument.spec
  const files: ArchiveFile[] = []
  const first = Math.max(market.config.startTsMs, instrument.spec.onboardTsMs)
  for (let tsMs = first; tsMs <= market.nowTsMs; tsMs = nextPeriod(tsMs, frequency)) {
    const period = frequency === 'daily' ? dayOf(tsMs) : monthOf(tsMs)
    const file = { market: kindOfMarket, frequency, kind, symbol, ...(interval ? { interval } : {}), period }
    if (isPublished(market, file)) files.push(file)
  }
  return { folders: [], files }
}

const nextPeriod = (tsMs: TsMs, frequency: Frequency): TsMs =>
  frequency === 'daily' ? tsMs + DAY_MS : monthStart(nextMonth(monthOf(tsMs)))

const hasAnyFile = (market: Market, { spec }: Instrument): boolean => spec.onboardTsMs + DAY_MS <= market.nowTsMs

/** Interval folders of a kind; [undefined] where the kind has files and no intervals. */
function intervalsOf(instrument: Instrument, frequency: Frequency, kind: ArchiveFile['kind']) {
  return [undefined, ...intervals].filter((interval) => hasFolder(instrument, frequency, kind, interval))
}

type Entry = { readonly prefix: string } | ListedKey

/** Keys and common prefixes after `query.after`, in byte order, made one at a time. */
function* entries(market: Market, folder: string, query: ListQuery, view: ListView): Generator<Entry> {
  const { prefix, delimiter, after } = query
  // A folder matters if keys in it can start with the prefix and come after the marker.
  const reaches = (path: string) =>
    (path.startsWith(prefix) || prefix.startsWith(path)) && (path > after || after.startsWith(path))
  const { folders, files } = childrenOf(market, folder)
  for (const name of folders) {
    const path = folder + name
    if (!reaches(path)) continue
    const cut = delimiter === '' || !path.startsWith(prefix) ? -1 : path.indexOf(delimiter, prefix.length)
    if (cut >= 0) {
      const common = path.slice(0, cut + delimiter.length)
      if (common > after) yield { prefix: common }
    } else {
      yield* entries(market, path, query, view)
    }
  }
  for (const file of files) {
    const zip = keyOf(file)
    if (view.hides(file, zip)) continue
    for (const key of [zip, `${zip}.CHECKSUM`]) {
      if (key.startsWith(prefix) && key > after) yield { key, file }
    }
  }
}

/** The listing's XML as S3 writes it. Sizes are estimates: the exact ones would cost making every file. */
export function listingXml(market: Market, query: ListQuery, view: ListView): string {
  const keys: ListedKey[] = []
  const prefixes: string[] = []
  let isTruncated = false
  let last = ''
  for (const entry of entries(market, '', query, view)) {
    if (keys.length + prefixes.length === query.maxKeys) {
      isTruncated = true
      break
    }
    if ('prefix' in entry) {
      prefixes.push(entry.prefix)
      last = entry.prefix
    } else {
      keys.push(entry)
      last = entry.key
    }
  }
  const paging =
    query.version === 1
      ? `<Marker>${xmlText(query.after)}</Marker>${
          isTruncated && query.delimiter !== '' ? `<NextMarker>${xmlText(last)}</NextMarker>` : ''
        }`
      : `<KeyCount>${keys.length + prefixes.length}</KeyCount>${
          isTruncated ? `<NextContinuationToken>${tokenOf(last)}</NextContinuationToken>` : ''
        }`
  const delimiter = query.delimiter === '' ? '' : `<Delimiter>${xmlText(query.delimiter)}</Delimiter>`
  const contents = keys.map(({ key, file }) => contentsXml(key, file, view.revision(key))).join('')
  const common = prefixes.map((one) => `<CommonPrefixes><Prefix>${xmlText(one)}</Prefix></CommonPrefixes>`).join('')
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>data.binance.vision</Name><Prefix>${xmlText(query.prefix)}</Prefix>${paging}<MaxKeys>${query.maxKeys}</MaxKeys>${delimiter}<IsTruncated>${isTruncated}</IsTruncated>${contents}${common}</ListBucketResult>`
}

function contentsXml(key: string, file: ArchiveFile, revision: number): string {
  const published = publishedTsMs(file) + revision * 30 * DAY_MS
  const isChecksum = key.endsWith('.CHECKSUM')
  const size = isChecksum ? fileStem(file).length + 71 : estimatedBytes(file)
  const tag = `${hash32(`${key}#${revision}`, 1)}${hash32(`${key}#${revision}`, 2)}${hash32(key, 3)}${hash32(key, 4)}`
  return `<Contents><Key>${xmlText(key)}</Key><LastModified>${formatUtc(published)}</LastModified><ETag>&quot;${tag}&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`
}

function estimatedBytes(file: ArchiveFile): number {
  const days = file.frequency === 'daily' ? 1 : 30
  if (file.kind === 'fundingRate') return 900
  if (file.kind === 'metrics') return 10_500
  if (file.interval === undefined) return days * 400_000
  const minutes = file.interval === '1s' ? 1 / 60 : file.interval === '1M' ? 43_200 : minutesOf(file.interval)
  return 250 + Math.ceil((days * 1440) / minutes) * 36
}

const unitMinutes: Record<string, number> = { m: 1, h: 60, d: 1440, w: 10_080 }
const minutesOf = (interval: string): number => Number(interval.slice(0, -1)) * unitMinutes[interval.at(-1)!]!

function hash32(text: string, salt: number): string {
  let h = Math.imul(salt, 0x9e3779b1)
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return ((h ^ (h >>> 15)) >>> 0).toString(16).padStart(8, '0')
}

const xmlText = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A token says where to go on, in a form no client should read. */
const tokenOf = (key: string): string => Buffer.from(key).toString('base64url')
const keyOfToken = (token: string): string => Buffer.from(token, 'base64url').toString()

export function listQueryOf(query: URLSearchParams): ListQuery {
  const version = query.get('list-type') === '2' ? 2 : 1
  const token = query.get('continuation-token')
  const after = version === 1 ? query.get('marker') : token === null ? query.get('start-after') : keyOfToken(token)
  const asked = Number(query.get('max-keys') ?? 1000)
  return {
    version,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after: after ?? '',
    maxKeys: Number.isInteger(asked) && asked >= 0 ? Math.min(asked, 1000) : 1000,
  }
}
