import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Digest, digestOf, isDigest, short } from '../cas/digest.ts'
import { ensureFolder, syncFolder } from '../cas/folders.ts'
import { isGone, writeFault } from '../cas/ioFault.ts'
import { Fault } from '../lib/fault.ts'
import { listedManifest, ownLinesMaxBytes } from './checksums.ts'
import { writeDurably } from './durableFile.ts'
import type { Manifest } from './manifest.ts'
import { manifestLimits, parseManifest } from './parseManifest.ts'
import { checkNameIsApart, checkSnapshotName } from './snapshotName.ts'

export const snapshotFiles = {
  manifest: 'manifest.json',
  provenance: 'provenance.json',
  checksums: 'checksums.sha256',
  derivedChecksums: 'checksums.derived.sha256',
  origin: 'origin.json',
} as const

/** Where a snapshot in this root came from. It is in no bundle and no checksum: it is this root's own knowledge. */
export interface Origin {
  readonly origin: 'pinned' | 'imported' | 'unknown'
  /** Whether its code may be run here. Ours may; somebody else's after `--trust-code`. */
  readonly trusted: boolean
}

export interface Snapshot {
  readonly name: string
  readonly id: Digest
  readonly manifest: Manifest
  readonly origin: Origin
}

const snapshotsFolder = (root: string): string => join(root, 'snapshots')

export const snapshotFolder = (root: string, name: string): string =>
  join(snapshotsFolder(root), checkSnapshotName(name))

/** Names of all snapshots, sorted. Whatever else lies in the folder is none of ours. */
export function listSnapshots(root: string): string[] {
  try {
    return readdirSync(snapshotsFolder(root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

export function hasSnapshot(root: string, name: string): boolean {
  return existsSync(join(snapshotFolder(root, name), snapshotFiles.manifest))
}

/** The manifest of a snapshot, checked as if a stranger had written it, and held against what the files beside it say:
 *  a name never changes what it stands for. */
export function readSnapshot(root: string, name: string): Snapshot {
  const bytes = readSnapshotFile(root, name, 'manifest', manifestLimits.sizeBytes)
  const manifest = parseManifest(bytes, join('snapshots', name, snapshotFiles.manifest))
  const id = digestOf(bytes)
  const { origin, id: pinnedId } = readOrigin(root, name)
  const witnesses = [
    { file: snapshotFiles.checksums, says: listedId(root, name) },
    { file: snapshotFiles.origin, says: pinnedId },
  ].filter(({ says }) => says !== undefined)
  const other = witnesses.find(({ says }) => says !== id)
  if (other !== undefined) throw changed(name, `its manifest is ${short(id)}, ${other.file} says ${short(other.says!)}`)
  if (witnesses.length === 0) throw changed(name, 'nothing beside its manifest says which one it was pinned with')
  return { name, id, manifest, origin }
}

/** Only the end of the list is read, which is where the manifest stands: the list may name a million objects. */
function listedId(root: string, name: string): Digest | undefined {
  let fd: number
  try {
    fd = openSync(join(snapshotFolder(root, name), snapshotFiles.checksums), 'r')
  } catch {
    return undefined // verify says that it is gone
  }
  try {
    const { size } = fstatSync(fd)
    const end = Buffer.alloc(Math.min(size, ownLinesMaxBytes))
    readSync(fd, end, 0, end.length, size - end.length)
    return listedManifest(end.toString('latin1'))
  } finally {
    closeSync(fd)
  }
}

function changed(name: string, what: string): Fault {
  return new Fault({
    code: 'corrupt',
    what: `the snapshot ${name} was changed after it was pinned: ${what}`,
    where: `snapshots/${name}`,
    todo: `put its folder back from a copy; or give it up with "pipe snapshot rm ${name}" and import a bundle of it, or pin the run again`,
  })
}

/** When, where and how the snapshot was made: JSON whose shape is the engine's affair. */
export function readProvenance(root: string, name: string): unknown {
  const bytes = readSnapshotFile(root, name, 'provenance', manifestLimits.sizeBytes)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Fault({ code: 'corrupt', what: 'the provenance is not JSON', where: `snapshots/${name}`, cause })
  }
}

export function readSnapshotFile(
  root: string,
  name: string,
  file: keyof typeof snapshotFiles,
  sizeBytesMax = manifestLimits.sizeBytes,
): Buffer {
  const path = join(snapshotFolder(root, name), snapshotFiles[file])
  try {
    const { size } = statSync(path)
    if (size > sizeBytesMax)
      throw new Fault({ code: 'corrupt', what: `it has ${size} bytes, far too many`, where: path })
    return readFileSync(path)
  } catch (error) {
    if (!isGone(error)) throw error
    if (file !== 'manifest' && hasSnapshot(root, name)) {
      throw new Fault({
        code: 'corrupt',
        what: `the snapshot ${name} has lost its ${snapshotFiles[file]}`,
        where: path,
        todo: 'run "pipe verify" on it; to write the file anew, remove the snapshot and pin or import it again',
      })
    }
    throw noSuchSnapshot(root, name)
  }
}

/** An origin that is not there, or says something else, is nobody's word: such code is not trusted. */
function readOrigin(root: string, name: string): { readonly origin: Origin; readonly id?: Digest } {
  const unknown = { origin: 'unknown', trusted: false } as const
  let value: unknown
  try {
    value = JSON.parse(readFileSync(join(snapshotFolder(root, name), snapshotFiles.origin), 'utf8'))
  } catch {
    return { origin: unknown }
  }
  const { origin, trusted, id } = (value ?? {}) as Record<string, unknown>
  if (origin !== 'pinned' && origin !== 'imported') return { origin: unknown }
  return { origin: { origin, trusted: trusted === true }, ...(isDigest(id) ? { id } : {}) }
}

export const renderOrigin = ({ origin, trusted }: Origin, id: Digest): string =>
  `${JSON.stringify({ origin, trusted, id })}\n`

/** Says that the code in a snapshot may be run here, or may no longer. */
export function setTrust(root: string, name: string, trusted: boolean): void {
  const { id, origin } = readSnapshot(root, name)
  const folder = snapshotFolder(root, name)
  const fresh = join(folder, `${snapshotFiles.origin}.${randomBytes(6).toString('hex')}`)
  writeDurably(fresh, renderOrigin({ origin: origin.origin === 'unknown' ? 'imported' : origin.origin, trusted }, id))
  renameSync(fresh, join(folder, snapshotFiles.origin))
  syncFolder(folder)
}

/** Takes a snapshot's name away; its objects stay until gc. The folder goes in one step, so that nobody ever finds half
 *  of it. */
export function removeSnapshot(root: string, name: string): void {
  const folder = snapshotFolder(root, name)
  const leaving = join(snapshotsFolder(root), `.leaving-${randomBytes(8).toString('hex')}`)
  try {
    renameSync(folder, leaving)
  } catch (error) {
    if (isGone(error)) throw noSuchSnapshot(root, name)
    throw writeFault(error, folder)
  }
  syncFolder(snapshotsFolder(root))
  rmSync(leaving, { recursive: true, force: true })
  // What a crash in this function left behind earlier.
  for (const entry of readdirSync(snapshotsFolder(root))) {
    if (entry.startsWith('.leaving-')) rmSync(join(snapshotsFolder(root), entry), { recursive: true, force: true })
  }
}

/** Writes a snapshot's folder in a staging folder of the same root and renames it in: it is there whole or not at all.
 *  Returns the id of the snapshot that has the name now, and whether somebody else had put it there. */
export function placeSnapshotFolder(
  { root, stagingDir }: { readonly root: string; readonly stagingDir: string },
  name: string,
  files: Readonly<Record<keyof typeof snapshotFiles, string | Uint8Array>>,
): { id: Digest; alreadyThere: boolean } {
  const parent = snapshotsFolder(root)
  ensureFolder(parent)
  checkNameIsApart(name, listSnapshots(root))
  const staged = join(stagingDir, `snapshot-${randomBytes(8).toString('hex')}`)
  try {
    ensureFolder(staged)
    for (const [file, path] of Object.entries(snapshotFiles)) {
      writeDurably(join(staged, path), files[file as keyof typeof snapshotFiles])
    }
    syncFolder(staged)
    // A folder cannot be renamed onto another that holds something: of two processes one comes first.
    renameSync(staged, snapshotFolder(root, name))
  } catch (error) {
    rmSync(staged, { recursive: true, force: true })
    if (hasSnapshot(root, name)) return { id: readSnapshot(root, name).id, alreadyThere: true }
    throw writeFault(error, parent)
  }
  syncFolder(parent)
  return { id: digestOf(files.manifest), alreadyThere: false }
}

function noSuchSnapshot(root: string, name: string): Fault {
  const there = listSnapshots(root)
  return new Fault({
    code: 'usage',
    what: `there is no snapshot "${name}" here`,
    where: root,
    todo:
      there.length === 0
        ? `pin one with "pipe run <target> --snapshot ${name}"`
        : `name one of: ${there.slice(0, 20).join(', ')}${there.length > 20 ? ' …' : ''}`,
  })
}
