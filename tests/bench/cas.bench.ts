import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, randomFillSync } from 'node:crypto'
import {
  closeSync,
  fsync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describeArtifact } from '../../cas/artifact.ts'
import { digestOf } from '../../cas/digest.ts'
import { openStagedWriter, stageBytes } from '../../cas/staging.ts'
import { openStore } from '../../cas/store.ts'
import { verifyObjects } from '../../cas/verify.ts'
import { type Bench, type Row, rounded } from './measure.ts'

const MiB = 2 ** 20

/** A mix as a market pipeline makes it: most bytes in large tables, most files small. Shares of all bytes by size. */
const mix = [
  { sizeBytes: 32 * MiB, share: 0.6 },
  { sizeBytes: MiB, share: 0.3 },
  { sizeBytes: 64 * 1024, share: 0.09 },
  { sizeBytes: 4096, share: 0.01 },
]

const barePath = 'bare copy + hash + fsync'

export const bench: Bench = {
  name: 'cas',
  async run({ quick }) {
    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-cas-'))
    try {
      // Small files first, and nothing deleted before the end: some filesystems make a file more slowly for minutes
      // after others were deleted, which would be measured instead.
      const small: Row[] = []
      for (const nodes of quick ? [1000, 10_000] : [1000, 10_000, 30_000]) small.push(await smallCommits(folder, nodes))
      const corpus = join(folder, 'corpus')
      const { files, totalBytes } = writeCorpus(corpus, (quick ? 200 : 2000) * MiB)
      const rows = await storeAgainstBare(folder, files, totalBytes, quick ? 3 : 2)
      rows.push(...peers(folder, corpus, totalBytes, rows[0]!))
      rows.push(...(await verifyRows(folder, files, totalBytes)))
      rows.push(...small, ...(await openings(folder)))
      return rows
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

function writeCorpus(corpus: string, wantedBytes: number): { files: string[]; totalBytes: number } {
  mkdirSync(corpus)
  const files: string[] = []
  let totalBytes = 0
  for (const { sizeBytes, share } of mix) {
    const bytes = Buffer.alloc(sizeBytes)
    for (let left = wantedBytes * share; left > 0; left -= sizeBytes) {
      randomFillSync(bytes)
      const path = join(corpus, `f${files.length}`)
      writeFileSync(path, bytes)
      files.push(path)
      totalBytes += sizeBytes
    }
  }
  return { files, totalBytes }
}

/** Best of a few interleaved runs, so that both meet the same weather. */
async function storeAgainstBare(
  folder: string,
  files: readonly string[],
  totalBytes: number,
  runs: number,
): Promise<Row[]> {
  let bareMs = Number.POSITIVE_INFINITY
  let storeMs = Number.POSITIVE_INFINITY
  for (let run = 0; run < runs; run++) {
    execFileSync('sync')
    bareMs = Math.min(bareMs, await timed(() => copyBare(files, join(folder, `copies-${run}`))))
    execFileSync('sync')
    storeMs = Math.min(storeMs, await timed(() => storeAll(files, join(folder, `store-${run}`))))
  }
  const perSecond = (ms: number) => rounded(totalBytes / 1e6 / (ms / 1000))
  return [
    {
      name: barePath,
      value: perSecond(bareMs),
      unit: 'MB/s',
      note: `${files.length} files, ${Math.round(totalBytes / 1e6)} MB`,
    },
    {
      name: 'store the same files',
      value: perSecond(storeMs),
      unit: 'MB/s',
      ratioTo: barePath,
      ratio: rounded(bareMs / storeMs),
      note: 'target 0.8',
    },
  ]
}

const chunk = Buffer.allocUnsafeSlow(MiB)

/** What anybody would write by hand: each file read, hashed and written in pieces; all flushed in parallel. */
async function copyBare(files: readonly string[], target: string): Promise<void> {
  mkdirSync(target)
  const flushes: Promise<void>[] = []
  for (const [i, path] of files.entries()) {
    const from = openSync(path, 'r')
    const to = openSync(join(target, String(i)), 'wx')
    const hash = createHash('sha256')
    for (let count = 0; (count = readSync(from, chunk, 0, chunk.length, null)) > 0; ) {
      const piece = chunk.subarray(0, count)
      hash.update(piece)
      writeSync(to, piece)
    }
    hash.digest('hex')
    closeSync(from)
    flushes.push(flushAndClose(to))
    await nextTurn()
  }
  await Promise.all(flushes)
  const fd = openSync(target, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

function flushAndClose(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(fd, (error) => {
      closeSync(fd)
      if (error) reject(error)
      else resolve()
    })
  })
}

async function storeAll(files: readonly string[], root: string): Promise<void> {
  const store = openStore(root, { create: true })
  const commits: Promise<void>[] = []
  for (const path of files) {
    const from = openSync(path, 'r')
    const writer = openStagedWriter(store.stagingDir)
    for (let count = 0; (count = readSync(from, chunk, 0, chunk.length, null)) > 0; )
      writer.write(chunk.subarray(0, count))
    closeSync(from)
    const staged = writer.finish()
    commits.push(store.commit({ staged: [staged], records: [{ kind: 'note', key: staged.digest }] }))
    await nextTurn()
  }
  await Promise.all(commits)
  await store.close()
}

/** The same folder given to other stores, each with a fresh repository. One that is not installed is said to be. */
function peers(folder: string, corpus: string, totalBytes: number, bare: Row): Row[] {
  const at = (name: string) => join(folder, name)
  const git = [`--git-dir=${at('git')}`, `--work-tree=${corpus}`]
  const env = { ...process.env, RESTIC_PASSWORD: 'bench', BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' }
  const commands: { tool: string; name: string; init: string[]; store: string[] }[] = [
    { tool: 'git', name: 'git add', init: [...git, 'init', '-q'], store: [...git, 'add', '.'] },
    {
      tool: 'borg',
      name: 'borg create',
      init: ['init', '-e', 'none', at('borg')],
      store: ['create', `${at('borg')}::a`, corpus],
    },
    {
      tool: 'restic',
      name: 'restic backup',
      init: ['-q', '-r', at('restic'), 'init'],
      store: ['-q', '-r', at('restic'), 'backup', corpus],
    },
  ]
  return commands.map(({ tool, name, init, store }) => {
    const absent: Row = { name, value: 0, unit: 'MB/s', note: `${tool} is not installed here` }
    if (spawnSync(tool, ['--version'], { stdio: 'ignore' }).status !== 0) return absent
    execFileSync(tool, init, { env, cwd: folder, stdio: 'ignore' })
    execFileSync('sync')
    const start = performance.now()
    execFileSync(tool, store, { env, cwd: corpus, stdio: 'ignore' })
    const value = rounded(totalBytes / 1e6 / ((performance.now() - start) / 1000))
    return {
      name,
      value,
      unit: 'MB/s',
      ratioTo: bare.name,
      ratio: rounded(value / bare.value),
      note: 'with its default settings',
    }
  })
}

async function verifyRows(folder: string, files: readonly string[], totalBytes: number): Promise<Row[]> {
  const root = join(folder, 'verified')
  await storeAll(files, root)
  const store = openStore(root)
  const rows: Row[] = []
  for (const workers of [1, 2]) {
    await verifyObjects(store, { workers })
    const ms = await timed(async () => {
      const { findings } = await verifyObjects(store, { workers })
      if (findings.length > 0) throw new Error('the store of the benchmark is damaged')
    })
    const name = `full verify, ${workers} worker${workers > 1 ? 's' : ''}`
    rows.push({
      name,
      value: rounded(totalBytes / 1e9 / (ms / 1000)),
      unit: 'GB/s',
      note: workers > 1 ? 'target 1' : undefined,
    })
  }
  await store.close()
  return rows
}

/** What trivial nodes cost: a value, its descriptor and a record each, durable. */
async function smallCommits(folder: string, nodes: number): Promise<Row> {
  const root = join(folder, `small-${nodes}`)
  const store = openStore(root, { create: true })
  const ms = await timed(async () => {
    const commits: Promise<void>[] = []
    for (let i = 0; i < nodes; i++) {
      const file = stageBytes(store.stagingDir, `{"value":${i}}`)
      const artifact = describeArtifact('json', [
        { name: 'value.json', digest: file.digest, sizeBytes: file.sizeBytes },
      ])
      const staged = [file, stageBytes(store.stagingDir, artifact.bytes)]
      const spec = { format: 1, task: 'trivial', code: digestOf('code'), params: { i }, inputs: {} }
      commits.push(
        store.commit({
          staged,
          records: [{ kind: 'result', key: digestOf(`${i}`), artifact: artifact.id, payload: { spec } }],
        }),
      )
      if (i % 64 === 0) await nextTurn()
    }
    await Promise.all(commits)
  })
  await store.close()
  return {
    name: `${nodes} small commits`,
    value: rounded((ms * 1000) / nodes),
    unit: 'µs/node',
    note: `${(ms / 1000).toFixed(2)} s for 2 files and 1 record each`,
  }
}

async function openings(folder: string): Promise<Row[]> {
  const root = join(folder, 'records')
  const store = openStore(root, { create: true })
  for (let block = 0; block < 10; block++) {
    const records = Array.from({ length: 10_000 }, (_, i) => ({
      kind: 'result' as const,
      key: digestOf(`${block} ${i}`),
      artifact: digestOf(`${i}`),
      payload: { spec: { task: 'trivial', params: { i }, inputs: { of: digestOf(`${block}`) } } },
    }))
    await store.commit({ staged: [], records })
  }
  await store.close()
  const rows: Row[] = []
  const opening = async (name: string) => {
    const ms = await timed(async () => openStore(root, { readOnly: true }))
    rows.push({ name, value: rounded(ms), unit: 'ms', note: `${directoryBytes(store.layout.records)} MB of segments` })
  }
  await opening('open 100,000 records, cached index')
  rmSync(join(store.layout.index, 'records.cache'))
  await opening('open 100,000 records, no index')
  return rows
}

function directoryBytes(path: string): number {
  return Math.round(readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0) / 1e6)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}
