import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { startCountedExchange, writeDatasetProject } from './datasetProject.ts'

let pipe: BuiltPipe
let exchange: Awaited<ReturnType<typeof startCountedExchange>>
let cwd: string

beforeAll(async () => {
  pipe = await buildPipe()
  exchange = await startCountedExchange({
    faults: {
      rules: [
        { match: 'exchangeInfo', kind: 'rateLimited', times: 1, retryAfterSeconds: 1 },
        { match: 'ticker/24hr', kind: 'serverError', times: 2 },
      ],
    },
  })
  cwd = join(pipe.dir, 'survivors')
  // Today's largest, for a past they are the survivors of.
  writeDatasetProject(cwd, exchange.url, {
    from: '2026-06-01',
    universe: { mode: 'live', size: 3, allowSurvivorship: true },
  })
}, 60_000)
afterAll(async () => {
  await exchange.close()
  pipe.remove()
})

const pipeIn = (...args: string[]) => pipe.start(args, { cwd }).ended
const snapshotFile = (name: string) =>
  JSON.parse(readFileSync(join(cwd, '.pipe', 'snapshots', 'live', `${name}.json`), 'utf8'))

describe('a snapshot of what venues were asked', () => {
  let printed = ''
  beforeAll(async () => {
    const ran = await pipeIn('run', 'universe', '--snapshot', 'live', '--as-of', '2026-08-05T09:00:00Z')
    expect(ran.stderr).not.toContain('error')
    expect(ran.status).toBe(0)
    printed = ran.stdout
  }, 60_000)

  test('holds the policy: endpoints, parameters, paging, limits, retry and backoff', () => {
    const { config } = snapshotFile('manifest')
    expect(config.http).toMatchObject({ attemptsMax: 3, backoffMsMin: 1, backoffMsMax: 3, budgetShare: 1 })
    // Defaults are written out.
    expect(config.http.connectTimeoutMs).toBe(10_000)
    const { endpoints, limits, retry } = config.requests
    const endpoint = (path: string) => endpoints.find((one: { path: string }) => one.path === path)
    expect(endpoint('/fapi/v1/klines')).toEqual({
      host: 'usdm',
      path: '/fapi/v1/klines',
      params: ['symbol', 'interval', 'startTime', 'endTime', 'limit'],
      paging: 'slices of a fixed grid that is anchored at the epoch',
      rowsPerPage: 499,
      budget: 'usdm weight',
      weight: 2,
    })
    expect(endpoint('/fapi/v1/ticker/24hr')).toMatchObject({ weight: 40 })
    expect(endpoint('/fapi/v1/aggTrades')).toMatchObject({ weight: 20, rowsPerPage: 1000 })
    expect(endpoint('/fapi/v1/fundingRate')).toMatchObject({ budget: 'funding requests' })
    expect(limits).toContainEqual({ name: 'usdm weight', limit: 2400, windowMs: 60_000 })
    expect(retry).toContain('429')
  })

  test('says what happened beside it: statuses, attempts, waits, troubles', () => {
    const text = JSON.stringify(snapshotFile('provenance'))
    const notes: { url?: string; status?: number; attempts?: number; waitedMs?: number; troubles?: string[] }[] = []
    JSON.parse(text, (_, value) => {
      if (typeof value === 'object' && value !== null && 'url' in value) notes.push(value)
      return value
    })
    const of = (path: string) => notes.find(({ url }) => url?.includes(path))!
    expect(of('exchangeInfo')).toMatchObject({ status: 200, attempts: 2, troubles: ['rateLimited'] })
    expect(of('exchangeInfo').waitedMs).toBeGreaterThanOrEqual(1000)
    expect(of('ticker/24hr')).toMatchObject({ status: 200, attempts: 3, troubles: ['serverError', 'serverError'] })
    // What happened changes nothing that was made.
    expect(JSON.stringify(snapshotFile('manifest'))).not.toContain('troubles')
  })

  test('is stamped where today’s survivors stand for the past: in its config, its node, and what was made', async () => {
    const { config, nodes } = snapshotFile('manifest')
    expect(config.universe).toMatchObject({ mode: 'live', allowSurvivorship: true })
    const node = nodes.find(({ task }: { task: string }) => task === 'buildUniverse')
    expect(node.params).toMatchObject({ mode: 'live', allowSurvivorship: true })
    const shown = await pipeIn('show', 'buildUniverse', '--snapshot', 'live')
    expect(shown.stdout).toContain('"allowSurvivorship":true')
    const value = JSON.parse((await pipeIn('cat', 'buildUniverse', '--snapshot', 'live')).stdout)
    expect(value.selection).toMatchObject({ mode: 'live', hasSurvivorship: true })
  })

  test('ends with whom it lacks, for the price of one listing, and says so again where nothing is left to do', async () => {
    expect(exchange.takeAsked().filter((url) => url.includes('prefix='))).toHaveLength(1)
    const again = ['run', 'universe', '--as-of', '2026-08-05T09:00:00Z']
    const json = await pipeIn(...again, '--json')
    for (const text of [printed, (await pipeIn(...again)).stdout, (await pipeIn(...again)).stdout]) {
      expect(text).toContain('universe  survivorship was allowed: a universe of today stands for the past')
      expect(text).toMatch(/survivorship gap: today's list lacks \d+ of the \d+ contracts .*LUNAUSDT/)
    }
    const verdict = JSON.parse(json.stdout.trim().split('\n').at(-1)!)
    expect(verdict.survivorship).toContain('LUNAUSDT')
    // Archives alone do not say who is listed today.
    const alone = ['run', 'universe', '--set', 'source=archives', '--set', 'universe.mode=historical']
    const ran = await pipeIn(...alone, '--as-of', '2026-08-05T09:00:00Z')
    expect(ran.stdout).toContain('survivorship gap: not known, for no API was asked who is listed today')
  }, 60_000)

  test('or with those of a list who cannot be taken', async () => {
    const list = 'universe={"mode":"listed","symbols":["BTCUSDT","ETHUSD"]}'
    const { stdout } = await pipeIn('run', 'universe', '--set', list)
    expect(stdout).toContain('left out of those named: ETHUSD, the venue does not list it; did you mean "ETHUSDT"?')
  }, 60_000)

  test('sets nothing: a config that tries is refused', async () => {
    const ran = await pipeIn('plan', 'universe', '--set', 'requests.retry="never"')
    expect(ran.status).toBe(2)
    expect(ran.stderr).toContain('requests')
  })
})
