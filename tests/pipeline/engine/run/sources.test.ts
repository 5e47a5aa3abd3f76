import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { openStore } from '../../../../cas/store.ts'
import { filesArtifact, jsonArtifact } from '../../../../lib/artifact.ts'
import { definePipeline } from '../../../../pipeline/engine/graph.ts'
import {
  absent,
  defineTask,
  type Limits,
  PermanentError,
  type SourceContext,
} from '../../../../pipeline/engine/task.ts'
import { EngineLab } from '../../../support/engineLab.ts'

const text = jsonArtifact('text', z.string())

function oneSource(
  run: (context: SourceContext) => Promise<string>,
  more: { limits?: Limits; usesAsOf?: boolean } = {},
) {
  const task = defineTask({
    name: 'ask',
    kind: 'source',
    version: 1,
    params: z.object({}),
    output: text,
    ...more,
    run: (_, _params, context) => run(context),
  })
  return definePipeline('sources', z.object({}), (graph) => graph.target('ask', graph.add(task)))
}

describe('a source', () => {
  test('is tried again until it works, and its attempts are kept beside the observation', async () => {
    await using lab = new EngineLab()
    const pipeline = oneSource(async ({ attempt, note }) => {
      note({ attempt })
      if (attempt < 3) throw new Error('reset by peer')
      return 'there'
    })
    const run = await lab.run(pipeline, ['ask'])
    expect(run.status).toBe('ok')
    expect(lab.events.filter(({ kind }) => kind === 'node retried')).toMatchObject([
      { attempt: 1, error: 'reset by peer' },
      { attempt: 2, error: 'reset by peer' },
    ])
    const records: unknown[] = []
    lab.store.records.scan('observation', (record) => records.push(lab.store.records.payload(record)))
    expect(records).toMatchObject([{ attempts: 3, notes: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] }])
  })

  test('that changes its params changes nothing that is recorded of it', async () => {
    await using lab = new EngineLab()
    const grows = defineTask({
      name: 'grows',
      kind: 'source',
      version: 1,
      params: z.object({ free: z.any() }),
      output: text,
      run: async (_, { free }) => {
        free.list.push(2)
        return 'done'
      },
    })
    const pipeline = definePipeline('growing', z.object({}), (graph) =>
      graph.target('ask', graph.add(grows, { params: { free: { list: [1] } } })),
    )
    const ids = [await lab.run(pipeline, ['ask']), await lab.run(pipeline, ['ask'])].map(({ manifestId }) => manifestId)
    expect(ids[0]).toBe(ids[1])
    const said = readdirSync(lab.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
      .join()
    expect(said).toContain('"list":[1]')
    expect(said).not.toContain('"list":[1,2]')
  })

  test('tells nothing of what the environment calls secret, whatever it says', async () => {
    const key = 'k3y/that no body+knows'
    vi.stubEnv('VENUE_API_KEY', key)
    await using lab = new EngineLab()
    const asked = `https://venue.test/?api=${encodeURIComponent(key)}`
    const pipeline = oneSource(async ({ attempt, log, note }) => {
      log(`asking with ${key}`)
      note({ headers: [{ 'X-KEY': key }], asked })
      if (attempt === 1) throw new Error(`refused: ${key}`)
      throw new PermanentError(`refused for good: ${asked}`, { cause: new Error(`because of ${key}`) })
    })
    const run = await lab.run(pipeline, ['ask'])
    const missing = await lab.run(
      oneSource(async ({ note }) => {
        note({ asked })
        return absent(`nothing for ${key}`) as never
      }),
      ['ask'],
    )
    vi.unstubAllEnvs()
    expect([run.status, missing.status]).toEqual(['failed', 'ok'])
    expect(run.failures[0]!.failure.message).toBe('refused for good: https://venue.test/?api=hidden')
    const kept = readdirSync(lab.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    const told = [JSON.stringify(lab.events), JSON.stringify(run.failures), ...kept].join()
    expect(told).toContain('nothing for hidden')
    expect(told).not.toContain(key)
    expect(told).not.toContain(encodeURIComponent(key))
  })

  test('tells no secret by how far it is, what it waits for, or the name of a file', async () => {
    const key = 'k3y/that no body+knows'
    vi.stubEnv('VENUE_API_KEY', key)
    await using lab = new EngineLab()
    const waits = oneSource(async ({ progress, waiting }) => {
      progress({ bytes: key, requests: key } as never)
      waiting?.({ on: `venue.test/${key}`, after: key, waitMs: key as never, attempt: key as never })
      return 'there'
    })
    const namesFile = (run: (context: SourceContext) => { name: string; bytes: Uint8Array }[]) =>
      defineTask({
        name: 'named',
        kind: 'source',
        version: 1,
        params: z.object({}),
        output: filesArtifact('named'),
        run: async (_, _params, context) => run(context),
      })
    const named = namesFile(() => [{ name: `asked ${key}`, bytes: new Uint8Array(1) }])
    const streamed = namesFile(({ openFile }) => {
      openFile(`../${key}`).finish()
      return []
    })
    expect((await lab.run(waits, ['ask'])).status).toBe('ok')
    expect(lab.events.find(({ kind }) => kind === 'node waiting to retry')).toMatchObject({
      on: 'venue.test/hidden',
      after: 'hidden',
      waitMs: 0,
      attempt: 0,
    })
    for (const task of [named, streamed]) {
      const pipeline = definePipeline('names', z.object({}), (graph) => graph.target('ask', graph.add(task)))
      const run = await lab.run(pipeline, ['ask'])
      expect(run.status).toBe('failed')
      expect(run.failures[0]!.failure.message).toContain('is made of a secret: "')
    }
    vi.unstubAllEnvs()
    const kept = readdirSync(lab.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    expect([JSON.stringify(lab.events), ...kept].join()).not.toContain(key)
  })

  test('adds up what it received: its progress is a total', async () => {
    await using lab = new EngineLab()
    await lab.run(
      oneSource(async ({ progress }) => {
        progress({ bytes: 10 })
        progress({ bytes: 20, requests: 1 })
        progress({ requests: 1 })
        return 'there'
      }),
      ['ask'],
    )
    expect(lab.events.filter(({ kind }) => kind === 'node progress')).toMatchObject([
      { bytes: 10, requests: 0 },
      { bytes: 30, requests: 1 },
      { bytes: 30, requests: 2 },
    ])
  })

  test('is called done only once its record is in the store, where another process reads it', async () => {
    await using lab = new EngineLab()
    const seen: [string, unknown][] = []
    await lab.run(
      oneSource(async () => 'paid for'),
      ['ask'],
      {
        emit: (event) => {
          if (event.kind !== 'node done' && event.kind !== 'run finished') return
          const elsewhere = openStore(lab.root, { readOnly: true })
          const artifacts: unknown[] = []
          elsewhere.records.scan('observation', ({ artifact }) => artifacts.push(artifact))
          void elsewhere.close()
          seen.push([event.kind, artifacts.length])
        },
      },
    )
    expect(seen).toEqual([
      ['node done', 1],
      ['run finished', 1],
    ])
  })

  test('is not tried again when it says that this cannot help', async () => {
    await using lab = new EngineLab()
    let calls = 0
    const run = await lab.run(
      oneSource(async () => {
        calls++
        throw new PermanentError('no such symbol')
      }),
      ['ask'],
    )
    expect([run.status, calls, run.failures[0]!.failure.message]).toEqual(['failed', 1, 'no such symbol'])
  })

  const untilTold = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

  test('that waits ends as soon as the run is to stop, and is no failure: it was not done', async () => {
    await using lab = new EngineLab()
    const stop = new AbortController()
    const run = await lab.run(
      oneSource(async ({ signal }) => {
        setImmediate(() => stop.abort())
        return untilTold(signal)
      }),
      ['ask'],
      { stop: stop.signal },
    )
    expect([run.status, run.failures]).toEqual(['interrupted', []])
    lab.store.records.scan('observation', () => expect.unreachable())
  })

  test('that pauses between two tries ends as soon as the run is to stop', async () => {
    await using lab = new EngineLab()
    const stop = new AbortController()
    let calls = 0
    const run = await lab.run(
      oneSource(
        async () => {
          calls++
          setImmediate(() => stop.abort())
          throw new Error('reset by peer')
        },
        { limits: { attempts: 50 } },
      ),
      ['ask'],
      { stop: stop.signal },
    )
    expect([run.status, run.failures, calls]).toEqual(['interrupted', [], 1])
  })

  test('whose bytes are coming may finish what it began, but not go on for ever', async () => {
    await using lab = new EngineLab()
    const download = (bytes: number) => {
      const stop = new AbortController()
      const pipeline = oneSource(async ({ signal, progress }) => {
        const isTold = untilTold(signal)
        isTold.catch(() => {})
        for (let at = 0; at < bytes; at++) {
          progress({ bytes: 1 })
          if (at === 1) stop.abort()
          await Promise.race([isTold, new Promise((resolve) => setTimeout(resolve, 5))])
        }
        return `${bytes} bytes`
      })
      return lab.run(pipeline, ['ask'], { stop: stop.signal, stopGraceMs: 300 })
    }
    const endless = await download(Number.POSITIVE_INFINITY)
    expect([endless.status, endless.failures]).toEqual(['interrupted', []])
    expect((await download(10)).status).toBe('ok')
  })

  test('gives up after its attempts, and says how many there were', async () => {
    await using lab = new EngineLab()
    const run = await lab.run(
      oneSource(async () => Promise.reject(new Error('down')), { limits: { attempts: 2 } }),
      ['ask'],
    )
    expect(run.failures[0]!.failure).toMatchObject({ message: 'down', attempts: 2 })
  })

  test('that fails for the network says no stack: no line of code is to blame', async () => {
    await using lab = new EngineLab()
    const failing = async (error: Error) => {
      const run = await lab.run(
        oneSource(() => Promise.reject(error), { limits: { attempts: 1 } }),
        ['ask'],
      )
      return run.failures[0]!.failure.stack
    }
    const dns = Object.assign(new Error('getaddrinfo ENOTFOUND a.b'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
    expect(await failing(new TypeError('fetch failed', { cause: dns }))).toBeUndefined()
    expect(await failing(Object.assign(new Error('the connection broke'), { trouble: 'connection' }))).toBeUndefined()
    expect(await failing(Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' }))).toContain(
      'at ',
    )
  })

  test('is given up when it takes longer than its limit', async () => {
    await using lab = new EngineLab()
    const run = await lab.run(
      oneSource(() => new Promise(() => {}), { limits: { attempts: 1, timeoutMs: 30 } }),
      ['ask'],
    )
    expect(run.failures[0]!.failure.message).toBe('no answer within 30 ms')
  })

  test('may look at the as-of only if that is in its key', async () => {
    await using lab = new EngineLab()
    const peeks = oneSource(async ({ asOfMs }) => String(asOfMs), { limits: { attempts: 1 } })
    expect((await lab.run(peeks, ['ask'])).failures[0]!.failure.message).toContain('does not declare usesAsOf')
    const declared = oneSource(async ({ asOfMs }) => String(asOfMs), { usesAsOf: true })
    expect(lab.value(await lab.run(declared, ['ask'], { asOfMs: 1000 }), 'ask')).toBe('1000')
    expect(lab.value(await lab.run(declared, ['ask'], { asOfMs: 2000 }), 'ask')).toBe('2000')
    await lab.run(declared, ['ask'], { asOfMs: 1000 })
    expect(lab.events.filter(({ kind }) => kind === 'node started')).toEqual([])
  })

  test('streams files into the store; what a failed attempt had written is gone', async () => {
    await using lab = new EngineLab()
    const raw = filesArtifact('raw')
    const task = defineTask({
      name: 'stream',
      kind: 'source',
      version: 1,
      params: z.object({}),
      output: raw,
      run: async (_, _params, { attempt, openFile }) => {
        const file = openFile('data.bin')
        file.write(new Uint8Array(70_000).fill(attempt))
        if (attempt === 1) throw new Error('cut off')
        file.finish()
        return [{ name: 'note.txt', bytes: new TextEncoder().encode('whole') }]
      },
    })
    const run = await lab.run(
      definePipeline('p', z.object({}), (graph) => graph.target('t', graph.add(task))),
      ['t'],
    )
    const { files } = lab.store.readDescriptor(run.manifest!.nodes[0]!.artifact)
    expect(files.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['data.bin', 70_000],
      ['note.txt', 5],
    ])
    expect(lab.store.readObject(files[0]!.digest)[0]).toBe(2)
    expect(readdirSync(lab.store.stagingDir)).toEqual([])
  })

  test('of one group run no more at a time than its limit', async () => {
    await using lab = new EngineLab()
    let running = 0
    let most = 0
    const task = defineTask({
      name: 'slow',
      kind: 'source',
      version: 1,
      params: z.object({ n: z.number() }),
      output: text,
      limits: { group: 'venue' },
      run: async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setTimeout(resolve, 5))
        running--
        return 'x'
      },
    })
    const pipeline = definePipeline('p', z.object({}), (graph) =>
      graph.target('t', ...Array.from({ length: 12 }, (_, n) => graph.add(task, { at: [n], params: { n } }))),
    )
    const engine = lab.engine(pipeline, {}, { venue: 3 })
    await engine.run(['t'], {
      asOfMs: 0,
      runId: 'limits',
      rerunCommand: (address) => address,
      emit: () => {},
      stop: new AbortController().signal,
      stopNow: new AbortController().signal,
    })
    expect(most).toBe(3)
  })
})

describe('a sink', () => {
  test('pushes once for each key, keeps the receipt, and is in no manifest', async () => {
    await using lab = new EngineLab()
    const pushed: string[] = []
    const make = defineTask({
      name: 'make',
      kind: 'pure',
      params: z.object({}),
      inputs: {},
      output: text,
      run: () => 'hello',
    })
    const push = defineTask({
      name: 'push',
      kind: 'sink',
      version: 1,
      params: z.object({}),
      inputs: { text },
      output: jsonArtifact('receipt', z.object({ id: z.string() })),
      run: async ({ text: value }, _params, { idempotencyKey }) => {
        pushed.push(`${value} ${idempotencyKey}`)
        return { id: 'r1' }
      },
    })
    const pipeline = definePipeline('p', z.object({}), (graph) =>
      graph.target('t', graph.add(push, { inputs: { text: graph.add(make) } })),
    )
    const first = await lab.run(pipeline, ['t'])
    expect((await lab.run(pipeline, ['t'])).counts.executed).toBe(0)
    expect(pushed).toHaveLength(1)
    expect(first.manifest!.nodes.map(({ address }) => address)).toEqual(['make'])
    expect(first.manifest!.targets).toEqual([{ name: 't', addresses: [] }])
  })
})
