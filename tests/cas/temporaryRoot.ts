import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Digest } from '../../cas/digest.ts'
import { digestOf } from '../../cas/digest.ts'
import { type Staged, stageBytes } from '../../cas/staging.ts'
import { openStore, type Store, type StoreOptions } from '../../cas/store.ts'

const made: string[] = []
const opened: Store[] = []

/** A folder of its own for each test, gone afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickpipe-cas-'))
  made.push(folder)
  return folder
}

export function temporaryStore(options: StoreOptions = {}): Store {
  return openAt(join(temporaryFolder(), 'root'), { durability: 'none', create: true, ...options })
}

export function openAt(root: string, options: StoreOptions = {}): Store {
  const store = openStore(root, options)
  opened.push(store)
  return store
}

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close().catch(() => {})
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

export function stage(store: Store, text: string | Uint8Array): Staged {
  return stageBytes(store.stagingDir, text)
}

/** Commits one object without a record, and returns its digest. */
export async function put(store: Store, text: string | Uint8Array): Promise<Digest> {
  const staged = stage(store, text)
  await store.commit({ staged: [staged], records: [] })
  return staged.digest
}

/** Some digest, for keys that stand for nothing. */
export function keyOf(name: string): Digest {
  return digestOf(`key ${name}`)
}
