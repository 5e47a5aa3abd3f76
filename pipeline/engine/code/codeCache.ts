import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { type Digest, digestOf, isDigest } from '../../../cas/digest.ts'
import type { BuiltCode, EntryExport } from './buildCode.ts'
import type { CodeInfo } from './codeInfo.ts'
import { type CodeObject, codeFormat, makeCodeObject } from './codeObject.ts'
import { FileLook, type FileMark } from './fileMarks.ts'
import { readIndexJson, sweepIndexFiles, writeIndexFile } from './indexFile.ts'
import { markInputs } from './markInputs.ts'
import { hashClosure } from './packageClosure.ts'
import type { PackageHashes } from './packageTree.ts'
import type { ImportResolver } from './resolveImports.ts'
import { tickpipeDir } from './tickpipePackage.ts'

/** The code of a task or a code port, with what is known of it. */
export interface ProjectCode extends CodeObject {
  readonly info: CodeInfo
  /** Where the packages it takes as they are lie today, by `name@version`. */
  readonly packageDirs: Readonly<Record<string, string>>
  /** The tree objects and files of those packages: store them, and the code runs without today's node_modules. */
  packageObjects(): readonly PackageObject[]
}

export type PackageObject =
  | { readonly digest: Digest; readonly bytes: Uint8Array }
  | { readonly digest: Digest; readonly path: string; readonly sizeBytes: number }

interface Entry {
  readonly digest: Digest
  /** Code and info lie under the hashes of their bytes: what somebody is about to read is never replaced. */
  readonly info: Digest
  /** The files it was made from, a group for each package: most tasks share most groups. */
  readonly marks: readonly Digest[]
  readonly packages: readonly { readonly key: string; readonly dir: string; readonly tree: Digest }[]
  /** Every folder of those packages, equal copies too, with what it held. */
  readonly copies: readonly { readonly dir: string; readonly tree: Digest }[]
}

const sweepAgeMs = 30 * 86_400_000

/** Built code, kept under `index/code` for as long as no file it was made from changes. */
export class CodeCache {
  readonly #dir: string
  readonly #hashes: PackageHashes
  readonly #projectKey: readonly unknown[]
  readonly #look = new FileLook()
  /** Groups that were looked at, and whether their files are as they were. */
  readonly #groups = new Map<Digest, boolean>()
  #swept = false

  constructor(indexDir: string, hashes: PackageHashes, projectDir: string, closures: readonly string[]) {
    this.#dir = join(indexDir, 'code')
    this.#hashes = hashes
    this.#projectKey = [codeFormat, tickpipeDir, projectDir, closures]
  }

  find(exports: readonly EntryExport[]): ProjectCode | undefined {
    const place = this.#placeOf(exports)
    const entry = readIndexJson(`${place}.json`) as Entry | undefined
    if (
      !isDigest(entry?.digest) ||
      !isDigest(entry.info) ||
      !Array.isArray(entry.marks) ||
      !Array.isArray(entry.packages) ||
      !Array.isArray(entry.copies)
    )
      return undefined
    if (!entry.marks.every((group) => this.#isUnchanged(group))) return undefined
    if (!entry.copies.every(({ dir, tree }) => existsSync(dir) && this.#hashes.of(dir).tree.digest === tree)) {
      return undefined
    }
    const [codeFile, infoFile] = [join(this.#dir, `${entry.digest}.code`), join(this.#dir, `${entry.info}.info`)]
    if (!existsSync(codeFile) || !existsSync(infoFile)) return undefined
    return new CachedCode(entry, codeFile, infoFile, this.#hashes)
  }

  /** @param sinceMs when the build began to read files */
  keep(exports: readonly EntryExport[], built: BuiltCode, resolver: ImportResolver, sinceMs: number): ProjectCode {
    const closure = hashClosure(built.closures, resolver.packages, this.#hashes, (located) =>
      resolver.lookedAt.addPackage(located),
    )
    const code = makeCodeObject({ ...built.bundle, packages: closure.refs })
    const info: CodeInfo = {
      ...built.info,
      packages: closure.refs.map(({ name, version, tree }) => ({ name, version, tree })),
    }
    const packages = closure.refs.map(({ name, version, tree }, i) => {
      return { key: `${name}@${version}`, dir: closure.hashed[i]!.dir, tree }
    })
    const marks = markInputs(this.#look, built.files, resolver, sinceMs)
    if (marks !== undefined) {
      if (!this.#swept) sweepIndexFiles(this.#dir, sweepAgeMs)
      this.#swept = true
      const infoJson = JSON.stringify(info)
      const groups = this.#writeGroups(marks, resolver)
      const copies = closure.copies.map(({ dir, tree }) => ({ dir, tree: tree.digest }))
      const entry: Entry = { digest: code.digest, info: digestOf(infoJson), marks: groups, packages, copies }
      writeIndexFile(join(this.#dir, `${entry.digest}.code`), code.bytes)
      writeIndexFile(join(this.#dir, `${entry.info}.info`), infoJson)
      writeIndexFile(`${this.#placeOf(exports)}.json`, JSON.stringify(entry))
    }
    const dirs = packages.map(({ dir }) => dir)
    return { ...code, info, packageDirs: dirsOf(packages), packageObjects: () => objectsOf(dirs, this.#hashes) }
  }

  #writeGroups(marks: readonly FileMark[], { packages }: ImportResolver): Digest[] {
    const groups = new Map<string, FileMark[]>()
    for (const mark of marks) {
      const owner = packages.of(mark.path)?.dir ?? ''
      const group = groups.get(owner)
      if (group === undefined) groups.set(owner, [mark])
      else group.push(mark)
    }
    return [...groups.values()].map((group) => {
      const json = JSON.stringify(group.sort((a, b) => (a.path < b.path ? -1 : 1)))
      const digest = digestOf(json)
      if (!this.#groups.has(digest)) writeIndexFile(join(this.#dir, `${digest}.marks`), json)
      this.#groups.set(digest, true)
      return digest
    })
  }

  #isUnchanged(group: Digest): boolean {
    let answer = this.#groups.get(group)
    if (answer === undefined) {
      const marks = readIndexJson(join(this.#dir, `${group}.marks`))
      answer = Array.isArray(marks) && marks.every((mark) => this.#look.unchanged(mark as FileMark))
      this.#groups.set(group, answer)
    }
    return answer
  }

  #placeOf(exports: readonly EntryExport[]): string {
    return join(this.#dir, digestOf(canonicalJson([...this.#projectKey, exports])))
  }
}

/** Read from the index only when somebody asks: a plan needs the digests alone. */
class CachedCode implements ProjectCode {
  readonly digest: Digest
  readonly packageDirs: Readonly<Record<string, string>>
  readonly #codeFile: string
  readonly #infoFile: string
  readonly #dirs: readonly string[]
  readonly #hashes: PackageHashes

  constructor({ digest, packages }: Entry, codeFile: string, infoFile: string, hashes: PackageHashes) {
    this.digest = digest
    this.packageDirs = dirsOf(packages)
    this.#codeFile = codeFile
    this.#infoFile = infoFile
    this.#dirs = packages.map(({ dir }) => dir)
    this.#hashes = hashes
  }

  get bytes(): Uint8Array {
    return readFileSync(this.#codeFile)
  }

  get info(): CodeInfo {
    return JSON.parse(readFileSync(this.#infoFile, 'utf8')) as CodeInfo
  }

  packageObjects(): readonly PackageObject[] {
    return objectsOf(this.#dirs, this.#hashes)
  }
}

const dirsOf = (packages: Entry['packages']) => Object.fromEntries(packages.map(({ key, dir }) => [key, dir]))

function objectsOf(dirs: readonly string[], hashes: PackageHashes): PackageObject[] {
  return dirs.flatMap((dir): PackageObject[] => {
    const { tree, files } = hashes.of(dir)
    return [tree, ...files.map(({ digest, path, sizeBytes }) => ({ digest, path: join(dir, path), sizeBytes }))]
  })
}
