import type { BodySink } from '../http/client.ts'
import { type ArchiveFile, archiveKey, archiveName } from './archiveKeys.ts'
import { type AskContext, ask, download, isNotFound } from './ask.ts'
import { parseChecksum } from './checksumFile.ts'
import type { VenueChoice } from './hosts.ts'
import { type ListedPage, parseListing } from './listing.ts'

/** Where a file of an artifact is written while it arrives. */
export type FileContext = AskContext & { openFile(name: string): BodySink }

/** The largest files of the archive are months of trades. */
const zipBytesMax = 32 * 2 ** 30

/**
 * Fetches a zip and its checksum file into an artifact; undefined where the archive has no such file. The zip streams
 * into the store while it is hashed. Where the two disagree, both are fetched once more, for the file may have been
 * published anew in between. Where they still disagree both are kept as they are: it is the audit's to say.
 */
export async function fetchArchiveFile(
  choice: VenueChoice,
  file: ArchiveFile,
  context: FileContext,
): Promise<readonly { name: string; bytes: Uint8Array }[] | undefined> {
  const path = `/${archiveKey(file)}`
  const name = archiveName(file)
  for (let round = 0; ; round++) {
    const checksum = await bytesAt(choice, `${path}.CHECKSUM`, context)
    if (checksum === undefined) return undefined
    let writer: BodySink | undefined
    const open = (): BodySink => {
      const opened = context.openFile(name)
      writer = opened
      // The file becomes part of the artifact only once it is known to be the one that stays.
      return { write: (chunk) => opened.write(chunk), finish: () => {} }
    }
    const { sha256, sizeBytes } = await download(
      choice,
      { host: 'archive', path, expects: 'bytes', sizeBytesMax: zipBytesMax },
      context,
      open,
    )
    const isRight = parseChecksum(checksum)?.sha256 === sha256
    if (!isRight && round === 0) continue
    writer!.finish()
    context.note({ key: archiveKey(file), sha256, sizeBytes, checksum: isRight ? 'right' : 'wrong', rounds: round + 1 })
    return [{ name: `${name}.CHECKSUM`, bytes: checksum }]
  }
}

async function bytesAt(choice: VenueChoice, path: string, context: AskContext): Promise<Uint8Array | undefined> {
  try {
    return (await ask(choice, { host: 'archive', path, expects: 'bytes', sizeBytesMax: 4096 }, context)).body
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** All pages of a folder's listing, as they came. */
export async function fetchListing(
  choice: VenueChoice,
  prefix: string,
  context: AskContext,
): Promise<readonly { name: string; bytes: Uint8Array }[]> {
  const pages: { name: string; bytes: Uint8Array }[] = []
  for (let marker = ''; ; ) {
    const path = `/?delimiter=/&prefix=${encodeURIComponent(prefix)}${marker === '' ? '' : `&marker=${encodeURIComponent(marker)}`}`
    const { body } = await ask(choice, { host: 'listing', path, expects: 'xml' }, context)
    pages.push({ name: `page-${String(pages.length).padStart(4, '0')}.xml`, bytes: body })
    const page: ListedPage = parseListing(body)
    if (page.next === undefined) return pages
    marker = page.next
  }
}
