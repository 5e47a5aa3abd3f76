import type { Digest } from '../cas/digest.ts'
import type { Root } from '../cas/gc.ts'
import type { Store } from '../cas/store.ts'
import { Fault } from '../lib/fault.ts'
import { isObjectPath, parseChecksums } from './checksums.ts'
import { keptArtifacts, reachOf } from './reach.ts'
import { listSnapshots, readSnapshot, readSnapshotFile, type Snapshot, snapshotFiles } from './snapshotFolder.ts'
import { checkSnapshotName } from './snapshotName.ts'

/** What every snapshot of a root keeps alive, for gc and `why-alive`. It follows from the manifest. The checksum lists,
 *  which name each object outright, stand in for a damaged manifest, and for what lies behind a damaged descriptor or
 *  code object. */
export function snapshotRoots(store: Store): Root[] {
  return listSnapshots(store.root).flatMap((name) => rootsOf(store, name))
}

function rootsOf(store: Store, name: string): Root[] {
  if (unlessDamaged(() => checkSnapshotName(name)) === undefined) throw strangeFolder(name)
  const label = `snapshot ${name}`
  const snapshot = unlessDamaged(() => readSnapshot(store.root, name))
  const listed = unlessDamaged(() => listedObjects(store.root, name, 'checksums'))
  const derived = unlessDamaged(() => listedObjects(store.root, name, 'derivedChecksums'))
  // Without the manifest nobody can tell what can be made again, so everything that is listed stays.
  if (snapshot === undefined && listed !== undefined && derived !== undefined) {
    return [...listed, ...derived].map((digest) => ({ label, digest }))
  }
  const neverEvicted = snapshot === undefined ? undefined : neverEvictedOf(store, snapshot, listed)
  if (snapshot === undefined || neverEvicted === undefined) {
    // Deleting anything now would be a guess.
    throw new Fault({
      code: 'corrupt',
      what: `the snapshot ${name} is damaged, so nobody can say which objects it needs`,
      where: `snapshots/${name}`,
      todo: `see the damage with "pipe verify ${name}"; give it up with "pipe snapshot rm ${name}"`,
    })
  }
  const kept = keptArtifacts(snapshot.manifest)
  const evictable = new Set(snapshot.manifest.nodes.map(({ artifact }) => artifact).filter((id) => !kept.has(id)))
  return [...new Set([...neverEvicted, ...evictable])].map((digest) =>
    evictable.has(digest) ? { label, digest, evictable: true } : { label, digest },
  )
}

/** It may be a snapshot that somebody renamed by hand, so its objects must not go unseen. */
function strangeFolder(name: string): Fault {
  return new Fault({
    code: 'corrupt',
    what: 'this folder has a name that no snapshot can have',
    where: `snapshots/${name}`,
    todo: 'rename it to a plain name if it is a snapshot, or move it elsewhere',
  })
}

/** A list that was shortened names too little, so it counts only where something cannot be followed any more, and only
 *  if it names all that can. */
function neverEvictedOf(
  store: Store,
  { manifest }: Snapshot,
  listed: ReadonlySet<Digest> | undefined,
): ReadonlySet<Digest> | undefined {
  let isWhole = true
  const { neverEvicted } = reachOf(
    manifest,
    (digest) => store.peekObject(digest),
    () => {
      isWhole = false
    },
  )
  if (isWhole) return neverEvicted
  return listed !== undefined && [...neverEvicted].every((digest) => listed.has(digest)) ? listed : undefined
}

/** A list ends with lines of its own, whose absence shows that it was cut off between two lines. */
function listedObjects(
  root: string,
  name: string,
  file: 'checksums' | 'derivedChecksums',
): ReadonlySet<Digest> | undefined {
  const text = readSnapshotFile(root, name, file).toString('utf8')
  const checksums = parseChecksums(text, `snapshots/${name}`)
  const last = file === 'checksums' ? snapshotFiles.provenance : snapshotFiles.manifest
  if (checksums.at(-1)?.path !== last) return undefined
  return new Set(checksums.filter(({ path }) => isObjectPath(path)).map(({ digest }) => digest))
}

function unlessDamaged<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof Fault) return undefined
    throw error
  }
}
