import { Fault } from '../fault.ts'
import type { BodySink } from '../http/client.ts'
import { type ArchiveFile, archiveKey, archiveName } from './archiveKeys.ts'
import { type AskContext, ask, download, isNotFound, shownRequest, type VenueRequest } from './ask.ts'
import { isCutChecksum, parseChecksum } from './checksumFile.ts'
import type { VenueChoice } from './hosts.ts'
import { type ListedPage, parseListing } from './listing.ts'
import { wrongTries } from './wrongTries.ts'

/** Where a file of an artifact is written while it arrives. */
export type FileContext = AskContext & { openFile(name: string): BodySink }

/** More than any zip of its kind and period ever had, several times over: a body that does not end must not fill the disk. */
function zipBytesMax({ kind, interval, period }: ArchiveFile): number {
  if (kind === 'trades' || kind === 'aggTrades') return (period.length === 7 ? 32 : 4) * 2 ** 30
  if (kind === 'fundingRate' || kind === 'metrics') return 16 * 2 ** 20
  // A month of minutes has three megabytes; seconds are sixty times as many.
  return (interval === '1s' ? 1024 : 64) * 2 ** 20
}

/** Pages of a thousand names each: more than the whole archive has folders, or a folder has files. */
const listingPagesMax = 10_000

const whyNoZip = (begin: Uint8Array): string | undefined =>
  begin[0] === 0x50 && begin[1] === 0x4b ? undefined : 'no zip came for an archive, but something else'

const whyNoChecksum = (body: Uint8Array): string | undefined =>
  parseChecksum(body) === undefined ? 'no checksum came for a checksum file, but something else' : undefined

function whyNoListing(body: Uint8Array): string | undefined {
  try {
    parseListing(body)
    return undefined
  } catch (error) {
    if (error instanceof Fault) return error.what
    throw error
  }
}

/**
 * Fetches a zip and its checksum file into an artifact; undefined where the archive has no such file. The zip streams
 * into the store while it is hashed. Where the two disagree, both are fetched once more, for the file may have been
 * published anew in between. Where they still disagree both are kept as they are: it is the audit's to say.
 *
 * So are a zip that is empty and a checksum that is empty or cut off, where every try brings the same: the venue has published
 * them so, and others may serve the rows. Anything else in a zip's place, such as the page of a hotel's network, is not the
 * archive's answer, nor is what changes from try to try: it is asked again, and fails.
 */
export async function fetchArchiveFile(
  choice: VenueChoice,
  file: ArchiveFile,
  context: FileContext,
): Promise<readonly { name: string; bytes: Uint8Array }[] | undefined> {
  const path = `/${archiveKey(file)}`
  const name = archiveName(file)
  for (let round = 0; ; round++) {
    const checksum = await checksumAt(choice, `${path}.CHECKSUM`, context)
    if (checksum === undefined) return undefined
    const stated = parseChecksum(checksum)
    const zip = await zipAt(choice, path, file, context)
    const { sha256, sizeBytes, isEmpty } = zip
    const isRight = stated?.sha256 === sha256
    const isBroken = stated === undefined || isEmpty
    if (!isRight && !isBroken && round === 0) continue
    if (stated === undefined && isEmpty) await assertOthersAreAbsent(choice, path, context)
    zip.finish()
    context.note({
      key: archiveKey(file),
      sha256,
      sizeBytes,
      checksum: isRight ? 'right' : 'wrong',
      rounds: round + 1,
    })
    return [{ name: `${name}.CHECKSUM`, bytes: checksum }]
  }
}

/** A checksum file, or what the venue has published in its place. */
async function checksumAt(choice: VenueChoice, path: string, context: AskContext): Promise<Uint8Array | undefined> {
  const tries = wrongTries(whyNoChecksum)
  try {
    const request = { host: 'archive', path, expects: 'bytes', sizeBytesMax: 4096, whyWrong: tries.whyWrong } as const
    return (await ask(choice, request, context)).body
  } catch (error) {
    if (isNotFound(error)) return undefined
    const alike = tries.alike(error)
    if (alike !== undefined && isCutChecksum(alike)) return alike
    throw error
  }
}

/** A zip on its way into the artifact. */
async function zipAt(choice: VenueChoice, path: string, file: ArchiveFile, context: FileContext) {
  let writer: BodySink | undefined
  const fetched = (whyWrong: (begin: Uint8Array) => string | undefined) =>
    download(
      choice,
      { host: 'archive', path, expects: 'bytes', sizeBytesMax: zipBytesMax(file), whyWrong },
      context,
      () => {
        const opened = context.openFile(archiveName(file))
        writer = opened
        // The file becomes part of the artifact only once it is known to be the one that stays.
        return { write: (chunk) => opened.write(chunk), finish: () => {} }
      },
    )
  const finish = () => writer!.finish()
  const tries = wrongTries(whyNoZip)
  try {
    return { ...(await fetched(tries.whyWrong)), isEmpty: false, finish }
  } catch (error) {
    const alike = tries.alike(error)
    if (alike?.length !== 0) throw error
    const taken = await fetched((begin) => (begin.length === 0 ? undefined : 'what is there instead of a zip changes'))
    return { ...taken, isEmpty: true, finish }
  }
}

/** Where neither a checksum nor a zip came, whoever answered may answer everything so. The archive knows what it has not. */
async function assertOthersAreAbsent(choice: VenueChoice, path: string, context: AskContext): Promise<void> {
  const request: VenueRequest = { host: 'archive', path: `${path}.none`, expects: 'bytes' }
  try {
    await ask(choice, request, context)
  } catch (error) {
    if (isNotFound(error)) return
    throw error
  }
  throw new Fault({
    code: 'failed',
    what: 'neither a zip nor a checksum came, and even a file that nobody has is answered',
    where: shownRequest(choice, request),
    todo: 'check the network and the base URL of the archive in the config, then run the same command again',
  })
}

/** All pages of a folder's listing, as they came. Each has to begin behind the one before it. */
export async function fetchListing(
  choice: VenueChoice,
  prefix: string,
  context: AskContext,
): Promise<readonly { name: string; bytes: Uint8Array }[]> {
  const pages: { name: string; bytes: Uint8Array }[] = []
  for (let marker = ''; ; ) {
    const path = `/?delimiter=/&prefix=${encodeURIComponent(prefix)}${marker === '' ? '' : `&marker=${encodeURIComponent(marker)}`}`
    const request: VenueRequest = { host: 'listing', path, expects: 'xml', whyWrong: whyNoListing }
    const { body } = await ask(choice, request, context)
    pages.push({ name: `page-${String(pages.length).padStart(4, '0')}.xml`, bytes: body })
    const { next }: ListedPage = parseListing(body)
    if (next === undefined) return pages
    if (next <= marker || pages.length >= listingPagesMax) {
      throw new Fault({
        code: 'failed',
        what:
          next <= marker
            ? `the listing does not move on: behind the marker ${JSON.stringify(marker)} it goes on at ${JSON.stringify(next)}`
            : `the listing does not end: it has ${pages.length} pages`,
        where: shownRequest(choice, request),
        todo: 'check the base URL of the listing in the config',
      })
    }
    marker = next
  }
}
