import { mkdirSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { objectPath } from '../../../../cas/layout.ts'
import { jsonArtifact } from '../../../../lib/artifact.ts'
import type { FinishedRun } from '../../../../pipeline/engine/engine.ts'
import { definePipeline, type NodeHandle } from '../../../../pipeline/engine/graph.ts'
import { absent, defineTask, many, optional } from '../../../../pipeline/engine/task.ts'
import { EngineLab } from '../../../support/engineLab.ts'

const names = jsonArtifact('names', z.array(z.string()))
const count = jsonArtifact('count', z.number())

/** A small world: a source lists names, each name is measured, the measures are summed. */
function world(list: string[], options: { fail?: string; version?: number } = {}) {
  const seen = { fetches: 0 }
  const fetchNames = defineTask({
    name: 'fetchNames',
    kind: 'source',
    version: options.version ?? 1,
    params: z.object({}),
    output: names,
    run: async () => {
      seen.fetches++
      return list
    },
  })
  const measure = defineTask({
    name: 'measure',
    kind: 'pure',
    params: z.object({ name: z.string(), scale: z.number().default(1) }),
    inputs: {},
    output: count,
    run: (_, { name, scale = 1 }) => {
      if (name === options.fail) throw new Error('cannot be measured')
      return name.length * scale
    },
  })
  const sum = defineTask({
    name: 'sum',
    kind: 'pure',
    params: z.object({}),
    inputs: { counts: many(count), extra: optional(count) },
    output: count,
    run: ({ counts, extra }) => counts.reduce((total, one) => total + one, extra ?? 0),
  })
  const isLarge = defineTask({
    name: 'isLarge',
    kind: 'pure',
    params: z.object({ limit: z.number() }),
    inputs: { total: count },
    output: jsonArtifact('flag', z.boolean()),
    run: ({ total }, { limit }) => total > limit,
  })
  const report = defineTask({
    name: 'report',
    kind: 'pure',
    params: z.object({}),
    inputs: { flag: jsonArtifact('flag', z.boolean()) },
    output: jsonArtifact('report', z.string()),
    run: ({ flag }) => (flag ? 'large' : 'small'),
  })
  const pipeline = definePipeline('world', z.object({ limit: z.number().default(100) }), (graph, { limit }) => {
    const list = graph.add(fetchNames)
    const counts = graph.each(
      list,
      (all) => all,
      (name) => graph.add(measure, { at: [name], params: { name } }),
    )
    const total = graph.add(sum, { inputs: { counts } })
    const flag = graph.add(isLarge, { params: { limit }, inputs: { total } })
    graph.target('sum', total)
    graph.target('report', graph.add(report, { inputs: { flag } }))
  })
  return { pipeline, seen }
}

const give = defineTask({
  name: 'give',
  kind: 'pure',
  params: z.object({ value: z.number() }),
  inputs: {},
  output: count,
  run: (_, { value }) => value,
})

/** One node that reads a port of one, of many, and one that is not wired. */
function inputsWorld(values: { a: number; b: number; alone: number }) {
  const all = defineTask({
    name: 'all',
    kind: 'pure',
    params: z.object({}),
    inputs: { one: count, several: many(count), none: optional(count) },
    output: count,
    run: ({ one, several }) => one + several.length,
  })
  return definePipeline('inputs', z.object({}), (graph) => {
    const [a, b, alone] = (['a', 'b', 'alone'] as const).map((name) =>
      graph.add(give, { at: [name], params: { value: values[name] } }),
    )
    graph.target('many', a!, b!)
    graph.target('alone', alone!)
    graph.target('all', graph.add(all, { inputs: { one: alone!, several: [a!, b!] } }))
  })
}

test('of nodes that may begin, the one the graph names first begins first', async () => {
  await using lab = new EngineLab()
  const { pipeline } = world(['one', 'two', 'three', 'four', 'five'])
  await lab.run(pipeline, ['report'])
  expect(lab.executed.filter((address) => address.startsWith('measure'))).toEqual(
    ['one', 'two', 'three', 'four', 'five'].map((name) => `measure[${name}]`),
  )
})

test('of one task, the node with the longest chain behind it begins first', async () => {
  await using lab = new EngineLab()
  const link = defineTask({
    name: 'link',
    kind: 'pure',
    params: z.object({}),
    inputs: { own: count, before: optional(count) },
    output: count,
    run: ({ own, before }) => own + (before ?? 0),
  })
  const pipeline = definePipeline('chain', z.object({}), (graph) => {
    const given = [3, 2, 1].map((value) => graph.add(give, { at: [`${value}`], params: { value } })).reverse()
    let before: NodeHandle<typeof count> | undefined
    for (const [i, own] of given.entries()) {
      before = graph.add(link, { at: [`${i + 1}`], inputs: { own, ...(before === undefined ? {} : { before }) } })
    }
    graph.target('end', ...given.toReversed(), before!)
  })
  await lab.run(pipeline, ['end'])
  expect(lab.executed.filter((address) => address.startsWith('give'))).toEqual(['give[1]', 'give[2]', 'give[3]'])
})

describe('a run', () => {
  test('executes what is not recorded, and a second run executes nothing and has the same id', async () => {
    await using lab = new EngineLab()
    const { pipeline, seen } = world(['ab', 'cde'])
    const first = await lab.run(pipeline, ['report'])
    expect(first.status).toBe('ok')
    expect(lab.executed.sort()).toEqual(['isLarge', 'measure[ab]', 'measure[cde]', 'report', 'sum'])
    expect(lab.value(first, 'sum')).toBe(5)

    const second = await lab.run(pipeline, ['report'])
    expect(lab.executed).toEqual([])
    expect(seen.fetches).toBe(1)
    expect(second.counts).toMatchObject({ total: 6, cached: 6, executed: 0 })
    expect(second.manifestId).toBe(first.manifestId)
  })

  test('executes only what a target needs', async () => {
    await using lab = new EngineLab()
    await lab.run(world(['ab']).pipeline, ['sum'])
    expect(lab.executed.sort()).toEqual(['measure[ab]', 'sum'])
  })

  test('cuts off early: a new input that comes out the same re-runs nothing behind it', async () => {
    await using lab = new EngineLab()
    const before = await lab.run(world(['ab', 'cde']).pipeline, ['report'])
    const after = await lab.run(world(['ab', 'cde', 'f']).pipeline, ['report'], { refresh: ['fetchNames'] })
    expect(lab.executed.sort()).toEqual(['isLarge', 'measure[f]', 'sum'])
    expect(lab.value(after, 'report')).toBe(lab.value(before, 'report'))
  })

  test('a changed default of an optional param re-runs nothing, for defaults are left out of the spec', async () => {
    await using lab = new EngineLab()
    const run = await lab.run(world(['ab']).pipeline, ['sum'])
    expect(run.manifest?.nodes.find(({ task }) => task === 'measure')?.params).toEqual({ name: 'ab' })
  })

  test('changed code re-runs its task, and what reads it only if the bytes changed', async () => {
    await using lab = new EngineLab()
    const { pipeline } = world(['ab', 'cde'])
    await lab.run(pipeline, ['report'])
    lab.code.set('measure', 'second')
    await lab.run(pipeline, ['report'])
    expect(lab.executed.sort()).toEqual(['measure[ab]', 'measure[cde]'])
  })

  test('a failure stops the run, names everything, and a rerun resumes', async () => {
    await using lab = new EngineLab()
    const failed = await lab.run(world(['ab', 'bad', 'cde'], { fail: 'bad' }).pipeline, ['report'], { keepGoing: true })
    expect(failed.status).toBe('partial')
    expect(failed.manifest).toBeUndefined()
    expect(failed.failures).toHaveLength(1)
    expect(failed.failures[0]).toMatchObject({
      address: 'measure[bad]',
      failure: {
        message: 'cannot be measured',
        params: { name: 'bad' },
        attempts: 1,
        rerun: "pipe run 'measure[bad]'",
      },
    })
    expect(lab.events.filter(({ kind }) => kind === 'node skipped').length).toBe(3)

    const resumed = await lab.run(world(['ab', 'bad', 'cde']).pipeline, ['report'])
    expect(lab.executed.sort()).toEqual(['isLarge', 'measure[bad]', 'report', 'sum'])
    expect(resumed.status).toBe('ok')
  })

  test('without --keep-going nothing new starts after a failure', async () => {
    await using lab = new EngineLab()
    const failed = await lab.run(world(['bad', 'ab'], { fail: 'bad' }).pipeline, ['report'])
    expect(failed.status).toBe('failed')
    expect(lab.executed).not.toContain('sum')
  })

  test('the same key giving other bytes is a dispute: the first record serves, the status says so', async () => {
    await using lab = new EngineLab()
    let calls = 0
    const roll = defineTask({
      name: 'roll',
      kind: 'pure',
      params: z.object({}),
      inputs: {},
      output: count,
      run: () => ++calls,
    })
    const pipeline = definePipeline('dice', z.object({}), (graph) => graph.target('roll', graph.add(roll)))
    const first = await lab.run(pipeline, ['roll'])
    const second = await lab.run(pipeline, ['roll'], { force: ['roll'] })
    expect(second.status).toBe('nondeterministic')
    expect(second.disputes).toHaveLength(1)
    expect(second.manifestId).toBe(first.manifestId)
    const { key } = second.disputes[0]!
    expect(lab.store.records.disputed(key)).toBe(true)
    expect(lab.events.find(({ kind }) => kind === 'node disputed')).toMatchObject({
      address: 'roll',
      difference: 'value.json: (all): 1 became 2',
    })
  })

  test('a frozen run fetches nothing and says how to go on', async () => {
    await using lab = new EngineLab()
    const pinned = await lab.run(world(['ab']).pipeline, ['sum'])
    const frozen = { name: 'x', manifest: pinned.manifest! }
    const again = await lab.run(world(['other']).pipeline, ['sum'], { frozen, refresh: ['*'] })
    expect(again.manifestId).toBe(pinned.manifestId)

    const lacking = await lab.run(world(['ab'], { version: 2 }).pipeline, ['sum'], { frozen })
    expect(lacking.status).toBe('missingSource')
    expect(lacking.failures[0]!.failure.message).toContain('--from x')
  })

  test('a frozen run does not take a newer observation from the store', async () => {
    await using lab = new EngineLab()
    const pinned = await lab.run(world(['ab']).pipeline, ['sum'])
    await lab.run(world(['abcdef']).pipeline, ['sum'], { refresh: ['fetchNames'] })
    const frozen = await lab.run(world(['abcdef']).pipeline, ['sum'], {
      frozen: { name: 'x', manifest: pinned.manifest! },
    })
    expect(frozen.manifestId).toBe(pinned.manifestId)
  })

  test('a plan knows that a snapshot may hold what a source answers, though no record says so', async () => {
    await using lab = new EngineLab()
    const list = defineTask({
      name: 'list',
      kind: 'pure',
      params: z.object({}),
      inputs: {},
      output: names,
      run: () => ['ab'],
    })
    const ask = defineTask({
      name: 'ask',
      kind: 'source',
      version: 1,
      params: z.object({}),
      inputs: { of: names },
      output: count,
      run: async () => 7,
    })
    const pipeline = definePipeline('asks', z.object({}), (graph) =>
      graph.target('ask', graph.add(ask, { inputs: { of: graph.add(list) } })),
    )
    const from = (await lab.run(pipeline, ['ask'])).manifest!
    await lab.store.close()
    for (const folder of ['records', 'index']) {
      rmSync(join(lab.root, folder), { recursive: true })
      mkdirSync(join(lab.root, folder))
    }
    await lab.reopen()
    const plan = await lab.plan(pipeline, ['ask'], { from })
    expect(plan.nodes.map(({ address, verdict }) => [address, verdict.kind])).toEqual([
      ['ask', 'may run'],
      ['list', 'will run'],
    ])
    const run = await lab.run(pipeline, ['ask'], { from })
    expect(run.counts).toMatchObject({ executed: 1, cached: 1 })
  })

  test('an absent source is remembered, asked again when its time has come, and feeds optional ports only', async () => {
    await using lab = new EngineLab()
    let isThere = false
    const maybe = defineTask({
      name: 'maybe',
      kind: 'source',
      version: 1,
      params: z.object({}),
      output: count,
      run: async () => (isThere ? 7 : absent('404', 1000)),
    })
    const read = defineTask({
      name: 'read',
      kind: 'pure',
      params: z.object({}),
      inputs: { maybe: optional(count) },
      output: count,
      run: ({ maybe: value }) => value ?? -1,
    })
    const pipeline = definePipeline('absence', z.object({}), (graph) => {
      graph.target('read', graph.add(read, { inputs: { maybe: graph.add(maybe) } }))
    })
    const first = await lab.run(pipeline, ['read'])
    expect(lab.value(first, 'read')).toBe(-1)
    isThere = true
    expect((await lab.run(pipeline, ['read'])).manifestId).toBe(first.manifestId)
    lab.nowMs += 1000
    expect(lab.value(await lab.run(pipeline, ['read']), 'read')).toBe(7)
  })

  test('lost bytes of a pure node are made again when somebody demands them, and not before', async () => {
    await using lab = new EngineLab()
    const { pipeline } = world(['ab', 'cde'])
    const first = await lab.run(pipeline, ['report'])
    loseArtifact(lab, first, 'measure[ab]')
    expect((await lab.run(pipeline, ['report'])).counts.executed).toBe(0)
    lab.code.set('sum', 'second')
    const healed = await lab.run(pipeline, ['report'])
    expect(lab.executed.sort()).toEqual(['measure[ab]', 'sum'])
    expect(lab.events.find(({ kind }) => kind === 'node healed')).toMatchObject({
      address: 'measure[ab]',
      what: 'missing',
    })
    expect(healed.status).toBe('ok')
  })

  test('lost bytes of a source are fetched again; another answer is kept, said, and used by the next run', async () => {
    await using lab = new EngineLab()
    const first = await lab.run(world(['ab']).pipeline, ['sum'])
    loseArtifact(lab, first, 'fetchNames')
    const changed = await lab.run(world(['abcd']).pipeline, ['sum'])
    expect(changed.status).toBe('corrupt')
    expect(lab.value(await lab.run(world(['abcd']).pipeline, ['sum']), 'sum')).toBe(4)
  })

  test('executes one node before all others, recorded or not, and none that merely shares its name', async () => {
    await using lab = new EngineLab()
    const tried = defineTask({
      name: 'tried',
      kind: 'pure',
      params: z.object({ n: z.number() }),
      inputs: {},
      output: count,
      run: (_, { n }) => n,
    })
    const pipeline = definePipeline('tries', z.object({}), (graph) => {
      const others = [1, 2, 3, 4].map((n) => graph.add(tried, { at: [n], params: { n } }))
      graph.target('tried', ...others, graph.add(tried, { params: { n: 0 } }))
    })
    await lab.run(pipeline, ['tried'], { first: 'tried' })
    expect(lab.executed[0]).toBe('tried')
    expect(lab.executed).toHaveLength(5)
    await lab.run(pipeline, ['tried'], { first: 'tried' })
    expect(lab.executed).toEqual(['tried'])
  })

  test('Ctrl-C finishes what runs, publishes it, and starts nothing more', async () => {
    await using lab = new EngineLab()
    const stop = new AbortController()
    const { pipeline } = world(['ab', 'cde'])
    const run = await lab.run(pipeline, ['report'], {
      stop: stop.signal,
      emit: (event) => {
        if (event.kind === 'node started' && event.task === 'fetchNames') stop.abort()
      },
    })
    expect(run.status).toBe('interrupted')
    expect(lab.executed).toEqual([])
    const resumed = await lab.run(pipeline, ['report'])
    expect(resumed.counts.cached).toBe(1)
  })
})

function loseArtifact(lab: EngineLab, run: FinishedRun, address: string): void {
  const { artifact } = run.manifest!.nodes.find((node) => node.address === address)!
  for (const { digest } of lab.store.readDescriptor(artifact).files) rmSync(objectPath(lab.store.objectsDir, digest))
}

describe('a plan', () => {
  test('executes nothing, fetches nothing, opens no socket and writes no record', async () => {
    await using lab = new EngineLab()
    const { pipeline, seen } = world(['ab', 'cde'])
    const connect = vi.spyOn(Socket.prototype, 'connect')
    const before = lab.store.records.generation()
    const cold = await lab.plan(pipeline, ['report'])
    expect(cold.nodes.map(({ address, verdict }) => [address, verdict.kind])).toEqual([
      ['report', 'will run'],
      ['isLarge', 'will run'],
      ['sum', 'will run'],
      ['fetchNames', 'will run'],
      ['fetchNames.each', 'unknown'],
    ])
    expect([seen.fetches, lab.executed, connect.mock.calls]).toEqual([0, [], []])
    expect(lab.store.records.generation()).toBe(before)
    connect.mockRestore()
  })

  test('estimates from earlier runs, and counts a fan-out as it was last', async () => {
    await using lab = new EngineLab()
    const { pipeline } = world(['ab', 'cde'])
    await lab.run(pipeline, ['report'])
    const plan = await lab.plan(pipeline, ['report'], { refresh: ['fetchNames'] })
    expect(plan.nodes.find(({ address }) => address === 'fetchNames.each')?.verdict).toEqual({
      kind: 'unknown',
      until: ['fetchNames'],
      forEach: 'fetchNames',
      lastCount: 2,
    })
    expect(plan.nodes.find(({ address }) => address === 'sum')).toMatchObject({
      verdict: { kind: 'may run' },
      estimate: { p50Ms: 1, p90Ms: 1 },
    })
  })

  test('says why: params by path, a new version, changed code, and the input that changed', async () => {
    await using lab = new EngineLab()
    await lab.run(world(['ab']).pipeline, ['report'])
    const reasons = async (...args: Parameters<EngineLab['plan']>) =>
      Object.fromEntries(
        (await lab.plan(...args)).nodes.flatMap(({ address, verdict }) =>
          verdict.kind === 'will run' ? [[address, verdict.because]] : [],
        ),
      )
    expect(await reasons(world(['ab']).pipeline, ['report'], {}, { limit: 7 })).toEqual({
      isLarge: [{ kind: 'params', changes: [{ path: 'limit', before: 100, after: 7 }] }],
    })
    expect(await reasons(world(['ab'], { version: 2 }).pipeline, ['report'])).toMatchObject({
      fetchNames: [{ kind: 'version', before: 1, after: 2 }],
    })
    lab.code.set('report', 'edited')
    expect(await reasons(world(['ab']).pipeline, ['report'])).toEqual({ report: [{ kind: 'code', changes: [] }] })
  })

  describe('where an input has to run first', () => {
    const because = async (lab: EngineLab, address: string, ...asked: Parameters<EngineLab['plan']>) => {
      const { verdict } = (await lab.plan(...asked)).nodes.find((node) => node.address === address)!
      return verdict.kind === 'will run' ? verdict.because : verdict
    }

    test('the reason is what is known to have changed since it was last recorded, and then what it runs after', async () => {
      await using lab = new EngineLab()
      const { pipeline } = world(['ab'])
      await lab.run(pipeline, ['report'])
      lab.code.set('sum', 'edited')
      expect(await because(lab, 'isLarge', pipeline, ['report'], {}, { limit: 7 })).toEqual([
        { kind: 'params', changes: [{ path: 'limit', before: 100, after: 7 }] },
        { kind: 'upstream', after: ['sum'] },
      ])
      lab.code.set('report', 'edited')
      expect(await because(lab, 'report', pipeline, ['report'], {}, { limit: 7 })).toEqual([
        { kind: 'code', changes: [] },
        { kind: 'upstream', after: ['isLarge'] },
      ])
    })

    test('nothing is said of earlier where there is none', async () => {
      await using lab = new EngineLab()
      expect(await because(lab, 'report', world(['ab']).pipeline, ['report'])).toEqual([
        { kind: 'never built' },
        { kind: 'upstream', after: ['isLarge'] },
      ])
      // A list is not known: there is no node to name.
      expect(await because(lab, 'sum', world(['ab']).pipeline, ['report'])).toEqual([
        { kind: 'never built' },
        { kind: 'upstream', after: [] },
      ])
    })
  })

  test('names the inputs that changed, one by one, and leaves out those that did not', async () => {
    await using lab = new EngineLab()
    await lab.run(inputsWorld({ a: 1, b: 2, alone: 3 }), ['all'])
    const after = inputsWorld({ a: 1, b: 20, alone: 3 })
    await lab.run(after, ['many'])
    const { verdict } = (await lab.plan(after, ['all'])).nodes.find(({ address }) => address === 'all')!
    expect(verdict).toEqual({
      kind: 'will run',
      because: [{ kind: 'input', port: 'several', upstream: ['give[b]'] }],
    })
    const other = inputsWorld({ a: 1, b: 2, alone: 4 })
    await lab.run(other, ['alone'])
    expect((await lab.plan(other, ['all'])).nodes.find(({ address }) => address === 'all')!.verdict).toMatchObject({
      because: [{ port: 'one', upstream: ['give[alone]'], before: expect.any(String), after: expect.any(String) }],
    })
  })

  test('compares params leaf by leaf, with the defaults that an earlier record left out', async () => {
    await using lab = new EngineLab()
    const fees = z.object({ takerBps: z.number().default(10), makerBps: z.number().default(2) })
    const price = defineTask({
      name: 'price',
      kind: 'pure',
      params: z.object({
        execution: z.object({ fees: z.array(fees) }).default({ fees: [{ takerBps: 10, makerBps: 2 }] }),
      }),
      inputs: {},
      output: count,
      run: () => 1,
    })
    const pipeline = definePipeline('prices', z.object({ takerBps: z.number().optional() }), (graph, { takerBps }) => {
      const params = takerBps === undefined ? {} : { execution: { fees: [{ takerBps }] } }
      graph.target('price', graph.add(price, { params }))
    })
    await lab.run(pipeline, ['price'])
    expect((await lab.plan(pipeline, ['price'], {}, { takerBps: 8 })).nodes[0]!.verdict).toEqual({
      kind: 'will run',
      because: [{ kind: 'params', changes: [{ path: 'execution.fees[0].takerBps', before: 10, after: 8 }] }],
    })
  })
})

describe('a target', () => {
  test('may be a node that only a fan-out grows: nothing but what it needs runs', async () => {
    await using lab = new EngineLab()
    const { pipeline } = world(['ab', 'cde'])
    const plan = await lab.plan(pipeline, ['measure[ab]'])
    expect(plan.nodes.map(({ address, verdict }) => [address, verdict.kind])).toEqual([
      ['fetchNames', 'will run'],
      ['measure[ab]', 'unknown'],
    ])
    const run = await lab.run(pipeline, ['measure[cde]'])
    expect(lab.executed).toEqual(['measure[cde]'])
    expect(lab.value(run, 'measure[cde]')).toBe(3)
    expect((await lab.plan(pipeline, ['measure[ab]'])).nodes.map(({ address }) => address)).toEqual([
      'fetchNames',
      'measure[ab]',
    ])
    await expect(lab.run(pipeline, ['measure[abc]'])).rejects.toThrow('did you mean "measure[ab]"?')
  })
})
