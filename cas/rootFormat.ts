import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { Fault } from '../lib/fault.ts'
import { ensureFolder, syncFolder } from './folders.ts'
import { errnoOf, isGone, writeFault } from './ioFault.ts'
import type { Layout } from './layout.ts'

/** The version of everything FORMAT.md describes. */
const storeFormat = 1

/** Turns a root of one format into the next. Must be safe to run again after a crash in its middle: the format file is
 *  rewritten only after it returns. */
export type Migration = (layout: Layout) => void

/** From format n to n + 1, by n. There has been no other format than 1 yet. */
export const storeMigrations: ReadonlyMap<number, Migration> = new Map()

export interface RootOptions {
  readonly create: boolean
  readonly readOnly: boolean
  readonly migrations: ReadonlyMap<number, Migration>
}

/** Checks that there is a store we understand, makes one where that was asked for, migrates an older one. */
export function prepareRoot(layout: Layout, options: RootOptions): void {
  let found = readFormat(layout)
  if (found === undefined) {
    if (!options.create || options.readOnly) {
      throw new Fault({
        code: 'noStore',
        what: 'there is no store here',
        where: layout.root,
        todo: 'name the right folder with --root, or run "pipe init" to make a store',
      })
    }
    createRoot(layout)
    found = storeFormat
  }
  if (found > storeFormat) {
    throw new Fault({
      code: 'refused',
      what: `this store has format ${found}; this version of pipe knows formats up to ${storeFormat}`,
      where: layout.root,
      todo: 'update tickpipe ("npm install tickpipe@latest"), or use another store with --root',
    })
  }
  if (found < storeFormat) migrate(layout, found, options)
  if (!options.readOnly) demandWritable(layout)
}

function readFormat(layout: Layout): number | undefined {
  let text: string
  try {
    text = readFileSync(layout.formatFile, 'utf8')
  } catch (error) {
    if (isGone(error)) return undefined
    throw new Fault({ code: 'noStore', what: 'the store cannot be read', where: layout.formatFile, cause: error })
  }
  const version = /^tickpipe store ([0-9]{1,9})\n$/.exec(text)?.[1]
  if (version === undefined) {
    throw new Fault({
      code: 'noStore',
      what: 'its format file is not that of a store',
      where: layout.formatFile,
      todo: `if this is a store whose format file was damaged, write "tickpipe store ${storeFormat}" and a line end into it`,
    })
  }
  return Number(version)
}

function createRoot(layout: Layout): void {
  try {
    ensureFolder(layout.root)
    const folders = [layout.objects, layout.records, layout.leases, layout.staging, layout.trash, layout.index]
    for (const folder of folders) ensureFolder(folder)
    // Last: a root with a format file is whole.
    writeFormat(layout, storeFormat)
  } catch (error) {
    throw cannotWrite(layout, error)
  }
}

function migrate(layout: Layout, from: number, options: RootOptions): void {
  for (let format = from; format < storeFormat; format++) {
    const migration = options.migrations.get(format)
    if (!migration || options.readOnly) {
      throw new Fault({
        code: 'refused',
        what: migration
          ? `this store has the older format ${format} and is open for reading only`
          : `this store has format ${format}, and nothing here can bring it to format ${storeFormat}`,
        where: layout.root,
        todo: migration
          ? 'open it once for writing, with "pipe doctor"'
          : 'use an older tickpipe, or another store with --root',
      })
    }
    migration(layout)
    writeFormat(layout, format + 1)
  }
}

function writeFormat(layout: Layout, format: number): void {
  const tempPath = `${layout.formatFile}.${process.pid}`
  const fd = openSync(tempPath, 'w', 0o644)
  try {
    writeSync(fd, `tickpipe store ${format}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(tempPath, layout.formatFile)
  syncFolder(layout.root)
}

function demandWritable(layout: Layout): void {
  try {
    for (const folder of [layout.objects, layout.records, layout.staging, layout.leases]) {
      ensureFolder(folder)
      accessSync(folder, constants.W_OK | constants.X_OK)
    }
  } catch (error) {
    throw cannotWrite(layout, error)
  }
}

function cannotWrite(layout: Layout, error: unknown): unknown {
  if (errnoOf(error) === 'ENOTDIR' || (errnoOf(error) === 'EEXIST' && !isFolder(layout.root))) {
    return new Fault({
      code: 'noStore',
      what: 'there is a file where the store should be',
      where: layout.root,
      cause: error,
    })
  }
  return writeFault(error, layout.root)
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
