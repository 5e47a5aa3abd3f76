import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exitStatuses, Fault } from '../../../lib/fault.ts'
import { defaultEvents, defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { worldFacts } from '../../../lib/sim/worldFacts.ts'
import { parseFaults } from '../../../pipeline/cli/sim/faultSpec.ts'
import { writeTinyProject } from '../../support/tinyProject/writeTinyProject.ts'
import { type BuiltPipe, buildPipe } from './builtPipe.ts'
import { say } from './fakeProcess.ts'

let pipe: BuiltPipe
beforeAll(async () => {
  pipe = await buildPipe()
})
afterAll(() => pipe.remove())

interface Line {
  kind: string
  url: string
  env: Record<string, string>
  [more: string]: unknown
}

/** A served exchange, and what it said so far. */
async function serve(...args: string[]) {
  const started = pipe.start(['sim', 'serve', '--json', ...args])
  await started.says(/"serving".*\n/)
  const lines = () =>
    started
      .printed()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
  const { url, env } = lines()[0]!
  return {
    url,
    env,
    lines,
    async stop() {
      started.child.kill('SIGINT')
      const { status, stderr } = await started.ended
      return { status, stderr, lines: lines() }
    },
  }
}

describe('pipe sim serve', () => {
  test('answers as the venue does, logs what it was asked, and ends with Ctrl-C', async () => {
    const server = await serve()
    const time = (await (await fetch(`${server.url}/fapi/v1/time`)).json()) as { serverTime: number }
    expect(time.serverTime).toBe(defaultEvents.nowTsMs)
    const klines = await fetch(`${server.url}/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=5`)
    expect(await klines.json()).toHaveLength(5)
    expect((await fetch(`${server.url}/?prefix=data/futures/um/monthly/klines/`)).status).toBe(200)
    expect((await fetch(`${server.url}/api/v3/ping`)).status).toBe(200)
    const { status, stderr, lines } = await server.stop()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(lines.map(({ kind }) => kind)).toEqual(['serving', ...new Array<string>(4).fill('request'), 'stopped'])
    expect(lines[2]).toMatchObject({ status: 200, url: '/fapi/v1/klines?symbol=BTCUSDT&interval=1h&limit=5' })
    expect(lines.at(-1)).toMatchObject({ requests: 4, refused: 0 })
  })

  test('for people: the address, the variables to set, and a line a request; --quiet leaves these out', async () => {
    const started = pipe.start(['sim', 'serve', '--now', '2026-03-01T00:00Z', '--seed', '7', '-f', 'serverError*1'])
    await started.says(/export TICKPIPE_LISTING_URL=.*\n/)
    const [, url] = /serving +(http:\S+) +seed 7, its present 2026-03-01T00:00:00.000Z, 1 fault rule/.exec(
      started.printed(),
    )!
    expect(started.printed()).toContain(`export TICKPIPE_USDM_URL=${url}\n`)
    expect((await fetch(`${url}/fapi/v1/ping`)).status).toBe(500)
    await started.says(/500 {2}GET \/fapi\/v1\/ping/)
    started.child.kill('SIGTERM')
    expect((await started.ended).status).toBe(0)

    const quiet = pipe.start(['sim', 'serve', '--quiet'])
    await quiet.says(/LISTING_URL=.*\n/)
    await fetch(`${/http:\S+/.exec(quiet.printed())![0]}/fapi/v1/ping`)
    quiet.child.kill('SIGINT')
    expect((await quiet.ended).stderr).toBe('')
  })

  test('hears Ctrl-C while an archive of a month of trades is being made', async () => {
    const server = await serve()
    const asked = fetch(`${server.url}/data/futures/um/monthly/trades/BTCUSDT/BTCUSDT-trades-2026-05.zip`)
    const outcome = asked.then(
      async (response) => (await response.arrayBuffer()).byteLength,
      () => 'cut off',
    )
    // The request is on its way, and keeps the exchange busy for many seconds from when it arrives.
    await new Promise((resolve) => setTimeout(resolve, 300))
    const { status } = await server.stop()
    expect(status).toBe(0)
    expect(await outcome).toBe('cut off')
  })

  test('gives each of the hosts an address, if asked, and they are one exchange', async () => {
    const server = await serve('--hosts', '-f', 'serverError*1')
    const urls = Object.values(server.env)
    expect(new Set(urls).size).toBe(4)
    const statuses = []
    for (const url of urls) statuses.push((await fetch(`${url}/fapi/v1/ping`)).status)
    expect(statuses).toEqual([500, 200, 200, 200])
    expect((await server.stop()).lines.at(-1)).toMatchObject({ kind: 'stopped', requests: 4 })
  })

  test('a port that is taken is said, with the status of it', async () => {
    const server = await serve()
    const ran = pipe.run(['sim', 'serve', '--port', new URL(server.url).port])
    expect(ran.status).toBe(exitStatuses.busy)
    expect(ran.stderr).toContain('something listens there already')
    await server.stop()
  })

  test('a present before its market begins is refused', async () => {
    const { status, stderr } = await say(['sim', 'serve', '--now', '2025-01-01'])
    expect({ status, stderr }).toMatchObject({ status: 'usage', stderr: expect.stringContaining('has no past before') })
  })
})

describe('a project that asks the venue', () => {
  test('gets from the served exchange, faults and all, the very tables of "source: sim"', async () => {
    const config = { venue: 'sim', symbols: ['1000PEPEUSDT'], month: '2026-05' }
    const dir = join(pipe.dir, 'venue')
    writeTinyProject(dir, { pipeline: 'venue', config })
    const server = await serve('-f', 'serverError*1', '-f', 'truncated*1:klines', '-f', 'resetInBody*1:fundingRate')
    const ids = async (...args: string[]) => {
      const started = pipe.start(['run', '--json', ...args], { cwd: dir, env: server.env })
      const { status, stdout, stderr } = await started.ended
      expect(status, stdout + stderr).toBe(0)
      const { nodes } = JSON.parse(pipe.run(['ls', 'ingest*', '--json', ...args], { cwd: dir }).stdout) as {
        nodes: { address: string; artifact: string }[]
      }
      return nodes.map(({ address, artifact }) => [address, artifact])
    }
    const asked = await ids('--set', 'venue=binance')
    expect(asked).toHaveLength(2)
    expect(asked).toEqual(await ids())
    const { lines } = await server.stop()
    const troubles = lines.filter(({ status, wire }) => status === 500 || wire !== undefined)
    expect(troubles.map(({ status, wire }) => wire ?? status)).toEqual(
      expect.arrayContaining([500, 'truncated', 'reset']),
    )
  })
})

describe('faults on a command line', () => {
  test('are a kind, how often, and where', () => {
    expect(parseFaults(['serverError'], '/')).toEqual([{ kind: 'serverError', match: '.' }])
    expect(parseFaults(['rateLimited*3:^/fapi/v1', 'reset=0.05'], '/')).toEqual([
      { kind: 'rateLimited', times: 3, match: '^/fapi/v1' },
      { kind: 'reset', probability: 0.05, match: '.' },
    ])
    expect(parseFaults(['slow=5%,truncated'], '/').map(({ kind, probability }) => [kind, probability])).toEqual([
      ['slow', 0.05],
      ['truncated', undefined],
    ])
    // A pattern may hold commas and colons of its own.
    expect(parseFaults(['reset:symbol=(A|B),x:y{1,2}'], '/')).toEqual([
      { kind: 'reset', match: 'symbol=(A|B),x:y{1,2}' },
    ])
  })

  test('or a file of rules', () => {
    const file = join(pipe.dir, 'faults.json')
    writeFileSync(file, JSON.stringify([{ kind: 'banned', after: 2, retryAfterSeconds: 5 }]))
    expect(parseFaults(['faults.json'], pipe.dir)).toEqual([
      { kind: 'banned', after: 2, retryAfterSeconds: 5, match: '.' },
    ])
    writeFileSync(file, JSON.stringify([{ kind: 'band' }]))
    expect(() => parseFaults(['faults.json'], pipe.dir)).toThrow('holds no rules: 0.kind')
  })

  test('that are none are named, with the near one', () => {
    const cases = [
      ['servererror', /"servererror" is no fault; did you mean "serverError"/],
      ['reset=2', /above 1/],
      ['reset:(', /no regular expression/],
      ['none.json', /cannot be read/],
      ['reset**', /is no fault/],
    ] as const
    for (const [text, says] of cases) {
      expect(() => parseFaults([text], '/')).toThrow(says)
      expect(() => parseFaults([text], '/')).toThrow(Fault)
    }
  })
})

describe('pipe sim describe', () => {
  test('tells the world as it is', async () => {
    const { stdout, status } = await say(['sim', 'describe'])
    expect(status).toBe('ok')
    await expect(stdout).toMatchFileSnapshot('../../golden/sim-describe.txt')
  })

  test('lists every instrument, and every event that the world has by name', async () => {
    const facts = worldFacts()
    expect(facts.instruments).toHaveLength(defaultWorld.instruments.length)
    const told = facts.events.flatMap(({ tsMs, toTsMs }) => [tsMs, toTsMs ?? tsMs])
    const { nowTsMs, startTsMs, lunaRowsEndTsMs, ...events } = defaultEvents
    expect([...new Set(told)].sort()).toEqual(Object.values(events).sort())
    expect(facts.events.some(({ says }) => says.includes(new Date(lunaRowsEndTsMs).toISOString()))).toBe(true)
    expect(facts).toMatchObject({ nowTsMs, startTsMs })
    const { stdout } = await say(['sim', 'describe', '--json'])
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(facts)))
  })
})
