import { describe, expect, test } from 'vitest'
import type { FileSet } from '../../../lib/artifact.ts'
import { decodeBacktest } from '../../../lib/market/runs/backtestFiles.ts'
import type { MetricsJson } from '../../../lib/market/runs/backtestOutputs.ts'
import { diffTables } from '../../../lib/tables/diff.ts'
import type { minuteTable } from '../../../lib/tables/minute.ts'
import type { TableOf } from '../../../lib/tables/table.ts'
import type { tradeTable } from '../../../lib/tables/trades.ts'
import { parseUtc } from '../../../lib/time.ts'
import { usdm } from '../../../pipeline/graphs/usdm.ts'
import { MemoryRun } from '../../support/memoryRun.ts'

const present = parseUtc('2026-08-05T09:00')!
const config = {
  // Over a month's end, and over the outage of June 2nd.
  from: '2026-05-29',
  to: '2026-06-04',
  baseInterval: '1h',
  spot: false,
  universe: { allow: ['BTCUSDT', 'ETHUSDT', '1000PEPEUSDT'], size: 2 },
  strategy: { params: { lookback: '24h', perSide: 1 } },
  sensitivity: false,
}

describe('the pipeline usdm, run on the embedded exchange', () => {
  test('goes from the listing to the report, with the event stream and the verdicts the run saw', async () => {
    const run = new MemoryRun(usdm, config, present)
    await run.make('report')
    const { request, result } = decodeBacktest(run.values.get('backtest') as FileSet)
    expect(request.data!.eventStream!.digest).toBe((run.values.get('replay[2026-06]') as { digest: string }).digest)
    expect(request.data!.universe.mode).toBe('historical')
    expect(result.fills.rows).toBeGreaterThan(0)
    expect((run.values.get('metrics') as MetricsJson).days).toBe(6)
    expect([...run.of('buildMinute').keys()].every((address) => /\[\w+,2026-0[56]\]$/.test(address))).toBe(true)
    expect((run.values.get('report') as FileSet).names).toContain('report.html')
  }, 60_000)

  test('is chosen anew at the start of each month', async () => {
    const run = new MemoryRun(usdm, config, present)
    await run.make('universe')
    const { selection } = run.values.get('buildUniverse') as { selection: { dates: { tsMs: number }[] } }
    expect(selection.dates.map(({ tsMs }) => new Date(tsMs).toISOString().slice(0, 10))).toEqual([
      '2026-05-29',
      '2026-06-01',
    ])
  }, 60_000)

  test('makes a page of the quality of its data, and tables beside it', async () => {
    const run = new MemoryRun(usdm, config, present)
    await run.make('qa')
    const files = run.values.get('qaPage') as FileSet
    expect(files.names).toEqual(['qa.html', 'qa-days.csv', 'qa-findings.csv', 'qa-masks.csv'])
    const text = (name: string) => new TextDecoder().decode(files.read(name))
    expect(text('qa.html')).toContain('2026-05-29 to before 2026-06-04')
    const symbols = run.of('qa').size / 2
    // The months of a symbol are one: a line for each day.
    expect(text('qa-days.csv').trimEnd().split('\n').length).toBe(1 + 6 * symbols)
  }, 60_000)

  test('makes the same minutes of klines and of trades, and tags what aggregate trades say otherwise', async () => {
    const days = { ...config, from: '2026-05-31', to: '2026-06-02', universe: { ...config.universe, size: 1 } }
    const known = new Map<string, unknown>()
    const made = async (barsFrom: string) => {
      const run = new MemoryRun(usdm, { ...days, barsFrom }, present, known)
      await run.make('minute')
      return run.of<TableOf<typeof minuteTable>>('buildMinute')
    }
    const fromKlines = await made('klines')
    expect(fromKlines.size).toBeGreaterThan(0)
    const others = (table: TableOf<typeof minuteTable>, address: string) =>
      diffTables(table, fromKlines.get(address)!).columns.map(({ name }) => name)
    for (const barsFrom of ['trades', 'aggTrades']) {
      const minutes = await made(barsFrom)
      expect([...minutes.keys()]).toEqual([...fromKlines.keys()])
      for (const [address, table] of minutes) {
        // Nothing else is another but that there is something to compare with.
        expect(others(table, address)).toEqual(['differs'])
        expect(table.columns.differs.values.every((differs) => differs === 0)).toBe(true)
      }
    }
  }, 60_000)

  test('has trades in the event stream where they are asked for', async () => {
    const days = { ...config, from: '2026-06-01', to: '2026-06-02', universe: { ...config.universe, size: 1 } }
    const run = new MemoryRun(usdm, { ...days, trades: ['usdm', 'spot'] }, present)
    await run.make('replay')
    const { byClass } = run.values.get('replay[2026-06]') as { byClass: Record<string, number> }
    const trades = [...run.of<TableOf<typeof tradeTable>>('ingestTrades').values()]
    expect(byClass['trade']).toBe(trades.reduce((sum, { rowCount }) => sum + rowCount, 0))
    expect(byClass['trade']).toBeGreaterThan(10_000)
  }, 60_000)

  test.each([
    ['ends behind the last whole day', '2026-08-01', '2026-08-06'],
    ['is still to come', '2027-01-01', '2027-01-08'],
  ])(
    'over a range that %s, refuses and says which day that is',
    async (_, from, to) => {
      const run = new MemoryRun(usdm, { ...config, from, to }, present)
      await expect(run.make('report')).rejects.toMatchObject({
        code: 'usage',
        what: `the range ends ${to}, and of klines there are whole days before 2026-08-05 only`,
      })
    },
    60_000,
  )

  test('over a range before there were any, says that nobody could be chosen and why', async () => {
    const run = new MemoryRun(usdm, { ...config, from: '2019-01-01', to: '2019-01-08' }, present)
    await expect(run.make('report')).rejects.toMatchObject({
      code: 'failed',
      what: expect.stringMatching(/the universe has no symbol \(.*it has no bars in the 30 days before 20/),
      where: 'universe',
    })
    expect([...run.values.keys()].filter((address) => /^(backtest|metrics|report)/.test(address))).toEqual([])
  }, 60_000)
})
