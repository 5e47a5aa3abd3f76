import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describeArtifact } from '../../cas/artifact.ts'
import type { Digest } from '../../cas/digest.ts'
import type { GcOptions } from '../../cas/gc.ts'
import type { RecordKind } from '../../cas/segment.ts'
import { stageBytes } from '../../cas/staging.ts'
import { openStore, type Store } from '../../cas/store.ts'
import { keyOf, put } from './temporaryRoot.ts'

const graceMs = 1000
export const later = () => Date.now() + 1_000_000

export function options(roots: readonly Digest[], more: Partial<GcOptions> = {}): GcOptions {
  return { roots: roots.map((digest, i) => ({ label: `root ${i}`, digest })), graceMs, nowMs: later(), ...more }
}

/** Publishes an artifact with one file for each text, bound to a key of its name, as a process that is gone since: a
 *  living one holds on to what it published. */
export async function publish(
  store: Store,
  name: string,
  texts: readonly string[],
  kind: RecordKind = 'result',
): Promise<Digest> {
  const publisher = openStore(store.root, { durability: 'none' })
  const files = texts.map((text, i) => ({ name: `f${i}`, ...stageBytes(publisher.stagingDir, text) }))
  const { id, bytes } = describeArtifact('t', files)
  const staged = [...files, stageBytes(publisher.stagingDir, bytes)]
  await publisher.commit({ staged, records: [{ kind, key: keyOf(name), artifact: id }] })
  await publisher.close()
  store.records.refresh()
  return id
}

export async function putLoose(store: Store, text: string): Promise<Digest> {
  const publisher = openStore(store.root, { durability: 'none' })
  const digest = await put(publisher, text)
  await publisher.close()
  return digest
}

export function bytesOnDisk(folder: string): number {
  let sizeBytes = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.endsWith('.json')) sizeBytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return sizeBytes
}
