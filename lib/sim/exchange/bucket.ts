import { createHash } from 'node:crypto'
import { DAY_MS, formatUtc } from '../../time.ts'
import { csvPieces } from '../archive/csv.ts'
import { type ArchiveFile, fileStem, isPublished, parseKey, publishedTsMs } from '../archive/keys.ts'
import { type ListView, listingXml, listQueryOf } from '../archive/listing.ts'
import type { TextPiece } from '../archive/textPiece.ts'
import { inOneGo, zipSteps } from '../archive/zip.ts'
import type { FaultState } from '../faults/plan.ts'
import { spoiledCsv } from '../faults/rows.ts'
import type { Market } from '../market.ts'
import { recentCache } from '../recentCache.ts'

/** The archive bucket: files by key, their checksums, and listings. */
export type Bucket = {
  /** A zip or a checksum file; undefined is a 404. */
  get(key: string): { body: Uint8Array; contentType: string; lastModifiedTsMs: number } | undefined
  /** Makes the file `get` will be asked for, or asked the checksum of, a day of it at each step. */
  prepare(key: string): Iterable<void>
  list(query: URLSearchParams): string
}

const ZIP_BYTES_KEPT = 96 * 1024 * 1024
const STALE_LISTING_MS = 45 * DAY_MS
const ROWS_OF_FIRST_EDITION_LACKING = 3

export function createBucket(market: Market, faults: FaultState): Bucket {
  const cached = recentCache<Uint8Array>(ZIP_BYTES_KEPT, (zip) => zip.length)
  // Small enough to keep for good: a client that asks for all checksums first must not make every file twice.
  const checksums = new Map<string, string>()
  const downloads = new Map<string, number>()

  const isMissing = (key: string) => faults.holds('missingFile', `/${key}`) !== undefined

  /** 0 while the first edition of a file that will be published again is being served, 1 ever after. */
  const edition = (key: string): 0 | 1 => {
    const rule = faults.holds('republished', `/${key}`)
    if (rule === undefined) return 1
    return (downloads.get(key) ?? 0) < (rule.times ?? 1) ? 0 : 1
  }

  const isThere = (key: string, file: ArchiveFile | undefined): file is ArchiveFile =>
    file !== undefined && isPublished(market, file) && !isMissing(key)

  const nameOf = (key: string) => `${key}#${edition(key)}`

  const zipInSteps = (key: string, file: ArchiveFile): Generator<void, Uint8Array> => {
    const instrument = market.find(file.market, file.symbol)!
    const pieces = () => csvPieces(market, instrument, file)
    const whole = spoiledCsv(faults, `/${key}`, file, pieces()) ?? pieces()
    return zipSteps(`${fileStem(file)}.csv`, edition(key) === 0 ? withoutLastRows(whole) : whole)
  }

  const zipAt = (key: string, file: ArchiveFile): Uint8Array =>
    cached(nameOf(key), () => inOneGo(zipInSteps(key, file)))

  const checksumOf = (key: string, file: ArchiveFile): string => {
    const name = nameOf(key)
    const known = checksums.get(name) ?? sha256(zipAt(key, file))
    checksums.set(name, known)
    return known
  }

  return {
    get(key) {
      const zipKey = zipKeyOf(key)
      const isChecksum = zipKey !== key
      const file = parseKey(zipKey)
      if (!isThere(zipKey, file)) return undefined
      const lastModifiedTsMs = publishedTsMs(file)
      if (!isChecksum) {
        const body = zipAt(zipKey, file)
        downloads.set(zipKey, (downloads.get(zipKey) ?? 0) + 1)
        return { body, contentType: 'application/zip', lastModifiedTsMs }
      }
      const isWrong = faults.holds('wrongChecksum', `/${zipKey}`) !== undefined
      const hash = isWrong ? sha256(Buffer.from('other bytes')) : checksumOf(zipKey, file)
      return {
        body: Buffer.from(`${hash}  ${fileStem(file)}.zip\n`),
        contentType: 'binary/octet-stream',
        lastModifiedTsMs,
      }
    },
    *prepare(key) {
      const zipKey = zipKeyOf(key)
      const file = parseKey(zipKey)
      if (!isThere(zipKey, file)) return
      const name = nameOf(zipKey)
      if (cached.has(name) || (zipKey !== key && checksums.has(name))) return
      const zip = yield* zipInSteps(zipKey, file)
      cached(name, () => zip)
    },
    list(query) {
      const asked = listQueryOf(query)
      const isStale = faults.holds('staleListing', `/${asked.prefix}`) !== undefined
      const view: ListView = {
        hides: (file, key) => isMissing(key) || (isStale && publishedTsMs(file) > market.nowTsMs - STALE_LISTING_MS),
        revision: (key) => (faults.holds('republished', `/${key}`) === undefined ? 0 : edition(key)),
      }
      return listingXml(market, asked, view)
    },
  }
}

const zipKeyOf = (key: string): string => (key.endsWith('.CHECKSUM') ? key.slice(0, -'.CHECKSUM'.length) : key)

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

function withoutLastRows(pieces: Iterable<TextPiece>): TextPiece[] {
  const text = Buffer.concat(Array.from(pieces, ({ bytes }) => Buffer.from(bytes)))
  let end = text.length
  for (let row = 0; row < ROWS_OF_FIRST_EDITION_LACKING && end > 0; row++) end = text.lastIndexOf(10, end - 2) + 1
  return [{ bytes: text.subarray(0, end) }]
}

export function noSuchKey(key: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>${key.replace(/[<&>]/g, '')}</Key></Error>`
}

const weekdays = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As HTTP writes dates: `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function httpDate(tsMs: number): string {
  const iso = formatUtc(tsMs)
  const day = weekdays[Math.floor(tsMs / DAY_MS) % 7]!
  return `${day}, ${iso.slice(8, 10)} ${months[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)} ${iso.slice(11, 19)} GMT`
}
