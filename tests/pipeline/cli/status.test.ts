import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { holdingsOf } from '../../../pipeline/cli/status/holdings.ts'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { startCountedExchange, writeDatasetProject } from './datasetProject.ts'

let pipe: BuiltPipe
let exchange: Awaited<ReturnType<typeof startCountedExchange>>
let cwd: string
const config = {
  from: '2026-07-04',
  universe: { mode: 'listed', symbols: ['XRPUSDT', 'WIFUSDT'] },
  bars: [{ interval: '30m' }],
}

beforeAll(async () => {
  pipe = await buildPipe()
  // WIF's archives are away for the first pass, and the API refuses it for longer.
  exchange = await startCountedExchange({
    faults: { rules: [{ match: 'WIFUSDT-30m-2026-08|klines.*symbol=WIFUSDT', kind: 'serverError', times: 40 }] },
  })
  cwd = join(pipe.dir, 'kept')
  writeDatasetProject(cwd, exchange.url, config)
}, 60_000)
afterAll(async () => {
  await exchange.close()
  pipe.remove()
})

const pipeIn = (...args: string[]) => pipe.start(args, { cwd }).ended
const statusJson = async (...args: string[]) => JSON.parse((await pipeIn('status', '--json', ...args)).stdout)
type Series = {
  dataSet: string
  symbol: string
  interval: string | null
  expected: number
  rows: number
  months: { month: string; worst: string | null }[]
  gaps: { from: string; to: string; rows: number | null; why: string; note: string | null }[]
}
const seriesOf = (json: { pipelines: { series: Series[] }[] }, dataSet: string, symbol: string): Series =>
  json.pipelines[0]!.series.find((one) => one.dataSet === dataSet && one.symbol === symbol)!

/** Every file under the store with its size and time: asking changes none of them. */
function storeMarks(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const { size, mtimeMs } = statSync(path)
      return `${path} ${size} ${mtimeMs}`
    })
    .sort()
}

describe('the completeness of a data set', () => {
  test('is not known before anything was planned', async () => {
    const ended = await pipeIn('status')
    expect(ended.status).toBe(10) // no store yet
    expect(ended.stdout).toBe('')
  }, 60_000)

  test('after a pass that failed in part tells what is here, what failed, and what the venue has none of', async () => {
    expect((await pipeIn('sync')).status).toBe(4)
    exchange.takeAsked()
    const before = storeMarks(join(cwd, '.pipe'))
    const json = await statusJson()
    expect(json.pipelines[0]).toMatchObject({
      pipeline: 'dataset',
      outcome: 'partial',
      dataAsOf: '2026-08-05T09:00:00.000Z',
      hasWork: true,
    })
    const xrp = seriesOf(json, 'klines', 'XRPUSDT')
    expect(xrp.expected - xrp.rows).toBe(5)
    expect(xrp.gaps).toEqual([
      { from: '2026-07-07T03:30:00.000Z', to: '2026-07-07T06:00:00.000Z', rows: 5, why: 'venueGap', note: null },
    ])
    expect(xrp.months).toMatchObject([
      { month: '2026-07', worst: 'venueGap' },
      { month: '2026-08', worst: null, rows: 4 * 48 + 18 },
    ])
    const wif = seriesOf(json, 'klines', 'WIFUSDT')
    const failed = wif.gaps.filter(({ why }) => why === 'failed')
    expect(failed.length).toBeGreaterThan(0)
    expect(failed[0]!.note).toContain('the venue answered')
    expect(wif.rows + wif.gaps.reduce((sum, { rows }) => sum + rows!, 0)).toBe(wif.expected)
    expect(seriesOf(json, 'funding', 'WIFUSDT')).toMatchObject({ gaps: [], months: [{ worst: null }, { worst: null }] })

    expect(storeMarks(join(cwd, '.pipe'))).toEqual(before)
    expect(exchange.takeAsked()).toEqual([])
    expect((await pipeIn('status', '--detailed-exitcode')).status).toBe(5)
  }, 60_000)

  test('is a picture that needs no colours, and lines that grep', async () => {
    const { stdout, status } = await pipeIn('status')
    expect(status).toBe(0)
    expect(stdout).toMatch(/klines 30m {2}XRPUSDT {2}\|▓█\| .* 99 % .*5 missing/)
    expect(stdout).toMatch(/funding {5}XRPUSDT {2}\|██\| .*100 %/)
    expect(stdout).toMatch(/klines 30m {2}WIFUSDT {2}\|.×\|/)
    expect(stdout).toMatch(/klines 30m {2}XRPUSDT {2}2026-07-07T03:30Z {2}2026-07-07T06:00Z +5 {2}the venue has none/)
    expect(stdout).not.toContain('\x1b[')
    const ascii = (await pipe.start(['status', '--symbol', 'XRP*'], { cwd, env: { LANG: 'C' } }).ended).stdout
    expect(ascii).toMatch(/\|=#\|/)
    expect(ascii).not.toContain('WIFUSDT')
    expect([...ascii].every((character) => character.charCodeAt(0) < 128)).toBe(true)
    const coloured = (await pipe.start(['status'], { cwd, env: { FORCE_COLOR: '1' } }).ended).stdout
    expect(coloured).toContain('\x1b[33m▓')
    const lines = (await pipeIn('status', '--lines')).stdout.trimEnd().split('\n')
    expect(lines.map((line) => line.split(' ').length)).toEqual(lines.map(() => 9))
    expect(lines).toContain('dataset usdm klines 30m XRPUSDT 2026-07 1339 1344 venueGap')
  }, 60_000)

  test('is one page that loads nothing', async () => {
    const page = join(cwd, 'status.html')
    expect((await pipeIn('status', '--html', 'status.html')).status).toBe(0)
    const text = readFileSync(page, 'utf8')
    expect(text).toContain('2026-07: 1,339 of 1,344 rows, the venue has none')
    expect(text).toContain('prefers-color-scheme: dark')
    expect(text).not.toMatch(/<script|src=|<link|@import|url\(/)
    rmSync(page)
  }, 60_000)

  test('after passes that got the rest lacks only what the venue has none of', async () => {
    for (let tries = 0; tries < 6; tries++) if ((await pipeIn('sync')).status === 0) break
    const json = await statusJson('--detailed-exitcode')
    expect(json.pipelines[0]).toMatchObject({ outcome: 'ok', hasWork: false })
    for (const symbol of ['XRPUSDT', 'WIFUSDT'])
      expect(seriesOf(json, 'klines', symbol).gaps.filter(({ why }) => why !== 'venueGap')).toEqual([])
  }, 60_000)

  test('of a pass that was killed counts what it had recorded', async () => {
    writeDatasetProject(cwd, exchange.url, { ...config, from: '2026-05-04', funding: false })
    const killed = pipe.start(['run', 'dataset', '--json'], { cwd })
    await killed.says(/"node done"[^\n]*"ingestKlines"/)
    killed.child.kill('SIGKILL')
    await killed.ended
    await new Promise((resolve) => setTimeout(resolve, 50))
    const json = await statusJson()
    expect(json.pipelines[0].outcome).toBe('unfinished')
    const xrp = seriesOf(json, 'klines', 'XRPUSDT')
    expect(xrp.rows).toBeGreaterThan(1400)
    expect(xrp.expected).toBe(
      xrp.rows + xrp.gaps.reduce((sum, { rows, why }) => sum + (why === 'notListed' ? 0 : rows!), 0),
    )
    // The contract was listed in the course of May.
    expect(seriesOf(json, 'klines', 'WIFUSDT').gaps[0]).toMatchObject({
      why: 'notListed',
      to: '2026-05-20T10:00:00.000Z',
    })
    // Its events reach the disk now and then; the plan is in the records all the same.
    const runs = join(cwd, '.pipe', 'runs')
    const events = join(runs, readdirSync(runs).sort().at(-1)!, 'events.jsonl')
    const text = readFileSync(events, 'utf8')
    writeFileSync(events, text.slice(0, text.indexOf('\n') + 1))
    expect(await statusJson()).toEqual(json)
  }, 60_000)

  test('of targets that no run made is said to be unknown', async () => {
    const ended = await pipeIn('status', 'nothing')
    expect(ended.status).toBe(2)
    expect(ended.stderr).toContain('pipe sync')
  }, 60_000)
})

describe('a failed node', () => {
  const failed = (task: string, params: object) => ({ task, params, message: task })
  const failures = [
    failed('fetchBars', { symbol: 'AUSDT', interval: '1h', period: '2026-07' }),
    failed('fetchBarPage', { symbol: 'AUSDT', market: 'spot', interval: '1h', slice: { fromTsMs: 0, toTsMs: 9e15 } }),
    failed('fetchFundingMonth', { symbol: 'AUSDT', period: '2026-07' }),
    failed('fetchSpotAggTrades', { symbol: 'AUSDT', period: '2026-07-02' }),
    failed('fetchPresent', {}),
  ]
  const { failureOf } = holdingsOf({} as never, { nodes: [], failures } as never)
  const of = (series: object, fromDay: string, toDay: string) =>
    failureOf({ dataSet: 'klines', market: 'usdm', symbol: 'AUSDT', ...series } as never, {
      symbol: 'AUSDT',
      period: '',
      fromTsMs: Date.parse(fromDay),
      toTsMs: Date.parse(toDay),
      isArchived: true,
      slices: [],
    })

  test('is the reason for its own rows, and for no others', () => {
    const july = ['2026-07-01', '2026-08-01'] as const
    expect(of({ interval: '1h' }, ...july)).toBe('fetchBars')
    expect(of({ interval: '1h' }, '2026-07-05', '2026-07-06')).toBe('fetchBars')
    expect(of({ interval: '1h' }, '2026-08-01', '2026-09-01')).toBeUndefined()
    expect(of({ interval: '1m' }, ...july)).toBeUndefined()
    expect(of({ interval: '1h', dataSet: 'markPriceKlines' }, ...july)).toBeUndefined()
    expect(of({ interval: '1h', market: 'spot' }, ...july)).toBe('fetchBarPage')
    expect(of({ dataSet: 'funding' }, ...july)).toBe('fetchFundingMonth')
    expect(of({ dataSet: 'aggTrades', market: 'spot' }, '2026-07-02', '2026-07-03')).toBe('fetchSpotAggTrades')
    expect(of({ dataSet: 'trades', market: 'spot' }, '2026-07-02', '2026-07-03')).toBeUndefined()
    expect(of({ dataSet: 'metrics' }, ...july)).toBeUndefined()
  })
})
