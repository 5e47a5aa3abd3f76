import type { Digest } from '../cas/digest.ts'
import type { Store } from '../cas/store.ts'
import { Fault } from '../lib/fault.ts'
import { isObjectPath, parseChecksums } from './checksums.ts'
import { reachOf } from './reach.ts'
import { listSnapshots, readSnapshot, readSnapshotFile } from './snapshotFolder.ts'

/** What one snapshot keeps alive. */
export interface SnapshotRoots {
  readonly name: string
  /** Never deleted and never evicted. */
  readonly neverEvicted: ReadonlySet<Digest>
  /** Kept as well, but for evictions. */
  readonly derived: ReadonlySet<Digest>
}

/** The objects of every snapshot of a root, for gc and `why-alive`. They are read from the checksum lists, which name
 *  each object outright: a damaged descriptor hides nothing from here. */
export function snapshotRoots(store: Store): SnapshotRoots[] {
  return listSnapshots(store.root).map((name) => {
    try {
      return {
        name,
        neverEvicted: listedObjects(store.root, name, 'checksums'),
        derived: listedObjects(store.root, name, 'derivedChecksums'),
      }
    } catch (error) {
      if (error instanceof Fault) return rootsOfManifest(store, name)
      throw error
    }
  })
}

/** A list that is damaged or gone follows from the manifest. Where that cannot be read either, deleting anything would
 *  be a guess, so this throws. */
function rootsOfManifest(store: Store, name: string): SnapshotRoots {
  try {
    const { manifest } = readSnapshot(store.root, name)
    const { neverEvicted, derived } = reachOf(manifest, (digest) => store.readObject(digest))
    return { name, neverEvicted, derived }
  } catch (cause) {
    throw new Fault({
      code: 'corrupt',
      what: `the snapshot ${name} is damaged, so nobody can say which objects it needs`,
      where: `snapshots/${name}`,
      todo: `see the damage with "pipe verify ${name}"; give it up with "pipe snapshot rm ${name}"`,
      cause,
    })
  }
}

function listedObjects(root: string, name: string, file: 'checksums' | 'derivedChecksums'): ReadonlySet<Digest> {
  const text = readSnapshotFile(root, name, file).toString('utf8')
  const objects = new Set<Digest>()
  for (const { path, digest } of parseChecksums(text, `snapshots/${name}`)) {
    if (isObjectPath(path)) objects.add(digest)
  }
  return objects
}
