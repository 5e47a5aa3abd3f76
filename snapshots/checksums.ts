import { type Digest, isDigest } from '../cas/digest.ts'
import { objectPath } from '../cas/layout.ts'
import { Fault } from '../lib/fault.ts'

/** One line that `sha256sum -c` checks. The path is relative to the snapshot's folder. */
export interface Checksum {
  readonly digest: Digest
  readonly path: string
}

/** From `<root>/snapshots/<name>` to the objects of the same root. */
const objectsFromSnapshot = '../../objects'

export const objectChecksum = (digest: Digest): Checksum => ({
  digest,
  path: objectPath(objectsFromSnapshot, digest),
})

export const isObjectPath = (path: string): boolean => path.startsWith(`${objectsFromSnapshot}/`)

/** The text that GNU `sha256sum` writes and checks, sorted by path. None of our paths needs its escapes. */
export function renderChecksums(checksums: readonly Checksum[]): string {
  const sorted = [...checksums].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return sorted.map(({ digest, path }) => `${digest}  ${path}\n`).join('')
}

const line = /^([0-9a-f]{64}) {2}((?:\.\.\/\.\.\/objects\/[0-9a-f]{2}\/[0-9a-f]{62})|(?:[a-z]+\.json))$/

/** Reads only what `renderChecksums` writes: known paths, sorted, each once, an object under its own digest. */
export function parseChecksums(text: string, where: string): Checksum[] {
  const wrong = (what: string): Fault =>
    new Fault({
      code: 'corrupt',
      what,
      where,
      todo: 'run "pipe verify" on the snapshot, and pin or import it again if the file is damaged',
    })
  if (text !== '' && !text.endsWith('\n')) throw wrong('the last line of this checksum list is cut off')
  const checksums: Checksum[] = []
  let before = ''
  for (const [index, entry] of text.split('\n').slice(0, -1).entries()) {
    const match = line.exec(entry)
    const digest = match?.[1]
    const path = match?.[2]
    if (!isDigest(digest) || path === undefined) throw wrong(`line ${index + 1} is not a checksum of this snapshot`)
    if (path <= before) throw wrong(`line ${index + 1} is not sorted, or is there twice`)
    if (isObjectPath(path) && path !== objectChecksum(digest).path) {
      throw wrong(`line ${index + 1} gives an object another checksum than its name`)
    }
    before = path
    checksums.push({ digest, path })
  }
  return checksums
}

/** No two lines of files that are no objects are longer together. They are sorted behind all objects. */
export const ownLinesMaxBytes = 512

/** The manifest's digest, from the end of a list. */
export function listedManifest(end: string): Digest | undefined {
  const digest = /^([0-9a-f]{64}) {2}manifest\.json$/m.exec(end)?.[1]
  return isDigest(digest) ? digest : undefined
}
