import { statSync } from 'node:fs'
import { readFolder } from './objects.ts'

/** A folder whose time of change lies this far back when it is listed will not change again at the same time: clocks
 *  of filesystems tick a few milliseconds apart, or two seconds. */
const settledAfterMs = 2_000

/** The names in a folder, listed again only when its time of change says so, which costs one system call instead of
 *  five. On a server whose clock goes after ours a change may be missed until the next one: this is for questions where
 *  a late answer costs time and nothing else. */
export class FolderListing {
  readonly #path: string
  #names: readonly string[] = []
  #changedMs = Number.NaN
  #trusted = false

  constructor(path: string) {
    this.#path = path
  }

  names(): readonly string[] {
    const changedMs = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN
    if (this.#trusted && changedMs === this.#changedMs) return this.#names
    const nowMs = Date.now()
    this.#names = readFolder(this.#path)
    this.#changedMs = changedMs
    this.#trusted = nowMs - changedMs > settledAfterMs
    return this.#names
  }
}
