import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { childOf } from './childOf.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import type { MinuteRun } from './minute/ours.ts'
import { assertSameBars } from './minute/sameBars.ts'
import { tradesPerDay, writeTradeFile } from './minute/tradeFile.ts'
import { polarsIn } from './polarsIn.ts'

type Tool = {
  readonly name: string
  readonly threads: 1 | 2
  readonly note: string
  readonly isOurs?: boolean
  /** Whether its bars are compared with ours; the floor makes none. */
  readonly makesBars: boolean
  run(resultPath: string): MinuteRun
}

/** A file of trades to the minute table, against the same bars by other tools over the same file, each run a process of its
 *  own. All results are compared, bar by bar. */
export const bench: Bench = {
  name: 'minute',
  async run({ quick }) {
    const days = quick ? 4 : 30
    const turns = 3
    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-minute-'))
    try {
      const path = join(folder, 'table.parquet')
      writeTradeFile(path, days)
      const polars = polarsIn(folder)
      const tools = toolsOf(path, folder, days, polars)
      const runs = new Map<Tool, MinuteRun[]>(tools.map((tool) => [tool, []]))
      let compared = 0
      // In turns: what else the machine does then hits all of them.
      for (let turn = 0; turn < turns; turn++) {
        let ours: Float64Array | undefined
        for (const [i, tool] of tools.entries()) {
          const resultPath = join(folder, `result-${i}`)
          runs.get(tool)!.push(tool.run(resultPath))
          if (!tool.makesBars || turn > 0) continue
          const { buffer } = new Uint8Array(readFileSync(resultPath))
          const bars = new Float64Array(buffer)
          if (ours === undefined) ours = bars
          else compared = assertSameBars(tool.name, ours, bars)
        }
      }
      const tradeCount = days * tradesPerDay
      // The least of the turns: what else the machine does only ever adds.
      const least = (tool: Tool, what: 'wallMs' | 'cpuMs') => Math.min(...runs.get(tool)!.map((run) => run[what]))
      const baseOf = ({ threads }: Tool) => tools.find((tool) => tool.isOurs === true && tool.threads === threads)!
      const against = (tool: Tool, figureOf: (tool: Tool) => number): Pick<Row, 'value' | 'ratio' | 'ratioTo'> => {
        const [value, base] = [figureOf(tool), baseOf(tool)]
        return {
          value: rounded(value),
          ...(tool === base ? {} : { ratioTo: base.name, ratio: rounded(value / figureOf(base)) }),
        }
      }
      const rows: Row[] = tools.map((tool) => {
        const { name, note } = tool
        return { name, unit: 'M trades/s', note, ...against(tool, (one) => tradeCount / least(one, 'wallMs') / 1000) }
      })
      for (const tool of tools) {
        const used = against(tool, (one) => (least(one, 'cpuMs') * 1e6) / tradeCount)
        rows.push({ name: tool.name, unit: 'ns/trade of processor', ...used })
      }
      if (polars === undefined)
        rows.push({ name: 'bars, Polars', value: 0, unit: 'M trades/s', note: 'absent: npm has it not' })
      for (const tool of tools) {
        const value = Math.max(...runs.get(tool)!.map(({ peakRssMb }) => peakRssMb))
        rows.push({ name: `peak memory, ${tool.name}`, value, unit: 'MB' })
      }
      if (!quick) {
        const less = join(folder, 'less.parquet')
        writeTradeFile(less, days / 3)
        const { peakRssMb } = oursOf(less, days / 3, 'minutes')(join(folder, 'less-result'))
        rows.push({
          name: `peak memory, tickpipe, ${days / 3}M trades`,
          value: peakRssMb,
          unit: 'MB',
          note: 'of whole process',
        })
      }
      const note = `minutes, the same by all tools; turnovers, which others sum as doubles, within 1e-9`
      rows.push({ name: 'bars compared', value: compared, unit: '', note })
      rows.push({ name: 'the file', value: rounded(statSync(path).size / tradeCount), unit: 'bytes/trade' })
      return rows
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

const oursOf = (path: string, days: number, how: 'minutes' | 'decode' | 'threads') => (resultPath: string) =>
  childOf<MinuteRun>('./minute/ours.ts', [path, String(days), how, resultPath])

function toolsOf(path: string, folder: string, days: number, polars: string | undefined): Tool[] {
  const peer =
    (tool: string, file: string, option: string, env = {}) =>
    (resultPath: string) =>
      childOf<MinuteRun>('./minute/peer.ts', [file, tool, option, resultPath], env)
  const ownFile = join(folder, 'duckdb.parquet')
  childOf('./minute/peer.ts', [path, 'copy', '', ownFile])
  const note = `${days} M trades`
  const all = `${note}, all columns of the minute table`
  return [
    {
      name: 'minutes, tickpipe, 1 thread',
      threads: 1,
      isOurs: true,
      makesBars: true,
      note: all,
      run: oursOf(path, days, 'minutes'),
    },
    {
      name: 'floor: tickpipe decodes, 1 thread',
      threads: 1,
      makesBars: false,
      note: 'the columns alone',
      run: oursOf(path, days, 'decode'),
    },
    {
      name: 'bars, DuckDB, 1 thread',
      threads: 1,
      makesBars: true,
      note: 'the same file',
      run: peer('duckdb', path, '1'),
    },
    {
      name: 'bars, DuckDB, 1 thread, its own file',
      threads: 1,
      makesBars: true,
      note: 'as it writes it, zstd',
      run: peer('duckdb', ownFile, '1'),
    },
    ...(polars === undefined
      ? []
      : ([
          {
            name: 'bars, Polars, 1 thread',
            threads: 1,
            makesBars: true,
            note: 'the same file, as doubles',
            run: peer('polars', path, polars, { POLARS_MAX_THREADS: '1' }),
          },
        ] as const)),
    {
      name: 'minutes, tickpipe, 2 threads',
      threads: 2,
      isOurs: true,
      makesBars: true,
      note: `${all}; each half in a worker`,
      run: oursOf(path, days, 'threads'),
    },
    {
      name: 'bars, DuckDB, 2 threads',
      threads: 2,
      makesBars: true,
      note: 'the same file',
      run: peer('duckdb', path, '2'),
    },
    ...(polars === undefined
      ? []
      : ([
          {
            name: 'bars, Polars, 2 threads',
            threads: 2,
            makesBars: true,
            note: 'the same file, as doubles',
            run: peer('polars', path, polars, { POLARS_MAX_THREADS: '2' }),
          },
        ] as const)),
  ]
}
