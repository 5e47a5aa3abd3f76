import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { listRunIds, runFolder, startOf } from './storedRuns.ts'

export interface OldRuns {
  readonly ids: readonly string[]
  readonly sizeBytes: number
}

/** Folders of runs that are neither among the last ones nor young: manifest, log and events. Their artifacts are the
 *  store's affair; a folder is gone for good. */
export function oldRuns(root: string, rules: { keepRuns: number; graceMs: number; nowMs: number }): OldRuns {
  const ids = listRunIds(root)
    .slice(rules.keepRuns)
    .filter((id) => startOf(id) > 0 && rules.nowMs - startOf(id) >= rules.graceMs)
  return { ids, sizeBytes: ids.reduce((sum, id) => sum + folderSizeBytes(runFolder(root, id)), 0) }
}

export function removeRuns(root: string, { ids }: OldRuns): void {
  for (const id of ids) rmSync(runFolder(root, id), { recursive: true, force: true })
}

function folderSizeBytes(folder: string): number {
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
  return sizes.reduce((sum, size) => sum + size, 0)
}
