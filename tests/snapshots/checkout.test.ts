import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../cas/artifact.ts'
import { type Staged, stageBytes } from '../../cas/staging.ts'
import { Fault } from '../../lib/fault.ts'
import { encodeTable } from '../../lib/tables/parquet.ts'
import { decimal, defineTable, tsMs, utf8 } from '../../lib/tables/schema.ts'
import { makeTable } from '../../lib/tables/table.ts'
import { type CheckoutOptions, checkout } from '../../snapshots/checkout.ts'
import type { Manifest, ManifestNode } from '../../snapshots/manifest.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { evict, filePathOf, nodeAt, Sandbox, sampleRun } from './sampleRun.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

async function pinned() {
  const store = sandbox.store()
  const manifest = await sampleRun(store)
  await pinSnapshot(store, { name: 'X', manifest, provenance: {} })
  return { store, manifest, dir: sandbox.folder() }
}

const filesUnder = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .sort()

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }
  throw new Error('it was accepted')
}

const everything: CheckoutOptions = { select: () => true }

describe('checkout', () => {
  test('lays out the targets, or what is selected, as Hive partitions', async () => {
    const { store, manifest, dir } = await pinned()
    expect(await checkout(store, 'X', dir)).toMatchObject({ files: 1 })
    expect(filesUnder(dir)).toEqual(['report/report.json'])
    const all = sandbox.folder()
    const { sizeBytes } = await checkout(store, 'X', all, everything)
    expect(filesUnder(all)).toEqual([
      'collect/value.json',
      'fetch/raw.csv',
      'parse/symbol=BTC/value.json',
      'parse/symbol=ETH/value.json',
      'report/report.json',
    ])
    expect(sizeBytes).toBe(filesUnder(all).reduce((sum, file) => sum + statSync(join(all, file)).size, 0))
    const report = nodeAt(manifest, 'report')
    expect(readFileSync(join(all, 'report/report.json'))).toEqual(readFileSync(filePathOf(store, report)))
  })

  test('a copy is the user’s own: writable, and the store never sees what is written', async () => {
    const { store, manifest, dir } = await pinned()
    const { methods } = await checkout(store, 'X', dir)
    expect(methods.reflink + methods.copy).toBe(1)
    writeFileSync(join(dir, 'report/report.json'), 'mine')
    expect(readFileSync(filePathOf(store, nodeAt(manifest, 'report')), 'utf8')).not.toBe('mine')
  })

  test('a hard link is read-only and takes no room', async () => {
    const { store, manifest, dir } = await pinned()
    const { methods } = await checkout(store, 'X', dir, { method: 'hardlink' })
    expect(methods).toEqual({ reflink: 0, hardlink: 1, copy: 0 })
    const linked = statSync(join(dir, 'report/report.json'))
    expect(linked.ino).toBe(statSync(filePathOf(store, nodeAt(manifest, 'report'))).ino)
    expect(linked.mode & 0o222).toBe(0)
    // Once more over itself leaves one name and no leftover.
    await checkout(store, 'X', dir, { method: 'hardlink', force: true })
    expect(filesUnder(dir)).toEqual(['report/report.json'])
  })

  test('an object that somebody made writable is copied, not linked', async () => {
    const { store, manifest, dir } = await pinned()
    chmodSync(filePathOf(store, nodeAt(manifest, 'report')), 0o644)
    expect((await checkout(store, 'X', dir, { method: 'hardlink' })).methods.copy).toBe(1)
  })

  test('a folder that holds something is refused, and --overwrite keeps what is not ours', async () => {
    const { store, dir } = await pinned()
    mkdirSync(join(dir, 'report'), { recursive: true })
    writeFileSync(join(dir, 'notes.txt'), 'keep')
    writeFileSync(join(dir, 'report/report.json'), 'old')
    const fault = await faultOf(checkout(store, 'X', dir))
    expect(fault).toMatchObject({ code: 'refused', todo: expect.stringContaining('--overwrite') })
    expect(readFileSync(join(dir, 'report/report.json'), 'utf8')).toBe('old')
    await checkout(store, 'X', dir, { force: true })
    expect(filesUnder(dir)).toEqual(['notes.txt', 'report/report.json'])
    expect(readFileSync(join(dir, 'report/report.json'), 'utf8')).toContain('sample')
  })

  test('a link where a file goes is replaced, never written through', async () => {
    const { store, dir } = await pinned()
    const elsewhere = join(store.root, 'elsewhere')
    writeFileSync(elsewhere, 'untouched')
    mkdirSync(join(dir, 'report'), { recursive: true })
    symlinkSync(elsewhere, join(dir, 'report/report.json'))
    await checkout(store, 'X', dir, { force: true })
    expect(readFileSync(elsewhere, 'utf8')).toBe('untouched')
  })

  test('a file where the folder should be, nothing selected, and no such snapshot', async () => {
    const { store, dir } = await pinned()
    writeFileSync(dir, '')
    expect((await faultOf(checkout(store, 'X', dir))).what).toBe('this is a file')
    expect((await faultOf(checkout(store, 'X', `${dir}2`, { select: () => false }))).code).toBe('usage')
    expect((await faultOf(checkout(store, 'Y', `${dir}2`))).code).toBe('usage')
  })

  test('evicted bytes are demanded; where nobody can bring them, nothing is written', async () => {
    const { store, manifest, dir } = await pinned()
    const node = nodeAt(manifest, 'parse[BTC]')
    const bytes = readFileSync(filePathOf(store, node))
    await evict(store, node)
    const fault = await faultOf(checkout(store, 'X', dir, everything))
    expect(fault).toMatchObject({ code: 'unverifiable', where: 'parse[BTC]' })
    expect(() => readdirSync(dir)).toThrow()
    const demanded: string[] = []
    await checkout(store, 'X', dir, {
      ...everything,
      demand: async ({ address, artifact }) => {
        demanded.push(address)
        const staged = [stageBytes(store.stagingDir, bytes), stageBytes(store.stagingDir, store.readObject(artifact))]
        await store.commit({ staged, records: [] })
      },
    })
    expect(demanded).toEqual(['parse[BTC]'])
    expect(readFileSync(join(dir, 'parse/symbol=BTC/value.json'))).toEqual(bytes)
    rmSync(filePathOf(store, nodeAt(manifest, 'report')))
    expect((await faultOf(checkout(store, 'X', sandbox.folder()))).code).toBe('corrupt')
  })
})

const klines = defineTable({
  name: 'klines',
  version: 1,
  columns: { openTsMs: tsMs(), symbol: utf8(), closePx: decimal(2) },
  sortKey: ['openTsMs'],
})

test('DuckDB reads a checked out family with its partitions', async () => {
  const store = sandbox.store()
  const staged: Staged[] = []
  const nodes = ['BTCUSDT', 'ETHUSDT'].flatMap((symbol, s) =>
    ['2024-01', '2024-02'].map((month, m): ManifestNode => {
      const bytes = encodeTable(
        makeTable(klines, {
          openTsMs: Float64Array.of(1_704_067_200_000 + m, 1_704_067_260_000 + m),
          symbol: [symbol, symbol],
          closePx: BigInt64Array.of(BigInt(s * 100), BigInt(m + 1)),
        }),
      )
      const file = stageBytes(store.stagingDir, bytes)
      const { id, bytes: descriptor } = describeArtifact('klines', [
        { name: 'table.parquet', digest: file.digest, sizeBytes: file.sizeBytes, rows: 2 },
      ])
      staged.push(file, stageBytes(store.stagingDir, descriptor))
      return {
        address: `klines[${symbol},1m,${month}]`,
        task: 'klines',
        kind: 'source',
        code: { version: 1 },
        params: { interval: '1m', month, symbol },
        inputs: {},
        artifact: id,
      }
    }),
  )
  await store.commit({ staged, records: [] })
  const manifest: Manifest = {
    format: 1,
    pipeline: 'klines',
    targets: [{ name: 'klines', addresses: nodes.map(({ address }) => address) }],
    config: {},
    asOfMs: 0,
    nodes,
  }
  await pinSnapshot(store, { name: 'K', manifest, provenance: {} })
  const dir = sandbox.folder()
  await checkout(store, 'K', dir)
  expect(filesUnder(dir)[0]).toBe('klines/symbol=BTCUSDT/interval=1m/month=2024-01/table.parquet')

  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const query = `select symbol, month, count(*)::int as n, sum(closePx)::varchar as total
    from read_parquet('${dir}/klines/**/*.parquet', hive_partitioning = true) group by all order by all`
  const rows = (await connection.runAndReadAll(query)).getRowObjectsJson()
  connection.closeSync()
  expect(rows).toEqual([
    { symbol: 'BTCUSDT', month: '2024-01', n: 2, total: '0.01' },
    { symbol: 'BTCUSDT', month: '2024-02', n: 2, total: '0.02' },
    { symbol: 'ETHUSDT', month: '2024-01', n: 2, total: '1.01' },
    { symbol: 'ETHUSDT', month: '2024-02', n: 2, total: '1.02' },
  ])
})
