import { diffTables } from '../../lib/tables/diff.ts'
import { decodeAnyTable } from '../../lib/tables/parquet.ts'
import { jsonChanges } from '../../snapshots/jsonChanges.ts'
import type { Digest, Store } from './context.ts'
import type { ArtifactDiff } from './renderDiff.ts'

const largestCompared = 512 << 20 // both sides are held in memory

/** File by file: tables by rows and columns, JSON by path, anything else by its first differing byte. */
export function compareArtifacts(store: Store, address: string, a: Digest, b: Digest): ArtifactDiff[] {
  const filesOf = (artifact: Digest) => (store.hasObject(artifact) ? store.readDescriptor(artifact).files : undefined)
  const [filesA, filesB] = [filesOf(a), filesOf(b)]
  if (!filesA || !filesB) return [{ address, file: '', kind: 'not here', why: 'its descriptor is not in this store' }]
  const inB = new Map(filesB.map((file) => [file.name, file]))
  const found: ArtifactDiff[] = []
  for (const file of filesA) {
    const other = inB.get(file.name)
    inB.delete(file.name)
    if (other === undefined) found.push({ address, file: file.name, kind: 'only in A', sizeBytes: file.sizeBytes })
    else if (other.digest !== file.digest) {
      if (file.sizeBytes + other.sizeBytes > largestCompared) {
        found.push({ address, file: file.name, kind: 'not here', why: 'it is too large to compare' })
      } else found.push(compareFiles(store, address, file, other))
    }
  }
  for (const file of inB.values())
    found.push({ address, file: file.name, kind: 'only in B', sizeBytes: file.sizeBytes })
  return found
}

interface StoredFile {
  readonly name: string
  readonly digest: Digest
}

function compareFiles(store: Store, address: string, a: StoredFile, b: StoredFile): ArtifactDiff {
  const file = a.name
  if (!store.hasObject(a.digest) || !store.hasObject(b.digest)) {
    return { address, file, kind: 'not here', why: 'its bytes were evicted or are missing' }
  }
  const [bytesA, bytesB] = [store.readObject(a.digest), store.readObject(b.digest)]
  try {
    if (file.endsWith('.parquet')) {
      return { address, file, kind: 'table', table: diffTables(decodeAnyTable(bytesA), decodeAnyTable(bytesB)) }
    }
    if (file.endsWith('.json')) {
      return { address, file, kind: 'json', changes: jsonChanges(parseJson(bytesA), parseJson(bytesB)) }
    }
  } catch {
    // It is not what its name says; bytes can always be compared.
  }
  let offset = 0
  while (offset < bytesA.length && bytesA[offset] === bytesB[offset]) offset++
  return { address, file, kind: 'bytes', firstOffset: offset, sizeBytesA: bytesA.length, sizeBytesB: bytesB.length }
}

const parseJson = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))
