import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { short } from '../cas/digest.ts'
import { errnoOf, isGone, writeFault } from '../cas/ioFault.ts'
import type { Store } from '../cas/store.ts'
import { Fault } from '../lib/fault.ts'
import { hivePaths } from './hivePaths.ts'
import type { ManifestNode } from './manifest.ts'
import { readSnapshot } from './snapshotFolder.ts'

/** How a file gets its bytes. A reflink shares them until one side writes, where the filesystem can; a hard link is the
 *  store's own file under a second name, and read-only; a copy is the user's own. */
export type CheckoutMethod = 'reflink' | 'hardlink' | 'copy'

export interface CheckoutOptions {
  /** The one to use. Without it: a reflink where the filesystem can, else a copy. */
  readonly method?: CheckoutMethod
  /** Which nodes; those of the targets, when left out. */
  readonly select?: (node: ManifestNode) => boolean
  /** Into a folder that holds something: files of the same name are replaced, others stay. */
  readonly force?: boolean
  /** Brings evicted bytes back. Without it they are a Fault. */
  readonly demand?: (node: ManifestNode) => Promise<void>
  readonly onProgress?: (doneFiles: number, totalFiles: number) => void
}

export interface CheckedOut {
  readonly dir: string
  readonly files: number
  readonly sizeBytes: number
  /** How many files came by which method. */
  readonly methods: Readonly<Record<CheckoutMethod, number>>
}

/** Lays artifacts out as files that DuckDB, Polars and pandas read: see `hivePaths`. */
export async function checkout(
  store: Store,
  name: string,
  dir: string,
  options: CheckoutOptions = {},
): Promise<CheckedOut> {
  const { manifest } = readSnapshot(store.root, name)
  const targets = new Set(manifest.targets.flatMap(({ addresses }) => addresses))
  const select = options.select ?? (({ address }: ManifestNode) => targets.has(address))
  const nodes = manifest.nodes.filter(select)
  if (nodes.length === 0) {
    throw new Fault({
      code: 'usage',
      what: 'nothing in this snapshot is selected',
      where: `snapshots/${name}`,
      todo: `see what it holds with "pipe snapshot show ${name}"`,
    })
  }
  refuseFullFolder(dir, options.force === true)

  // Everything is found before anything is written: half a tree would look like a whole one to a glob.
  const paths = hivePaths(manifest.nodes)
  const files: Planned[] = []
  for (const node of nodes) {
    if (!(await isPresent(store, node))) await options.demand?.(node)
    if (store.artifactPresence(node.artifact) !== 'present') throw notHere(store, name, node)
    for (const file of store.readDescriptor(node.artifact).files) {
      const from = store.locate(file.digest)
      if (from === undefined) throw notHere(store, name, node)
      files.push({ from, to: join(dir, paths.get(node.address)!, file.name), sizeBytes: file.sizeBytes })
    }
  }
  return layOut(dir, files, options)
}

// Objects are read-only, and what is copied out of the store no longer is one.
const ownFileMode = 0o644

interface Planned {
  readonly from: string
  readonly to: string
  readonly sizeBytes: number
}

/** The trash may still hold what was evicted. */
async function isPresent(store: Store, { artifact }: ManifestNode): Promise<boolean> {
  if (store.artifactPresence(artifact) === 'present') return true
  return !store.readOnly && (await store.reclaim(artifact))
}

function layOut(dir: string, files: readonly Planned[], options: CheckoutOptions): CheckedOut {
  const methods = { reflink: 0, hardlink: 0, copy: 0 }
  let sizeBytes = 0
  let done = 0
  const state: { reflinks: boolean } = { reflinks: true }
  try {
    mkdirSync(dir, { recursive: true })
    for (const file of files) {
      mkdirSync(dirname(file.to), { recursive: true })
      // Under another name first: a reader never meets half a file, and a replaced one is whole until it is not there.
      const fresh = `${file.to}.${randomBytes(4).toString('hex')}.partial`
      try {
        methods[place(file.from, fresh, options.method, state)]++
        settle(fresh, file.to, options.force === true)
      } catch (error) {
        rmSync(fresh, { force: true })
        throw error
      }
      sizeBytes += file.sizeBytes
      options.onProgress?.(++done, files.length)
    }
  } catch (error) {
    // The folder was empty before, unless --overwrite said otherwise: what is in it is this half of a tree.
    if (options.force !== true) for (const entry of readdirSync(dir)) rmSync(join(dir, entry), { recursive: true })
    throw writeFault(error, dir)
  }
  return { dir, files: files.length, sizeBytes, methods }
}

function place(
  from: string,
  to: string,
  method: CheckoutMethod | undefined,
  state: { reflinks: boolean },
): CheckoutMethod {
  if (method === 'hardlink' && tryHardLink(from, to)) return 'hardlink'
  if ((method === undefined || method === 'reflink') && state.reflinks) {
    try {
      copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
      chmodSync(to, ownFileMode)
      return 'reflink'
    } catch (error) {
      if (!['ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY'].includes(errnoOf(error) ?? '')) throw error
      rmSync(to, { force: true })
      if (method === 'reflink') throw noReflinks(to)
      state.reflinks = false // it would fail for every other file of this tree as well
    }
  }
  copyFileSync(from, to, constants.COPYFILE_EXCL)
  chmodSync(to, ownFileMode)
  return 'copy'
}

function noReflinks(to: string): Fault {
  return new Fault({
    code: 'refused',
    what: 'files here cannot share bytes with the store: the filesystem knows no reflinks, or the store is on another one',
    where: dirname(to),
    todo: 'choose another way with --method copy or --method hardlink',
  })
}

/** Only a file that nobody can write through the second name: the bytes under it are the store's. */
function tryHardLink(from: string, to: string): boolean {
  if ((statSync(from).mode & 0o222) !== 0) return false
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    // Another filesystem, one without links, or the most links a file may have.
    if (['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS'].includes(errnoOf(error) ?? '')) return false
    throw error
  }
}

function settle(fresh: string, to: string, force: boolean): void {
  if (!force && lstatSync(to, { throwIfNoEntry: false }) !== undefined) {
    throw new Fault({
      code: 'refused',
      what: 'two artifacts want the same file: this filesystem takes their names for one',
      where: to,
      todo: 'check out into a filesystem that tells upper from lower case, or select fewer nodes',
    })
  }
  renameSync(fresh, to)
  // Where both are names of one file already, renaming does nothing and leaves both.
  rmSync(fresh, { force: true })
}

function refuseFullFolder(dir: string, force: boolean): void {
  let entries: string[]
  try {
    entries = readdirSync(dir)
  } catch (error) {
    if (errnoOf(error) === 'ENOTDIR') {
      throw new Fault({ code: 'usage', what: 'this is a file', where: dir, todo: 'name a folder' })
    }
    if (isGone(error)) return
    throw error
  }
  if (entries.length === 0 || force) return
  throw new Fault({
    code: 'refused',
    what: `this folder is not empty: it holds ${entries.slice(0, 3).join(', ')}${entries.length > 3 ? ' …' : ''}`,
    where: dir,
    todo: 'name an empty or a new folder, or say --overwrite to write into this one',
  })
}

function notHere(store: Store, name: string, node: ManifestNode): Fault {
  const evicted = store.artifactPresence(node.artifact) === 'evicted'
  return new Fault({
    code: evicted ? 'unverifiable' : 'corrupt',
    what: `the bytes of artifact ${short(node.artifact)} ${evicted ? 'were evicted' : 'are missing'}`,
    where: node.address,
    todo: `make them again with "pipe run ${node.address} --snapshot ${name}"`,
    details: { artifact: node.artifact },
  })
}
