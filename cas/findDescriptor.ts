import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ArtifactDescriptor, descriptorLimits, parseDescriptor } from './artifact.ts'
import { type Digest, digestOf } from './digest.ts'
import { type Layout, objectPath } from './layout.ts'
import { trashEpochs } from './trash.ts'

/** The descriptor that an object holds, or undefined where it is absent, damaged or something else. */
export function readIfDescriptor(layout: Layout, digest: Digest): ArtifactDescriptor | undefined {
  // Reads in the trash as well, but takes nothing back: a survey leaves everything where it is.
  const paths = [objectPath(layout.objects, digest)]
  for (const epoch of trashEpochs(layout)) paths.push(join(layout.trash, epoch, digest))
  for (const path of paths) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat?.isFile() || stat.size > descriptorLimits.sizeBytes) continue
    const bytes = readFileSync(path)
    // Cheap to tell apart by the first key of the canonical form.
    if (!bytes.subarray(0, 10).equals(descriptorStart) || digestOf(bytes) !== digest) continue
    try {
      return parseDescriptor(bytes)
    } catch {
      // Some other JSON that begins alike.
    }
  }
  return undefined
}

const descriptorStart = Buffer.from('{"files":[')
