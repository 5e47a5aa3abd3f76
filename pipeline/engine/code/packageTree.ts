import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nameCollision, nameProblem } from '../../../cas/artifact.ts'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { type Digest, digestOf, isDigest, short } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'
import { signatureOf } from './fileMarks.ts'
import { readIndexJson, writeIndexFile } from './indexFile.ts'

/** One file of a package, as its tree object lists it, sorted by path. */
export interface TreeFile {
  readonly path: string
  readonly digest: Digest
  readonly sizeBytes: number
  readonly mode: 0o644 | 0o755
}

export interface HashedPackage {
  readonly dir: string
  /** The tree object: canonical JSON of the list. */
  readonly tree: { readonly digest: Digest; readonly bytes: Uint8Array }
  readonly files: readonly TreeFile[]
}

/** Only what no run reads: types, and maps for debuggers. Any other file a package may open, whatever its name. */
const neverLoaded = /\.(d\.[cm]?ts|map|tsbuildinfo)$/i

/** Hashes what of a package's own folder can be loaded; the packages it depends on are packages of their own.
 *  Unchanged files, by their stat signature, are not read again. */
export function hashPackage(dir: string, indexDir: string): HashedPackage {
  const cacheFile = join(indexDir, 'packages', `${digestOf(dir)}.json`)
  const known = readCache(cacheFile)
  const cache: Record<string, CachedFile> = {}
  const sinceMs = Date.now()
  let fresh = false

  const files = listFiles(dir, '').map((path): TreeFile => {
    const full = join(dir, path)
    const signature = signatureOf(full) ?? ''
    const before = known[path]
    let digest = before?.signature === signature ? before.digest : undefined
    if (digest === undefined) {
      digest = digestOf(readFileSync(full))
      fresh = true
    }
    const stat = statSync(full)
    // A file written this moment may be written again within the same tick of its clock.
    if (stat.ctimeMs < sinceMs - 20) cache[path] = { signature, digest }
    return { path, digest, sizeBytes: stat.size, mode: stat.mode & 0o100 ? 0o755 : 0o644 }
  })
  if (fresh) writeIndexFile(cacheFile, JSON.stringify(cache))
  const bytes = new TextEncoder().encode(canonicalJson(files))
  return { dir, files, tree: { digest: digestOf(bytes), bytes } }
}

/** Hashes each package once. */
export class PackageHashes {
  readonly #indexDir: string
  readonly #byDir = new Map<string, HashedPackage>()

  constructor(indexDir: string) {
    this.#indexDir = indexDir
  }

  of(dir: string): HashedPackage {
    let hashed = this.#byDir.get(dir)
    if (hashed === undefined) {
      hashed = hashPackage(dir, this.#indexDir)
      this.#byDir.set(dir, hashed)
    }
    return hashed
  }
}

interface CachedFile {
  readonly signature: string
  readonly digest: Digest
}

function readCache(path: string): Record<string, CachedFile> {
  const value = readIndexJson(path)
  if (typeof value !== 'object' || value === null) return {}
  const entries = Object.entries(value as Record<string, CachedFile>)
  return Object.fromEntries(entries.filter(([, file]) => typeof file?.signature === 'string' && isDigest(file.digest)))
}

function listFiles(dir: string, prefix: string): string[] {
  const paths: string[] = []
  for (const entry of readdirSync(join(dir, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') paths.push(...listFiles(dir, path))
    } else if (!neverLoaded.test(entry.name) && statSync(join(dir, path), { throwIfNoEntry: false })?.isFile()) {
      paths.push(path)
    }
  }
  return prefix === '' ? paths.sort() : paths
}

/** For bytes that come out of a store, perhaps somebody else's: nothing in them may lead out of the target folder. */
export function parseTree(bytes: Uint8Array): TreeFile[] {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw notTree('it is not JSON', cause)
  }
  if (!Array.isArray(value)) throw notTree('it is not a list')
  const files = value as TreeFile[]
  for (const file of files) {
    if (typeof file !== 'object' || file === null || typeof file.path !== 'string') throw notTree('a file has no path')
    const problem = nameProblem(file.path)
    if (problem !== undefined) throw notTree(`the path ${JSON.stringify(file.path.slice(0, 200))} ${problem}`)
    if (!isDigest(file.digest)) throw notTree(`${file.path} has no digest`)
    if (!Number.isSafeInteger(file.sizeBytes) || file.sizeBytes < 0) throw notTree(`${file.path} has no size`)
    if (file.mode !== 0o644 && file.mode !== 0o755) throw notTree(`${file.path} has the mode ${file.mode}`)
  }
  const collision = nameCollision(files.map(({ path }) => path))
  if (collision !== undefined) throw notTree(collision)
  return files
}

const notTree = (why: string, cause?: unknown) =>
  new Fault({ code: 'corrupt', what: `this object is not a package tree: ${why}`, cause })

/** Writes a tree's files into a folder that is made for it. */
export function writeTree(files: readonly TreeFile[], dir: string, readObject: (digest: Digest) => Uint8Array): void {
  for (const { path, digest, sizeBytes, mode } of files) {
    const bytes = readObject(digest)
    if (bytes.byteLength !== sizeBytes || digestOf(bytes) !== digest) {
      throw new Fault({
        code: 'corrupt',
        what: `object ${short(digest)} does not hold ${path} of a package: its bytes have another hash`,
        todo: 'run "pipe verify" to list every damaged object',
      })
    }
    const full = join(dir, path)
    mkdirSync(dirname(full), { recursive: true })
    writeFileSync(full, bytes, { flag: 'wx', mode })
    chmodSync(full, mode)
  }
}
