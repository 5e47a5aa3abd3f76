import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../cas/digest.ts'
import type { Store } from '../../cas/store.ts'
import { exportSnapshot } from '../../snapshots/exportBundle.ts'
import type { Manifest } from '../../snapshots/manifest.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { snapshotFolder } from '../../snapshots/snapshotFolder.ts'
import { verifySnapshot } from '../../snapshots/verify.ts'
import type { VerifyOptions } from '../../snapshots/verifyLevel.ts'
import type { VerifyLevel, VerifyReport } from '../../snapshots/verifyReport.ts'
import { type Sandbox, sampleRun } from './sampleRun.ts'

/** A store with the sample run pinned as X. */
export async function pinnedSample(
  sandbox: Sandbox,
  symbols: readonly string[] = ['BTC', 'ETH'],
): Promise<{ store: Store; manifest: Manifest; folder: string }> {
  const store = sandbox.store()
  const raw = symbols.map((symbol, i) => `${symbol},${i}\n`).join('')
  const manifest = await sampleRun(store, { symbols, raw })
  await pinSnapshot(store, { name: 'X', manifest, provenance: {} })
  return { store, manifest, folder: snapshotFolder(store.root, 'X') }
}

export const verify = (store: Store, level: VerifyLevel, options: VerifyOptions = {}): Promise<VerifyReport> =>
  verifySnapshot(store, 'X', level, { workers: 1, ...options })

export const told = ({ findings }: VerifyReport) => findings.map(({ severity, kind, node }) => [severity, kind, node])

export const objectPathOf = (store: Store, digest: Digest): string =>
  join(store.objectsDir, digest.slice(0, 2), digest.slice(2))

/** The bundle of X, exported once a store. */
export function bundleOf(store: Store): string {
  const file = join(store.root, 'bundle.tar')
  if (!existsSync(file)) exportSnapshot(store, 'X', file)
  return file
}
