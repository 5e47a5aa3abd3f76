import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { plainStyle } from '../../../../pipeline/cli/style.ts'
import { linesView } from '../../../../pipeline/cli/views/linesView.ts'
import { runLog } from '../../../../pipeline/cli/views/runLog.ts'
import { type RunVerdict, renderVerdict } from '../../../../pipeline/cli/views/verdictBlock.ts'
import type { RunEvent } from '../../../../pipeline/engine/event.ts'
import { digest, ending, started, story } from './runEvents.ts'

const folder = mkdtempSync(join(tmpdir(), 'pipe-log-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('plain lines', () => {
  test('tell the whole story and use no escape sequence', async () => {
    const lines: string[] = []
    const view = linesView((line) => lines.push(line), plainStyle)
    for (const event of [...story, ...ending]) view.see(event)
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('../../../golden/run-lines.txt')
    expect(lines.join('')).not.toContain('\x1b')
  })

  test('say once what a node waits on, and how many nodes a failure kept from starting', () => {
    const lines: string[] = []
    const view = linesView((line) => lines.push(line), plainStyle)
    for (const on of ['process 7', 'process 8']) view.see({ kind: 'node waiting', elapsedMs: 1, address: 'a', on })
    const counts = { total: 4, cached: 0, executed: 1, unchanged: 0, failed: 1, skipped: 2 }
    view.see({ kind: 'node skipped', elapsedMs: 2, address: 'b', after: 'a' })
    view.see({ kind: 'run finished', elapsedMs: 3, outcome: 'failed', counts })
    expect(lines).toEqual([
      'waiting   a  on process 7',
      'skipped   b  after a',
      'skipped   and 1 more that were never started',
    ])
  })

  test('say once, at once, that a node asks again: for whom it waits, after what, and which try follows', () => {
    const lines: string[] = []
    const view = linesView((line) => lines.push(line), plainStyle)
    const waits = { kind: 'node waiting to retry', on: 'fapi.test', after: '503', waitMs: 8000 } as const
    for (const attempt of [2, 3]) {
      view.see({ ...waits, elapsedMs: attempt, address: 'a', attempt, attemptsMax: 8 })
    }
    view.see({ ...waits, elapsedMs: 4, address: 'b', after: '429' })
    expect(lines).toEqual([
      'waiting   a  8.00 s for fapi.test after 503, try 2 of 8',
      'waiting   b  8.00 s for fapi.test after 429',
    ])
  })

  test('say something at least every ten seconds while events come', () => {
    const lines: string[] = []
    const view = linesView((line) => lines.push(line), plainStyle)
    for (let i = 0; i < 40; i++) {
      view.see({ kind: 'node progress', elapsedMs: i * 1000, address: 'a', bytes: i, requests: i })
    }
    expect(lines).toHaveLength(3)
  })
})

describe('the line that says how far it is', () => {
  const cached = (address: string): RunEvent => ({
    kind: 'node cached',
    elapsedMs: 1,
    address,
    task: 'a',
    artifact: digest('a'),
  })
  const grew = (nodes: number, unexpanded = 0): RunEvent => ({ kind: 'graph grew', elapsedMs: 1, nodes, unexpanded })
  const expected = (remainingMs: number | undefined, nodesWithoutHistory = 0): RunEvent => ({
    kind: 'progress expected',
    elapsedMs: 11_000,
    ...(remainingMs === undefined ? {} : { remainingMs }),
    nodesWithoutHistory,
  })
  const saying = (...events: RunEvent[]): string => {
    const lines: string[] = []
    const view = linesView((line) => lines.push(line), plainStyle)
    for (const event of events) view.see(event)
    view.see({ kind: 'node progress', elapsedMs: 11_000, address: 'a', bytes: 1, requests: 1 })
    return lines.join('\n')
  }

  test('speaks of no share while the graph still grows, and never of 0 nodes', () => {
    expect(saying(cached('a'), cached('b'))).toBe('progress  2 of 2 nodes so far, 0 running, 11.0 s')
    expect(saying(grew(8, 1), cached('a'))).toBe('progress  1 of 8 nodes so far, 0 running, 11.0 s')
    expect(saying(grew(8), cached('a'))).toBe('progress  13 %, 1 of 8 nodes, 0 running, 11.0 s')
  })

  test('says "over" where some of what is left never ran before, and no time that is none', () => {
    const rest = [grew(8), cached('a')] as const
    const time = (event: RunEvent): string => saying(...rest, event).replace(/.*11\.0 s(, )?/, '')
    expect(time(expected(30_000))).toBe('about 30.0 s left')
    expect(time(expected(30_000, 3))).toBe('over 30.0 s left')
    expect(time(expected(200))).toBe('less than 1 s left')
    expect(time(expected(200, 3))).toBe('')
    expect(time(expected(undefined, 3))).toBe('')
  })
})

describe('the run log', () => {
  test('keeps every event, and what a person greps for', async () => {
    const logPath = join(folder, 'one', 'log')
    const log = runLog({ startedMs: Date.UTC(2024, 2, 1), onTrouble: (message) => expect.fail(message) })
    for (const event of [{ ...started, logPath } as RunEvent, ...story.slice(1), ...ending]) log.see(event)
    await log.ready()
    log.close()
    const events = readFileSync(join(folder, 'one', 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events).toEqual([{ ...started, logPath }, ...story.slice(1), ...ending])
    const lines = readFileSync(logPath, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map((line) => line.msg)).not.toContain('node cached')
    expect(lines.find((line) => line.msg === 'node failed')).toMatchObject({
      level: 'error',
      time: '2024-03-01T00:00:01.800Z',
      address: 'klines[BTCUSDX,2024-01]',
    })
  })

  test('is not written for a run in which nothing happened', async () => {
    const logPath = join(folder, 'two', 'log')
    const log = runLog({ startedMs: 0, onTrouble: (message) => expect.fail(message) })
    const cached = story.filter((event) => event.kind === 'node cached')
    for (const event of [{ ...started, logPath } as RunEvent, ...cached, ending.at(-1)!]) log.see(event)
    await log.ready()
    log.close()
    expect(existsSync(logPath)).toBe(false)
    expect(readFileSync(join(folder, 'two', 'events.jsonl'), 'utf8').split('\n')).toHaveLength(cached.length + 3)
  })

  test('that cannot be written is said once and stops nothing', async () => {
    const troubles: string[] = []
    const log = runLog({ startedMs: 0, onTrouble: (message) => troubles.push(message) })
    for (const event of [{ ...started, logPath: '/dev/null/log' } as RunEvent, ...story.slice(1)]) log.see(event)
    await log.ready()
    log.close()
    expect(troubles).toHaveLength(1)
  })
})

describe('the verdict', () => {
  test('says where its pages lie, and shows the numbers of a backtest as a small table', () => {
    const pages = ['/root/runs/20240301-120005-1/report.html']
    const numbers = [
      ['120 days', 'run', 'benchmark'],
      ['total return', '+1.2%', '−10.5%'],
      ['fills', '12', ''],
    ]
    const text = renderVerdict({ ...verdict, pages, numbers }, plainStyle)
    expect(text).toContain('open      /root/runs/20240301-120005-1/report.html')
    expect(text.split('\n').slice(1, 4)).toEqual([
      '  120 days        run  benchmark',
      '  total return  +1.2%     −10.5%',
      '  fills            12',
    ])
  })

  test('shows the best points of a sweep the same way, and below them what is said of all', () => {
    const sweep = [['lookback', 'Sharpe ratio'], ['1d', '0.50'], ['and 3 more']]
    expect(
      renderVerdict({ ...verdict, sweep }, plainStyle)
        .split('\n')
        .slice(1, 4),
    ).toEqual(['  lookback  Sharpe ratio', '  1d                0.50', '  and 3 more'])
  })

  test('shows the folds of a walk-forward below the points of the sweep', () => {
    const sweep = [
      ['lookback', 'Sharpe ratio'],
      ['1d', '0.50'],
    ]
    const walkForward = [['tested on', 'return'], ['2026-05-01 to 2026-05-20', '+1.0%'], ['said of all']]
    const lines = renderVerdict({ ...verdict, sweep, walkForward }, plainStyle).split('\n')
    expect(lines.slice(5, 8)).toEqual([
      '  tested on                 return',
      '  2026-05-01 to 2026-05-20   +1.0%',
      '  said of all',
    ])
  })

  test('fits 80 columns: sentences are broken, paths and ids are not, and no id is said twice', () => {
    const gap = 'a universe of those still listed today lacks LUNAUSDT and has AVAXUSDT, BNBUSDT and LTCUSDT instead'
    const told = { ...verdict, survivorship: gap, note: 'word '.repeat(30).trim() }
    const lines = renderVerdict(told, plainStyle, 80).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(lines.filter((line) => line.includes(verdict.manifestId!))).toHaveLength(1)
    expect(renderVerdict(told, plainStyle)).toContain(gap)
    const { snapshot: _, ...unpinned } = told
    expect(renderVerdict(unpinned, plainStyle)).toContain(`manifest  ${verdict.manifestId}`)
  })

  const verdict: RunVerdict = {
    outcome: 'ok',
    counts: { total: 12, cached: 10, executed: 2, unchanged: 1, failed: 0, skipped: 0 },
    wallMs: 2900,
    runId: '20240301-120005-1',
    runFolder: '/root/runs/20240301-120005-1',
    manifestId: digest('9'),
    manifest: {
      targets: [
        { name: 'report', addresses: ['report'] },
        { name: 'minute', addresses: ['minute[A]', 'minute[B]'] },
      ],
      nodes: [{ address: 'report', artifact: digest('4') }],
    },
    snapshot: { name: 'demo', id: digest('9'), folder: '/root/snapshots/demo', frozen: true },
    failures: [],
  }
  const golden = (name: string, value: RunVerdict) =>
    test(name, () =>
      expect(`${renderVerdict(value, plainStyle)}\n`).toMatchFileSnapshot(`../../../golden/verdict-${name}.txt`),
    )

  golden('ok', verdict)
  golden('nothing-to-do', {
    ...verdict,
    counts: { ...verdict.counts, cached: 12, executed: 0, unchanged: 0 },
    wallMs: 41,
  })
  golden('partial', {
    ...verdict,
    outcome: 'partial',
    counts: { ...verdict.counts, failed: 7, skipped: 3 },
    snapshot: undefined,
    failures: Array.from({ length: 7 }, (_, i) => `klines[S${i}]`),
  })
  golden('interrupted', { ...verdict, outcome: 'interrupted', snapshot: undefined })
  golden('disputed', { ...verdict, outcome: 'disputed', snapshot: undefined })
})
