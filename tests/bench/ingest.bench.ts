import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { childBeside, childOf } from './childOf.ts'
import type { OurIngest } from './ingest/ours.ts'
import type { PeerIngest } from './ingest/peer.ts'
import { writeTradeArchive } from './ingest/tradeArchive.ts'
import { type Bench, comparedTo, type Row, rounded } from './measure.ts'
import { polarsIn } from './polarsIn.ts'

const ours = 'tickpipe, 1 thread'
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
      const besides: number[] = []
      const measurements: Record<string, (OurIngest | PeerIngest)[]> = {}
      // One after the other, in turns: what else the machine does then hits all of them.
      for (let run = 0; run < runs; run++) {
        const add = (name: string, measured: OurIngest | PeerIngest) => {
          measurements[name] ??= []
          measurements[name].push(measured)
        }
        add('ours', child<OurIngest>('ours', path, 'ingest,unpack,parse'))
        besides.push(await sideBySide(path))
        if (!hasUnzip) continue
        for (const threads of ['1', '2']) add(threads, child<PeerIngest>('peer', path, 'duckdb', threads))
        if (polars !== undefined && run < 3) add('polars', child<PeerIngest>('peer', path, 'polars', polars))
      }
      const alone = measurements['ours'] as OurIngest[]
      const rows: Row[] = []
      const rate = (name: string, wallMs: readonly number[], note: string) =>
        rows.push({ name, value: rounded(rowCount / medianOf(wallMs) / 1000), unit: 'Mrows/s', note })
      const step = (name: keyof OurIngest['steps']) => alone.map(({ steps }) => steps[name].wallMs)
      const cpu = medianOf(alone.map(({ steps }) => steps.ingest.cpuMs))
      rate(
        ours,
        step('ingest'),
        `zip to table, every cell and row checked, findings noted, hashed; ${cpuText(cpu, rowCount)}`,
      )
      rate(`${ours}, two files at once`, besides, 'a thread each, as a run with two workers does it')
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
          `unzip ${unzipMs} ms of it; ${exact}; ${cpuText(medianOf(peers.map(({ cpuMs }) => cpuMs)), rowCount)}`,
        )
      }
      const size = (name: string, sizeBytes: number, note = '') =>
        rows.push({ name, value: rounded(sizeBytes / rowCount), unit: 'bytes/row', note })
      size('size, tickpipe', alone[0]!.sizeBytes)
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
      return comparedTo(rows.some(({ name, value }) => name === oneThread && value > 0) ? oneThread : ours, rows)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

/** Processor time, which other work on the machine lengthens less than it does the wall's. A peer's has its start in it. */
const cpuText = (cpuMs: number, rowCount: number): string =>
  `${rounded((cpuMs * 1000) / rowCount)} µs of processor a row`

/** The peak of a process that ingests, on files of several sizes: it must not grow with them. */
function memoryRows(folder: string, sizes: readonly number[], duckdb: readonly PeerIngest[] | undefined): Row[] {
  const path = join(folder, 'larger.zip')
  const rows = sizes.map((rowCount) => {
    writeTradeArchive(path, rowCount)
    const { peakRssMb } = child<OurIngest>('ours', path, 'ingest')
    return { name: `peak memory, tickpipe, ${rowCount / 1_000_000}M rows`, value: peakRssMb, unit: 'MB' }
  })
  if (duckdb === undefined) return rows
  return [
    ...rows,
    { name: `peak memory, DuckDB 1 thread, ${sizes[0]! / 1_000_000}M rows`, value: duckdb[0]!.peakRssMb, unit: 'MB' },
  ]
}

/** Half the time that two processes take for a file each. */
async function sideBySide(path: string): Promise<number> {
  const both = await Promise.all([1, 2].map(() => childBeside<OurIngest>('./ingest/ours.ts', [path, 'ingest'])))
  return Math.max(...both.map(({ steps }) => steps.ingest.wallMs)) / 2
}

const child = <T>(module: 'ours' | 'peer', ...args: readonly string[]): T => childOf<T>(`./ingest/${module}.ts`, args)

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >>> 1]!
