import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeArtifact } from '../../../cas/artifact.ts'
import { type Digest, digestOf } from '../../../cas/digest.ts'
import { objectPath } from '../../../cas/layout.ts'
import { type Staged, stageBytes } from '../../../cas/staging.ts'
import { openStore } from '../../../cas/store.ts'
import { type Manifest, type ManifestNode, manifestBytes } from '../../../snapshots/manifest.ts'

export interface MadeNode {
  readonly address: string
  readonly task: string
  readonly type: string
  readonly params?: unknown
  /** Addresses of nodes before it, whose artifacts it read. */
  readonly reads?: readonly string[]
  readonly files: Readonly<Record<string, Uint8Array | string>>
}

export interface QueryRoot {
  readonly root: string
  /** Where a file of a node lies in the store. */
  objectOf(address: string, file?: string): string
}

/** A store with one finished run of these nodes, as if tasks had made them. */
export async function queryRoot(root: string, made: readonly MadeNode[]): Promise<QueryRoot> {
  const store = openStore(root, { create: true, durability: 'none' })
  const staged: Staged[] = []
  const paths = new Map<string, string>()
  const artifacts = new Map<string, Digest>()
  const nodes = made.map(({ address, task, type, params = {}, reads = [], files }): ManifestNode => {
    const described = Object.entries(files).map(([name, bytes]) => {
      const file = stageBytes(store.stagingDir, bytes)
      staged.push(file)
      paths.set(`${address} ${name}`, objectPath(store.objectsDir, file.digest))
      return { name, digest: file.digest, sizeBytes: Buffer.byteLength(bytes) }
    })
    const artifact = describeArtifact(type, described)
    staged.push(stageBytes(store.stagingDir, artifact.bytes))
    artifacts.set(address, artifact.id)
    const inputs = Object.fromEntries(reads.map((read, i) => [`input${i}`, artifacts.get(read)!]))
    return { address, task, kind: 'pure', code: { run: digestOf(task) }, params, inputs, artifact: artifact.id }
  })
  await store.commit({ staged, records: [] })
  await store.close()
  const manifest: Manifest = {
    format: 1,
    pipeline: 'made',
    targets: [{ name: 'all', addresses: nodes.map(({ address }) => address).sort() }],
    config: {},
    asOfMs: 0,
    nodes: nodes.toSorted((a, b) => (a.address < b.address ? -1 : 1)),
  }
  const run = join(root, 'runs', '20240301-000000000-made')
  mkdirSync(run, { recursive: true })
  writeFileSync(join(run, 'manifest.json'), manifestBytes(manifest))
  return { root, objectOf: (address, file = 'table.parquet') => paths.get(`${address} ${file}`)! }
}
