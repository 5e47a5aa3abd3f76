import { lstatSync, readdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Digest } from './digest.ts'
import { ensureFolder } from './folders.ts'
import { isGone } from './ioFault.ts'
import { type Layout, objectPath } from './layout.ts'

/** The trash holds one folder for each collection, its epoch, with the collected objects under their digests. Whoever
 *  needs one takes it back by a rename. */
export function trashEpochs(layout: Layout): string[] {
  try {
    return readdirSync(layout.trash).sort()
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** Brings an object back into its place if any epoch holds it. On a read-only root its path in the trash serves. */
export function takeBack(layout: Layout, digest: Digest, options: { readOnly: boolean }): string | undefined {
  const epoch = findInTrash(layout, digest)
  if (epoch === undefined) return undefined
  if (options.readOnly) return join(layout.trash, epoch, digest)
  return putBack(layout, epoch, digest) ? objectPath(layout.objects, digest) : undefined
}

/** The newest epoch that holds an object, of the right size where that is known. */
export function findInTrash(layout: Layout, digest: Digest, sizeBytes?: number): string | undefined {
  return trashEpochs(layout)
    .reverse()
    .find((epoch) => {
      const stat = lstatSync(join(layout.trash, epoch, digest), { throwIfNoEntry: false })
      return stat?.isFile() === true && (sizeBytes === undefined || stat.size === sizeBytes)
    })
}

export function moveToTrash(layout: Layout, epoch: string, digest: Digest): boolean {
  try {
    renameSync(objectPath(layout.objects, digest), join(layout.trash, epoch, digest))
    return true
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}

export function putBack(layout: Layout, epoch: string, digest: Digest): boolean {
  const path = objectPath(layout.objects, digest)
  try {
    ensureFolder(dirname(path))
    renameSync(join(layout.trash, epoch, digest), path)
    return true
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}
