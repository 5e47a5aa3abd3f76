import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import type { OurIngest } from './ingest/ours.ts'
import type { PeerIngest } from './ingest/peer.ts'
import { writeTradeArchive } from './ingest/tradeArchive.ts'
import { type Bench, comparedTo, type Row, rounded } from './measure.ts'

const oneThread = 'DuckDB 1 thread, unzip and copy'

/** A day's archive of single trades to checked Parquet, beside peers on the same file, each run a process of its own. */
export const bench: Bench = {
  name: 'ingest',
  async run({ quick }) {
    const rowCount = quick ? 1_000_000 : 5_000_000
    const runs = quick ? 3 : 5
    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-ingest-'))
    try {
      const path = join(folder, 'trades.zip')
      const textBytes = writeTradeArchive(path, rowCount)
      const hasUnzip = spawnSync('unzip', ['-v'], { stdio: 'ignore' }).status === 0
      const polars = polarsIn(folder)
      const measurements: Record<string, (OurIngest | PeerIngest)[]> = {}
      // One after the other, in turns: what else the machine does then hits all of them.
      for (let run = 0; run < runs; run++) {
        const add = (name: string, measured: OurIngest | PeerIngest) => {
          measurements[name] ??= []
          measurements[name].push(measured)
        }
        add('ours', child<OurIngest>('ours', path, 'unpack,parse,audit,ingest'))
        if (!hasUnzip) continue
        for (const threads of ['1', '2']) add(threads, child<PeerIngest>('peer', path, 'duckdb', threads))
        if (polars !== undefined && run < 3) add('polars', child<PeerIngest>('peer', path, 'polars', polars))
      }
      const ours = measurements['ours'] as OurIngest[]
      const rows: Row[] = []
      const rate = (name: string, wallMs: readonly number[], note: string) =>
        rows.push({ name, value: rounded(rowCount / medianOf(wallMs) / 1000), unit: 'Mrows/s', note })
      const step = (name: keyof OurIngest['steps']) => ours.map(({ steps }) => steps[name].wallMs)
      const cpu = (name: keyof OurIngest['steps']) =>
        `${rounded((medianOf(ours.map(({ steps }) => steps[name].cpuMs)) * 1000) / rowCount)} µs of processor a row`
      rate('tickpipe, ingest', step('ingest'), `zip to table, sorted and hashed, 1 thread; ${cpu('ingest')}`)
      rate('tickpipe, audit', step('audit'), `the pass before it, which may be asked for alone; ${cpu('audit')}`)
      rate(
        'tickpipe, both',
        ours.map(({ steps }) => steps.audit.wallMs + steps.ingest.wallMs),
        'one after the other; different partitions run side by side',
      )
      rate('floor: unpack', step('unpack'), `${rounded(textBytes / medianOf(step('unpack')) / 1000)} MB/s of text`)
      rate(
        'floor: unpack and parse',
        step('parse'),
        `${rounded(textBytes / medianOf(step('parse')) / 1000)} MB/s of text`,
      )
      for (const [key, name] of [
        ['1', oneThread],
        ['2', 'DuckDB 2 threads, unzip and copy'],
        ['polars', 'Polars, unzip and write'],
      ] as const) {
        const peers = measurements[key] as PeerIngest[] | undefined
        if (peers === undefined) {
          rows.push({ name, value: 0, unit: 'Mrows/s', note: 'absent: it, or unzip, is not installed' })
          continue
        }
        const unzipMs = Math.round(medianOf(peers.map((peer) => peer.unzipMs)))
        const exact = key === 'polars' ? 'prices as doubles, all threads' : 'the same columns, zstd'
        rate(
          name,
          peers.map(({ wallMs }) => wallMs),
          `unzip ${unzipMs} ms of it; ${exact}; ${cpuText(peers)}`,
        )
      }
      const size = (name: string, sizeBytes: number, note = '') =>
        rows.push({ name, value: rounded(sizeBytes / rowCount), unit: 'bytes/row', note })
      size('size, tickpipe', ours[0]!.sizeBytes)
      for (const [key, name] of [
        ['1', 'size, DuckDB'],
        ['polars', 'size, Polars'],
      ] as const)
        if (measurements[key] !== undefined) size(name, measurements[key][0]!.sizeBytes)
      rows.push(
        ...memoryRows(
          folder,
          quick ? [1_000_000, 4_000_000] : [5_000_000, 20_000_000],
          measurements['1'] as PeerIngest[],
        ),
      )
      return comparedTo(
        rows.some(({ name, value }) => name === oneThread && value > 0) ? oneThread : 'tickpipe, ingest',
        rows,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

/** Processor time, which other work on the machine lengthens less than it does the wall's. It has the start in it. */
const cpuText = (peers: readonly PeerIngest[]): string =>
  `${rounded((medianOf(peers.map(({ cpuMs }) => cpuMs)) * 1000) / peers[0]!.rows)} µs of processor a row`

/** The peak of a process that does both tasks, on files of several sizes: it must not grow with them. */
function memoryRows(folder: string, sizes: readonly number[], duckdb: readonly PeerIngest[] | undefined): Row[] {
  const path = join(folder, 'larger.zip')
  const rows = sizes.map((rowCount) => {
    writeTradeArchive(path, rowCount)
    const { peakRssMb } = child<OurIngest>('ours', path, 'audit,ingest')
    return { name: `peak memory, tickpipe, ${rowCount / 1_000_000}M rows`, value: peakRssMb, unit: 'MB' }
  })
  if (duckdb === undefined) return rows
  return [
    ...rows,
    { name: `peak memory, DuckDB 1 thread, ${sizes[0]! / 1_000_000}M rows`, value: duckdb[0]!.peakRssMb, unit: 'MB' },
  ]
}

function child<T>(module: 'ours' | 'peer', ...args: readonly string[]): T {
  const hooks = new URL('./loadTypeScript.mjs', import.meta.url)
  const register = `data:text/javascript,import{register}from"node:module";register(${JSON.stringify(hooks)})`
  const script = fileURLToPath(new URL(`./ingest/${module}.ts`, import.meta.url))
  return JSON.parse(execFileSync(process.execPath, ['--import', register, script, ...args], { encoding: 'utf8' })) as T
}

/** A folder from which Polars can be loaded, fetched from npm for the occasion where nobody has it. On Node 20 npm leaves
 *  its binary out unless that is asked for by name. */
function polarsIn(folder: string): string | undefined {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const loads = (dir: string): boolean => {
    try {
      createRequire(join(dir, 'package.json'))('nodejs-polars')
      return true
    } catch {
      return false
    }
  }
  if (loads(here)) return here
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const binary = `nodejs-polars-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--force', 'nodejs-polars', binary]
  const { status } = spawnSync('npm', install, { cwd: folder, stdio: 'ignore', timeout: 120_000 })
  return status === 0 && loads(folder) ? folder : undefined
}

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >>> 1]!
