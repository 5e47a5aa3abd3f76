import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeArtifact } from '../../cas/artifact.ts'
import { canonicalJson } from '../../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../../cas/digest.ts'
import type { RecordEntry } from '../../cas/records.ts'
import { type Staged, stageBytes } from '../../cas/staging.ts'
import { openStore, type Store } from '../../cas/store.ts'
import { keyOfSpec, type Manifest, type ManifestNode, specOf } from '../../snapshots/manifest.ts'

/** Temporary folders, and stores in them, that are all removed at the end. */
export class Sandbox {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tickpipe-snapshots-'))
  readonly #stores: Store[] = []
  #count = 0

  folder(): string {
    return join(this.#folder, `f${this.#count++}`)
  }

  store(root = this.folder()): Store {
    const store = openStore(root, { create: true, durability: 'none' })
    this.#stores.push(store)
    return store
  }

  async remove(): Promise<void> {
    for (const store of this.#stores) await store.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** What the sample's tasks compute: text that shows everything it was made from. */
export function computed(task: string, params: unknown, inputs: Readonly<Record<string, readonly string[]>>): string {
  return canonicalJson({ task, params, inputs: Object.fromEntries(Object.entries(inputs)) })
}

export interface SampleOptions {
  readonly raw?: string
  readonly symbols?: readonly string[]
  readonly config?: unknown
}

/** A finished run with real objects and records: one source, a parser for each symbol, a collector over all parsers
 *  whose code has a package, and a reporter behind it as the target. */
export async function sampleRun(store: Store, options: SampleOptions = {}): Promise<Manifest> {
  const { raw = 'BTC,1\nETH,2\n', symbols = ['BTC', 'ETH'] } = options
  const staged: Staged[] = []
  const records: RecordEntry[] = []
  const nodes: ManifestNode[] = []
  const stage = (bytes: string | Uint8Array): Digest => {
    const file = stageBytes(store.stagingDir, bytes)
    staged.push(file)
    return file.digest
  }
  const code = (name: string, packages: readonly unknown[] = []): Digest =>
    stage(
      canonicalJson({
        builtins: [],
        entry: name,
        format: 'tickpipe-code-1',
        modules: [{ code: name, id: name }],
        packages,
      }),
    )
  const add = (node: Omit<ManifestNode, 'artifact'>, type: string, name: string, text: string): ManifestNode => {
    const digest = stage(text)
    const artifact = describeArtifact(type, [{ name, digest, sizeBytes: Buffer.byteLength(text) }])
    stage(artifact.bytes)
    const whole = { ...node, artifact: artifact.id }
    nodes.push(whole)
    const kind = node.kind === 'source' ? ('observation' as const) : ('result' as const)
    records.push({ kind, key: keyOfSpec(specOf(whole)), artifact: artifact.id, payload: { address: node.address } })
    return whole
  }

  const fetch = add(
    { address: 'fetch', task: 'fetch', kind: 'source', code: { version: 1 }, params: {}, inputs: {} },
    'raw',
    'raw.csv',
    raw,
  )
  const parseCode = code('parse')
  const texts: string[] = []
  const parsed = symbols.map((symbol) => {
    const line = raw.split('\n').find((candidate) => candidate.startsWith(symbol)) ?? ''
    const params = { symbol }
    texts.push(computed('parse', params, { raw: [line] }))
    const node = { task: 'parse', kind: 'pure' as const, code: { run: parseCode }, inputs: { raw: fetch.artifact } }
    return add({ address: `parse[${symbol}]`, params, ...node }, 'klines', 'value.json', texts.at(-1)!)
  })
  const tree = stage(
    canonicalJson({ files: [{ digest: stage('export const one = 1'), path: 'index.js' }], format: 'tree-1' }),
  )
  const list = stage(canonicalJson(parsed.map(({ artifact }) => artifact)))
  const collectText = computed('collect', {}, { tables: texts })
  const collect = add(
    {
      address: 'collect',
      task: 'collect',
      kind: 'pure',
      code: { run: code('collect', [{ name: 'one', tree }]), ports: { strategy: code('strategy') } },
      params: {},
      inputs: { tables: { list }, extra: null },
    },
    'klines',
    'value.json',
    collectText,
  )
  add(
    {
      address: 'report',
      task: 'report',
      kind: 'pure',
      code: { run: code('report') },
      params: { title: 'sample' },
      inputs: { table: collect.artifact },
    },
    'report',
    'report.json',
    computed('report', { title: 'sample' }, { table: [collectText] }),
  )
  await store.commit({ staged, records })
  return {
    format: 1,
    pipeline: 'sample',
    targets: [{ name: 'report', addresses: ['report'] }],
    config: options.config ?? { symbols: [...symbols] },
    asOfMs: 1_700_000_000_000,
    nodes: nodes.sort((a, b) => (a.address < b.address ? -1 : 1)),
  }
}

export function nodeAt(manifest: Manifest, address: string): ManifestNode {
  const node = manifest.nodes.find((candidate) => candidate.address === address)
  if (node === undefined) throw new Error(`no node ${address}`)
  return node
}

/** Where the one file of a node's artifact lies. */
export function filePathOf(store: Store, node: ManifestNode): string {
  const { digest } = store.readDescriptor(node.artifact).files[0]!
  return `${store.objectsDir}/${digest.slice(0, 2)}/${digest.slice(2)}`
}

/** Evicts as gc does: the records first, then the file. */
export async function evict(store: Store, node: ManifestNode): Promise<void> {
  await store.commit({ staged: [], records: [{ kind: 'evicted', key: node.artifact }] })
  rmSync(filePathOf(store, node))
}

/** Everything under a root that others can see, by path: to show that nothing changed. */
export function visibleTree(store: Store): Map<string, string> {
  const found = new Map<string, string>()
  const visit = (path: string): void => {
    for (const name of readEntries(path)) {
      const at = join(path, name)
      const below = readEntries(at)
      if (below.length > 0) visit(at)
      else found.set(at, digestOf(readOrEmpty(at)))
    }
  }
  for (const folder of ['objects', 'records', 'snapshots']) visit(join(store.root, folder))
  return found
}

function readEntries(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function readOrEmpty(path: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch {
    return new Uint8Array()
  }
}
