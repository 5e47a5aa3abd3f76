import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../../cas/artifact.ts'
import { canonicalJson, parseCanonicalJson } from '../../../cas/canonicalJson.ts'
import type { Digest } from '../../../cas/digest.ts'
import { objectPath } from '../../../cas/layout.ts'
import { stageBytes } from '../../../cas/staging.ts'
import { openStore } from '../../../cas/store.ts'
import { exitStatuses } from '../../../lib/fault.ts'
import { eventTable, type ReplaySummary } from '../../../lib/tables/events.ts'
import { decodeTable } from '../../../lib/tables/parquet.ts'
import { openRoot } from '../../../pipeline/cli/world.ts'
import { pinSnapshot } from '../../../snapshots/pin.ts'
import { readSnapshot } from '../../../snapshots/snapshotFolder.ts'
import { tinyDays } from '../../support/tinyProject/tinyPipeline.ts'
import { writeTinyProject } from '../../support/tinyProject/writeTinyProject.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'
import { say } from './fakeProcess.ts'

let pipe: BuiltPipe
let project: string
const here = (...args: string[]): Ran => pipe.run(args, { cwd: project })
const events = (file: string) => decodeTable(eventTable, readFileSync(join(project, file))).columns

interface Told {
  digest: string
  events: number
  symbols: string[]
  byClass: Record<string, number>
  days: { day: string; events: number; chain: string }[]
  written?: { events: number; days: number; sizeBytes: number }
}
const told = (ran: Ran): Told => JSON.parse(ran.stdout) as Told

beforeAll(async () => {
  pipe = await buildPipe()
  project = join(pipe.dir, 'project')
  writeTinyProject(project)
  expect(here('run', 'report', '--snapshot', 'demo', '--as-of', '2026-04-01')).toMatchObject({ status: 0 })
})
afterAll(() => pipe.remove())

describe('pipe replay', () => {
  test('tells the digest and what the stream consists of, of a snapshot that pins something else', () => {
    const { stdout, status } = here('replay', '--snapshot', 'demo')
    expect(status).toBe(0)
    expect(stdout).toContain('replay[2026-03-11]')
    expect(stdout).toContain('2026-03-01 to before 2026-03-21, 20 days, bars of 1h')
    expect(stdout).toMatch(/barClose +1,4\d\d/)
    expect(stdout).toMatch(/digest +[0-9a-f]{64}/)
    expect(existsSync(join(project, 'events.parquet'))).toBe(false)
  })

  test('for programs: the metadata, and the chain of every day', () => {
    const { days, digest, symbols, byClass, events: count } = told(here('replay', '--snapshot', 'demo', '--json'))
    expect(days).toHaveLength(tinyDays)
    expect(days.at(-1)!.chain).toBe(digest)
    expect(symbols).toEqual(['AAAUSDT', 'BBBUSDT', 'CCCUSDT'])
    expect(Object.values(byClass).reduce((sum, one) => sum + one, 0)).toBe(count)
    expect(days.reduce((sum, day) => sum + day.events, 0)).toBe(count)
  })

  test('writes every event to a table, and the same as lines', () => {
    const { written, events: count } = told(here('replay', '--snapshot', 'demo', '--out', 'events.parquet', '--json'))
    expect(written).toMatchObject({ events: count, days: tinyDays })
    const table = events('events.parquet')
    expect(table.tsMs).toHaveLength(count)
    here('replay', '--snapshot', 'demo', '--out', 'events.jsonl')
    const lines = readFileSync(join(project, 'events.jsonl'), 'utf8').trimEnd().split('\n')
    expect(lines).toHaveLength(count)
    const row = 1000
    const line = JSON.parse(lines[row]!) as Record<string, unknown>
    expect(line).toMatchObject({
      tsMs: table.tsMs[row],
      rank: table.rank[row],
      class: table.class[row],
      source: table.source[row],
    })
    expect(line['open']).toBe(table.open[row])
    expect('price' in line).toBe(false)
  })

  test('to standard output is those lines and nothing else, and what is told goes to standard error', () => {
    const { stdout, stderr } = here('replay', '--snapshot', 'demo', '--out', '-')
    expect(stdout).toBe(readFileSync(join(project, 'events.jsonl'), 'utf8'))
    expect(stderr).toMatch(/digest +[0-9a-f]{64}/)
  })

  test('ends well when its reader leaves early', () => {
    const { stdout, stderr, status } = spawnSync(
      'bash',
      ['-o', 'pipefail', '-c', 'pipe replay --snapshot demo --out - --quiet | head -n 2'],
      { cwd: project, encoding: 'utf8', env: pipe.env },
    )
    expect(stdout.split('\n')).toHaveLength(3)
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  })

  test('and then says that no more was wanted, and not what of it was written', () => {
    const { stderr } = spawnSync('bash', ['-c', 'pipe replay --snapshot demo --out - | head -n 2'], {
      cwd: project,
      encoding: 'utf8',
      env: pipe.env,
    })
    expect(stderr).toMatch(/written +about [\d,]+ events?, and no more: the reader closed standard output/)
  })

  test('of some days and symbols gives their events of the whole stream', () => {
    const whole = readFileSync(join(project, 'events.jsonl'), 'utf8').trimEnd().split('\n')
    const from = Date.parse('2026-03-10')
    const to = Date.parse('2026-03-13')
    const wanted = whole.filter((line) => {
      const { tsMs, source } = JSON.parse(line) as { tsMs: number; source: string }
      return tsMs >= from && tsMs < to && source.startsWith('BBBUSDT')
    })
    const some = ['--from', '2026-03-10', '--to', '2026-03-13', '--symbols', 'BBBUSDT']
    const { stdout } = here('replay', '--snapshot', 'demo', '--out', '-', ...some)
    expect(stdout.trimEnd().split('\n')).toEqual(wanted)
    expect(wanted.length).toBeGreaterThan(100)
  })

  test('without a snapshot makes the target first, and gives the same stream', () => {
    const fresh = ['--root', join(pipe.dir, 'fresh')]
    const made = told(here('replay', '--json', '--as-of', '2026-04-01', '--out', 'made.parquet', ...fresh))
    expect(made.digest).toBe(told(here('replay', '--snapshot', 'demo', '--json')).digest)
    expect(readFileSync(join(project, 'made.parquet'))).toEqual(readFileSync(join(project, 'events.parquet')))
    expect(here('runs', ...fresh).stdout).toContain('replay')
  })
})

describe('pipe replay says what is wrong', () => {
  const cases: { says: string; args: string[]; stderr: RegExp }[] = [
    { says: 'a form nobody knows', args: ['--out', 'events.csv'], stderr: /says no form[\s\S]*\.parquet or \.jsonl/ },
    { says: 'a day that is none', args: ['--from', '2026-02-30'], stderr: /"2026-02-30" is not a day[\s\S]*--from/ },
    { says: 'days outside', args: ['--to', '2027-01-01'], stderr: /no days from[\s\S]*goes from 2026-03-01/ },
    { says: 'inverted days', args: ['--from', '2026-03-09', '--to', '2026-03-02'], stderr: /no days from/ },
    { says: 'a symbol', args: ['--symbols', 'AAUSDT'], stderr: /no symbol "AAUSDT"; did you mean "AAAUSDT"/ },
    { says: 'another artifact', args: ['report'], stderr: /"report" names no replay/ },
  ]
  for (const { says, args, stderr } of cases) {
    test(says, () => {
      const ran = here('replay', '--snapshot', 'demo', ...args)
      expect(ran.stderr).toMatch(stderr)
      expect(ran.status).toBe(exitStatuses.usage)
    })
  }

  test('a file that is there is not replaced unasked', () => {
    writeFileSync(join(project, 'mine.parquet'), 'mine')
    expect(here('replay', '--snapshot', 'demo', '--out', 'mine.parquet').status).toBe(exitStatuses.refused)
    expect(readFileSync(join(project, 'mine.parquet'), 'utf8')).toBe('mine')
    expect(here('replay', '--snapshot', 'demo', '--out', 'mine.parquet', '--overwrite').status).toBe(0)
    expect(readFileSync(join(project, 'mine.parquet'))).toEqual(readFileSync(join(project, 'events.parquet')))
  })

  test('a damaged table stops it before an event is written, and no file is left', () => {
    const shown = JSON.parse(here('show', 'buildMinute[BBBUSDT,2026-03-11]', '--json').stdout) as {
      files: { sha256: Digest }[]
    }
    const path = objectPath(join(project, '.pipe', 'objects'), shown.files[0]!.sha256)
    const right = readFileSync(path)
    rmSync(path)
    writeFileSync(path, Buffer.concat([right.subarray(0, -1), Buffer.from('x')]))
    const ran = here('replay', '--snapshot', 'demo', '--out', 'damaged.parquet')
    rmSync(path, { force: true })
    writeFileSync(path, right)
    expect(ran.stderr).toContain('is damaged')
    expect(ran.status).toBe(exitStatuses.corrupt)
    expect(readdirSync(project).filter((name) => name.startsWith('damaged'))).toEqual([])
  })

  test('Ctrl-C while it writes leaves no file, and says so', async () => {
    const out = join(project, 'stopped.parquet')
    const root = join(project, '.pipe')
    const { status, stdout } = await say(['replay', '--snapshot', 'demo', '--out', out, '--root', root], {
      openRoot: (surroundings, options) => openRoot(surroundings, options),
      signals: {
        onStop(listener) {
          listener('SIGINT', 1)
          return () => {}
        },
      },
    })
    expect(status).toBe('interrupted')
    expect(stdout).toContain('nothing: it was stopped after')
    expect(readdirSync(project).filter((name) => name.startsWith('stopped'))).toEqual([])
  })

  test('a day whose stored events are others than the replay says is named, and nothing of it is written', async () => {
    await forge('2026-03-14')
    const ran = here('replay', '--snapshot', 'forged', '--out', 'forged.jsonl')
    expect(ran.stderr).toContain('give another stream of events on 2026-03-14')
    expect(ran.status).toBe(exitStatuses.notReproducible)
    expect(readdirSync(project).filter((name) => name.startsWith('forged'))).toEqual([])
    const before = ['--from', '2026-03-11', '--to', '2026-03-14']
    expect(here('replay', '--snapshot', 'forged', '--out', 'forged.jsonl', ...before).status).toBe(0)
  })
})

/** A snapshot in which every hash fits, and the replay says something else of one day. */
async function forge(day: string): Promise<void> {
  const store = openStore(join(project, '.pipe'))
  const { manifest } = readSnapshot(store.root, 'demo')
  const { artifact } = manifest.nodes.find(({ address }) => address === 'replay[2026-03-11]')!
  const { type, files } = store.readDescriptor(artifact)
  const value = parseCanonicalJson(
    Buffer.from(store.readObject(files[0]!.digest)).toString(),
  ) as unknown as ReplaySummary
  const days = value.days.map((one) => (one.day === day ? { ...one, digest: '0'.repeat(64) } : one))
  const bytes = stageBytes(store.stagingDir, canonicalJson({ ...value, days }))
  const { digest, sizeBytes } = bytes
  const forged = describeArtifact(type, [{ ...files[0]!, digest, sizeBytes }])
  await store.commit({ staged: [bytes, stageBytes(store.stagingDir, forged.bytes)], records: [] })
  const nodes = manifest.nodes.map((node) => (node.artifact === artifact ? { ...node, artifact: forged.id } : node))
  await pinSnapshot(store, { name: 'forged', manifest: { ...manifest, nodes }, provenance: {} })
  await store.close()
}
