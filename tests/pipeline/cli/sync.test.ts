import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStore } from '../../../cas/store.ts'
import { nextNewsTsMs } from '../../../lib/market/plan/nextNews.ts'
import { type DatasetWish, planDataset } from '../../../lib/market/plan/planDataset.ts'
import { createRng } from '../../../lib/rng.ts'
import type { ServerOptions } from '../../../lib/sim/server.ts'
import { HOUR_MS, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { nextPassMs } from '../../../pipeline/cli/sync/pace.ts'
import { PassFolders } from '../../../pipeline/cli/sync/pass.ts'
import { type WatchedPass, watch } from '../../../pipeline/cli/sync/watch.ts'
import type { RecordPayload } from '../../../pipeline/engine/recordPayload.ts'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { startCountedExchange, writeDatasetProject } from './datasetProject.ts'

let pipe: BuiltPipe
let serial = 0
const open: (() => Promise<void>)[] = []
beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(async () => {
  for (const close of open) await close()
  pipe.remove()
})

async function project(options: ServerOptions = {}, config: object = {}) {
  const exchange = await startCountedExchange(options)
  open.push(() => exchange.close())
  const cwd = join(pipe.dir, `kept${serial++}`)
  writeDatasetProject(cwd, exchange.url, config)
  const start = (...args: string[]) => pipe.start(['sync', '--json', ...args], { cwd })
  const passes = (stdout: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  return { exchange, cwd, start, passes, sync: async (...args: string[]) => start(...args).ended }
}

const one = { from: '2026-08-03', universe: { mode: 'listed', symbols: ['BTCUSDT'] }, funding: false }

/** Requests for data, without those that ask what there is by now. */
const forData = (asked: readonly string[]) =>
  asked.filter((url) => !/\/fapi\/v1\/(time|exchangeInfo)|[?&]prefix=/.test(url))

/** What the store knows to have been answered, by path and query. */
function recordedUrls(cwd: string): string[] {
  const root = join(cwd, '.pipe')
  if (!existsSync(join(root, 'format'))) return []
  const store = openStore(root, { readOnly: true })
  const urls: string[] = []
  store.records.scan('observation', (record) => {
    const { notes = [] } = store.records.payload(record) as RecordPayload
    for (const { url } of notes) if (typeof url === 'string') urls.push(url.replace(/^http:\/\/[^/]+/, ''))
  })
  void store.close()
  return urls
}

describe('a pass', () => {
  test('fetches what is missing; the next one asks for nothing that is closed', async () => {
    const { exchange, sync, passes } = await project()
    exchange.exchange.advanceTo(parseUtc('2026-08-04T09:00')!)
    const first = await sync()
    expect(first.stderr).toBe('')
    expect(first.status).toBe(0)
    const [report] = passes(first.stdout)
    expect(report).toMatchObject({ kind: 'pass', pipeline: 'dataset', status: 'ok', failures: [], nextAt: null })
    expect(report.fetched.fetchBarPage).toBeGreaterThan(2)
    expect(report.requests).toBe(exchange.takeAsked().length)

    await sync()
    expect(forData(exchange.takeAsked())).toEqual([])

    exchange.exchange.advanceTo(parseUtc('2026-08-04T11:00')!)
    const third = await sync()
    const asked = forData(exchange.takeAsked())
    expect(passes(third.stdout)[0].counts.failed).toBe(0)
    // The open day of each symbol, and the open month of its settlements; nothing of the days before.
    expect(asked.length).toBe(4)
    const starts = asked.map((url) => Number(/startTime=(\d+)/.exec(url)![1]))
    const klines = asked.flatMap((url, i) => (url.includes('/klines') ? [starts[i]!] : []))
    expect(klines.length).toBe(2)
    expect(asked.filter((url) => url.includes('.zip'))).toEqual([])
  }, 60_000)

  test('goes on after failures: one symbol that cannot be had holds back no other, and comes later', async () => {
    const { exchange, sync, passes } = await project({
      faults: { rules: [{ match: 'klines.*symbol=ETHUSDT', kind: 'serverError', times: 15 }] },
    })
    const first = await sync()
    expect(first.status).toBe(4)
    const [report] = passes(first.stdout)
    expect(report.status).toBe('partial')
    expect(report.failures.length).toBeGreaterThan(0)
    for (const { address } of report.failures) expect(address).toContain('ETHUSDT')
    const before = new Set(forData(exchange.takeAsked()).filter((url) => !url.includes('ETHUSDT')))
    expect(before.size).toBeGreaterThan(3)

    let status: number | null = 4
    for (let tries = 0; status !== 0 && tries < 5; tries++) status = (await sync()).status
    expect(status).toBe(0)
    const after = forData(exchange.takeAsked())
    expect(after.filter((url) => before.has(url))).toEqual([])
    expect(after.every((url) => url.includes('ETHUSDT'))).toBe(true)
  }, 60_000)

  test('that is killed half-way loses nothing: the next asks only for the rest', async () => {
    const { exchange, start, sync, cwd } = await project({
      faults: { rules: [{ match: 'klines.*symbol=ETHUSDT', kind: 'slow' }] },
    })
    const killed = start()
    while (recordedUrls(cwd).filter((url) => url.includes('BTCUSDT')).length < 4)
      await new Promise((resolve) => setTimeout(resolve, 20))
    killed.child.kill('SIGKILL')
    await killed.ended
    const kept = recordedUrls(cwd)
    exchange.takeAsked()
    expect((await sync()).status).toBe(0)
    const asked = forData(exchange.takeAsked())
    expect(asked.filter((url) => kept.includes(url))).toEqual([])
    expect(asked.length).toBeGreaterThan(0)
    await sync()
    expect(forData(exchange.takeAsked())).toEqual([])
  }, 60_000)

  test('tells of limits and waits, and asks elsewhere for a day that the archive lacks, once', async () => {
    const { exchange, sync, passes, cwd } = await project(
      {
        faults: {
          rules: [
            { match: 'BTCUSDT-1h-2026-08-02', kind: 'missingFile' },
            { match: '/fapi/v1/klines', kind: 'rateLimited', times: 2, retryAfterSeconds: 0 },
          ],
        },
      },
      { ...one, from: '2026-08-01' },
    )
    const first = await sync()
    const [report] = passes(first.stdout)
    expect(report).toMatchObject({ status: 'ok', absent: 1, troubles: { rateLimited: 2 } })
    expect(report.waitedMs).toBeGreaterThan(0)
    expect(report.requests).toBe(exchange.takeAsked().length)
    const status = JSON.parse((await pipe.start(['status', '--json'], { cwd }).ended).stdout)
    expect(status.pipelines[0].series[0]).toMatchObject({ symbol: 'BTCUSDT', rows: 4 * 24 + 9, gaps: [] })
    await sync()
    expect(forData(exchange.takeAsked())).toEqual([])
  }, 60_000)

  test('takes its targets from the command line, and says which there are', async () => {
    const { sync, cwd } = await project()
    const wrong = await sync('datset')
    expect(wrong.status).toBe(2)
    expect(JSON.parse(wrong.stdout).error.what).toContain('did you mean "dataset"')
    const universe = await sync('universe')
    expect(universe.status).toBe(0)
    const none = pipe.start(['sync', '-p', 'nothing'], { cwd })
    expect((await none.ended).status).toBe(2)
    expect((await sync('--every', '10ms')).status).toBe(2)
  }, 60_000)
})

describe('a watch', () => {
  test('that sleeps ends at once with 0 when asked to', async () => {
    const { start, cwd, passes } = await project({}, one)
    const watching = start('--watch')
    await watching.says(/"kind":"pass"/)
    await new Promise((resolve) => setTimeout(resolve, 100))
    watching.child.kill('SIGINT')
    const ended = await watching.ended
    expect(ended.status).toBe(0)
    const [only, ...others] = passes(ended.stdout)
    expect(others).toEqual([])
    expect(Date.parse(only.nextAt)).toBeGreaterThan(Date.parse(only.startedAt))
    expect(readdirSync(join(cwd, '.pipe', 'staging'))).toEqual([])
  }, 60_000)

  test('that is asked to stop within a pass finishes what runs, keeps it, and ends with 130', async () => {
    const { start, exchange, sync } = await project({
      faults: { rules: [{ match: 'klines', kind: 'slow', times: 4 }] },
    })
    const watching = start('--watch')
    while (!exchange.takeAsked().some((url) => url.includes('klines')))
      await new Promise((resolve) => setTimeout(resolve, 5))
    watching.child.kill('SIGTERM')
    const ended = await watching.ended
    expect(ended.status).toBe(130)
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: 'interrupted', nextAt: null })
    expect((await sync()).status).toBe(0)
  }, 60_000)

  test('sits out an outage: passes that fail are told, waits grow, and it catches up', async () => {
    const { start, passes, cwd } = await project(
      {
        faults: { rules: [{ match: '/fapi/v1/time', kind: 'serverError', times: 6 }] },
      },
      one,
    )
    const watching = start('--watch', '--every', '1s')
    await watching.says(/"status":"ok"/)
    watching.child.kill('SIGTERM')
    const ended = await watching.ended
    expect(ended.status).toBe(0)
    const reports = passes(ended.stdout)
    expect(reports.map(({ status }) => status)).toEqual(['partial', 'partial', 'ok'])
    expect(reports.map(({ failuresInARow }) => failuresInARow)).toEqual([1, 2, 0])
    expect(reports[0].failures[0].message).toContain('50')
    // Only the complete pass has a folder now.
    expect(readdirSync(join(cwd, '.pipe', 'runs'))).toEqual([reports[2].run])
  }, 60_000)
})

/** A watch over a clock that only moves when somebody sleeps. */
async function watched(script: readonly Partial<WatchedPass & { tookMs: number }>[], everyMs: number, seed = 1) {
  const rng = createRng(seed, 'jitter')
  const stop = new AbortController()
  let nowMs = parseUtc('2026-08-05T09:00:10')!
  const started: number[] = []
  const sleeps: number[] = []
  const ended = await watch({
    everyMs,
    stop: stop.signal,
    nowMs: () => nowMs,
    random: () => rng.uniform(),
    sleep: async (ms) => {
      sleeps.push(ms)
      nowMs += ms
    },
    pass: async (pass) => {
      started.push(nowMs)
      const step = script[pass - 1]!
      nowMs += step.tookMs ?? 1000
      if (pass === script.length) stop.abort()
      return { failed: false, interrupted: false, ...step }
    },
    report: () => {},
  })
  return { ended, started, sleeps, waits: started.slice(1).map((ms, i) => ms - started[i]!) }
}

describe('the pace', () => {
  const everyMs = 5 * MINUTE_MS

  test('is the grid, a little late, by a chance that a seed decides', async () => {
    const once = await watched([{}, {}, {}, {}], everyMs, 7)
    expect(await watched([{}, {}, {}, {}], everyMs, 7)).toEqual(once)
    expect((await watched([{}, {}, {}, {}], everyMs, 8)).started).not.toEqual(once.started)
    for (const ms of once.started.slice(1)) {
      expect(ms % everyMs).toBeGreaterThanOrEqual(3000)
      expect(ms % everyMs).toBeLessThanOrEqual(3000 + everyMs * 0.1)
    }
    expect(Math.max(...once.sleeps)).toBeLessThanOrEqual(MINUTE_MS)
    expect(once.ended).toBe('complete')
  })

  test('waits for news where there is none before, and never past the grid', () => {
    const endedMs = parseUtc('2026-08-05T09:00:10')!
    const base = { endedMs, everyMs, failuresInARow: 0, random: 0 }
    expect(nextPassMs({ ...base, newsAtMs: parseUtc('2026-08-05T10:00')! })).toBe(parseUtc('2026-08-05T10:00:03')!)
    expect(nextPassMs({ ...base, newsAtMs: endedMs })).toBe(parseUtc('2026-08-05T09:05:03')!)
    expect(nextPassMs({ ...base, newsAtMs: parseUtc('2026-08-05T09:57')! })).toBe(parseUtc('2026-08-05T10:00:03')!)
  })

  test('doubles its waits while passes fail, up to an hour, and forgets that after a good one', async () => {
    const failing = Array.from({ length: 8 }, () => ({ failed: true }))
    const { waits } = await watched([...failing, {}, {}], everyMs)
    const minutes = waits.map((ms) => Math.floor((ms - 1000) / MINUTE_MS))
    expect(minutes.slice(0, 4)).toEqual([5, 10, 20, 40])
    expect(Math.max(...waits)).toBeLessThanOrEqual(HOUR_MS + everyMs * 0.1 + 1000)
    expect(waits.at(-1)).toBeLessThanOrEqual(everyMs * 1.1 + 3000)
  })

  test('a pass that is stopped half-way says so', async () => {
    expect((await watched([{ interrupted: true }], everyMs)).ended).toBe('interrupted')
  })
})

describe('news', () => {
  const life = [{ symbol: 'BTCUSDT', onboardTsMs: 0 }]
  const wish: DatasetWish = {
    fromTsMs: parseUtc('2026-07-01')!,
    toTsMs: Number.MAX_SAFE_INTEGER,
    bars: [{ market: 'usdm', kind: 'klines', interval: '1h' }],
    funding: false,
    metrics: false,
    trades: false,
    aggTrades: false,
    openInterest: false,
    takerVolume: false,
    hasApi: true,
  }
  const news = (more: Partial<DatasetWish>, now: string) =>
    nextNewsTsMs(planDataset(life, { ...wish, ...more }, parseUtc(now)!))

  test('comes when a bar closes, a settlement falls due, or an archive is published', () => {
    expect(news({}, '2026-08-05T09:20')).toBe(parseUtc('2026-08-05T10:00'))
    expect(news({ bars: [{ market: 'usdm', kind: 'klines', interval: '1m' }] }, '2026-08-05T09:20')).toBe(
      parseUtc('2026-08-05T09:21'),
    )
    expect(news({ bars: [], funding: true }, '2026-08-05T09:20')).toBe(parseUtc('2026-08-05T10:00'))
    expect(news({ bars: [], openInterest: true }, '2026-08-05T09:21')).toBe(parseUtc('2026-08-05T09:25'))
    const daily = { bars: [{ market: 'usdm', kind: 'klines', interval: '1d' }] } as const
    expect(news(daily, '2026-08-05T09:20')).toBe(parseUtc('2026-08-05T12:00')) // the archive of the day before yesterday
  })

  test('of a range that has ended is looked for now and then', () => {
    expect(news({ toTsMs: parseUtc('2026-07-02')! }, '2026-08-20T09:20')).toBe(parseUtc('2026-08-20T15:20'))
  })
})

test('a watch keeps the folder of its last complete pass, and of those that failed since', () => {
  const removed: string[] = []
  const folders = new PassFolders((run) => removed.push(run))
  const ended = (run: string, status: 'ok' | 'partial') => folders.ended({ run, status })
  ended('a', 'ok')
  ended('b', 'partial')
  expect(removed).toEqual([])
  ended('c', 'ok')
  expect(removed).toEqual(['a', 'b'])
  for (let i = 0; i < 30; i++) ended(`d${i}`, 'partial')
  expect(removed).not.toContain('c')
  expect(removed.length).toBe(2 + 10)
})
