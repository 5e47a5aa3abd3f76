import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../../cas/digest.ts'
import { Fault } from '../../../../lib/fault.ts'
import { encodeTable, readTableInfo } from '../../../../lib/tables/parquet.ts'
import { defineTable, f64, tsMs } from '../../../../lib/tables/schema.ts'
import { makeTable } from '../../../../lib/tables/table.ts'
import type { CodeRef, Job, JobArtifact, JobInput } from '../../../../pipeline/engine/executor/job.ts'
import { bundledTask } from './bundledTask.ts'
import { type ExecutorRig, executorRig } from './executorRig.ts'

let rig: ExecutorRig
beforeAll(async () => {
  rig = await executorRig({ workers: 2 })
})
afterAll(() => rig.close())

const one = (artifact: JobArtifact): JobInput => ({ kind: 'one', artifact })
const params = (value: unknown): Partial<Job> => ({ paramsJson: JSON.stringify(value) })

const declarations = `
import { z } from 'zod'
import { defineTask, many, optional, stored } from 'pipeline/engine/task.ts'
import { filesArtifact, jsonArtifact, tableArtifact } from 'lib/artifact.ts'
import { defineTable, f64, tsMs } from 'lib/tables/schema.ts'
import { makeTable as table } from 'lib/tables/table.ts'
const schema = defineTable({ name: 'minutes', version: 1, columns: { openTsMs: tsMs(), mean: f64() }, sortKey: ['openTsMs'] })
const minutes = tableArtifact(schema)
const raw = filesArtifact('raw')
const facts = jsonArtifact('facts', z.object({ name: z.string(), big: z.bigint().optional() }))
const sums = jsonArtifact('sums', z.array(z.number()))
`

const schema = defineTable({
  name: 'minutes',
  version: 1,
  columns: { openTsMs: tsMs(), mean: f64() },
  sortKey: ['openTsMs'],
})
const minutesOf = (...means: number[]) =>
  encodeTable(
    makeTable(schema, { openTsMs: Float64Array.from(means, (_, i) => i * 60_000), mean: Float64Array.from(means) }),
  )

describe('what a task is handed', () => {
  test('tables, JSON, files, many, optional and stored inputs, and params with their defaults', async () => {
    const code = rig.code(
      await bundledTask(`${declarations}
export const task = defineTask({
  name: 'x', kind: 'pure', params: z.object({ a: z.number(), b: z.number().default(7) }),
  inputs: { minutes, facts, raw, all: many(minutes), none: optional(facts), later: stored(minutes) },
  output: jsonArtifact('seen', z.any()),
  run: ({ minutes, facts, raw, all, none, later }, params) => ({
    means: [...minutes.columns.mean], name: facts.name, big: String(facts.big), params,
    names: [...raw.names], part: String.fromCharCode(...raw.readAt('a.txt', 1, 2)), bytes: raw.read('b/c').length,
    sizes: raw.names.map((name) => raw.sizeBytes(name)), all: all.map((t) => t.rowCount),
    none: none === undefined, later: [later.read().rowCount, later.files.names[0]],
  }),
})`),
    )
    const minutes = rig.artifact('minutes', { 'table.parquet': minutesOf(1, 2) })
    const inputs = {
      minutes: one(minutes),
      facts: one(rig.artifact('facts', { 'value.json': '{"big":{"$bigint":"9007199254740993"},"name":"x"}' })),
      raw: one(rig.artifact('raw', { 'a.txt': 'hello', 'b/c': new Uint8Array(3) })),
      all: { kind: 'many', artifacts: [minutes, rig.artifact('minutes', { 'table.parquet': minutesOf(3) })] },
      later: one(minutes),
    } as const
    expect(await rig.value(code, { ...params({ a: 1 }), inputs })).toEqual({
      means: [1, 2],
      name: 'x',
      big: '9007199254740993',
      params: { a: 1, b: 7 },
      names: ['a.txt', 'b/c'],
      part: 'el',
      bytes: 3,
      sizes: [5, 3],
      all: [2, 1],
      none: true,
      later: [2, 'table.parquet'],
    })
  })

  test('what one node writes into its inputs no other sees, however often they are read', async () => {
    const code = rig.code(
      await bundledTask(`${declarations}
export const task = defineTask({ name: 'x', kind: 'pure', params: z.object({}), inputs: { minutes }, output: sums,
  run({ minutes }) {
    const before = [...minutes.columns.mean]
    minutes.columns.mean.fill(0)
    minutes.columns.mean = 'gone'
    minutes.schema.columns.mean.kind = 'gone'
    return before
  } })`),
    )
    const inputs = { minutes: one(rig.artifact('minutes', { 'table.parquet': minutesOf(1, 2) })) }
    for (let i = 0; i < 8; i++) expect(await rig.value(code, { inputs })).toEqual([1, 2])
  })

  test('code ports', async () => {
    const strategy = rig.code('let calls = 0; exports.value = { sign: -1, calls: () => ++calls }')
    const task = rig.task('return [inputs.strategy.sign, inputs.strategy.calls()]')
    for (let i = 0; i < 2; i++) expect(await rig.value(task, { ports: { strategy } })).toEqual([-1, 1])
  })

  test('seeds from task, params.seed and stream, and from nothing else', async () => {
    const code = (more: string) => rig.task(`${more}; return [context.seed('a'), context.seed('b')]`)
    const seeds = (await rig.value(code(''))) as string[]
    expect(seeds[0]).toBe(digestOf('["x",0,"a"]').slice(0, 16))
    expect(seeds[0]).not.toBe(seeds[1])
    expect(await rig.value(code('let refactored'), { address: 'other' })).toEqual(seeds)
    expect(await rig.value(code(''), params({ seed: 1 }))).not.toEqual(seeds)
  })

  test('a clock in UTC, whatever the machine says', async () => {
    expect(await rig.value(rig.task('return new Date(0).getHours()'))).toBe(0)
  })

  test('packages, loaded before the wires are armed', async () => {
    const dir = join(rig.dir, 'node_modules', 'noisy')
    mkdirSync(dir, { recursive: true })
    writeFileSync(join(dir, 'package.json'), '{ "name": "noisy", "version": "1.0.0", "main": "n.cjs" }')
    writeFileSync(join(dir, 'n.cjs'), 'const at = Date.now(); exports.old = at > 0; exports.now = () => Date.now()')
    const packages = [
      {
        name: 'noisy',
        version: '1.0.0',
        tree: digestOf(''),
        dependencies: {},
        imports: [{ id: 'noisy', specifier: 'noisy' }],
      },
    ]
    const asked: string[] = []
    const other = await executorRig({
      resolvePackage(name, version) {
        asked.push(`${name}@${version}`)
        return dir
      },
    })
    const using = (use: string) =>
      other.code(
        `exports.task = { name: 'x', params: { parse: (p) => p }, inputs: {},
  output: { form: 'json', name: 'o', schema: { parse: (p) => p } }, run: () => require('noisy').${use} }`,
        { packages },
      )
    expect(await other.value(using('old'))).toBe(true)
    const fault = await other.fault(using('now()'))
    expect(fault.what).toContain('called Date.now() at ')
    expect(fault.what).toContain('/noisy/n.cjs:1:')
    expect(asked).toEqual(['noisy@1.0.0'])
    await other.close()
  })
})

describe('what a task gives', () => {
  const output = async (form: string, body: string): Promise<CodeRef> =>
    rig.code(
      await bundledTask(`${declarations}
export const task = defineTask({ name: 'x', kind: 'pure', params: z.object({}), inputs: {}, output: ${form},
${body.startsWith('*') ? `*run() ${body.slice(1)}` : `run() { ${body} }`} })`),
    )
  const rows = (...tsMs: number[]) =>
    `table(schema, { openTsMs: Float64Array.of(${tsMs}), mean: new Float64Array(${tsMs.length}) })`

  test('a table, whole or in batches: the same bytes', async () => {
    const whole = await rig.run(await output('minutes', `return ${rows(1, 2, 3)}`))
    const parts = await rig.run(await output('minutes', `*{ yield ${rows(1)}; yield ${rows(2, 3)} }`))
    expect(whole.files).toEqual([{ name: 'table.parquet', staged: expect.anything(), rows: 3 }])
    expect(parts.files[0]!.staged.digest).toBe(whole.files[0]!.staged.digest)
    expect(digestOf(readFileSync(whole.files[0]!.staged.stagedPath))).toBe(whole.files[0]!.staged.digest)
  })

  test('a table that starts over: what came before does not count, and leaves no file behind', async () => {
    const whole = await rig.run(await output('minutes', `return ${rows(1, 2, 3)}`))
    const before = readdirSync(rig.dir).length
    const again = await rig.run(
      await output('minutes', `*{ yield ${rows(5, 6)}; yield 'startOver'; yield ${rows(1)}; yield ${rows(2, 3)} }`),
    )
    expect(again.files).toEqual([
      { ...whole.files[0], staged: { ...whole.files[0]!.staged, ...again.files[0]!.staged } },
    ])
    expect(again.files[0]!.staged.digest).toBe(whole.files[0]!.staged.digest)
    // The code of the task and the one table.
    expect(readdirSync(rig.dir).length - before).toBe(2)
  })

  test('notes of a table, kept in its file', async () => {
    const { files } = await rig.run(await output('minutes', `*{ yield ${rows(1)}; return 'as it came' }`))
    expect(readTableInfo(readFileSync(files[0]!.staged.stagedPath))).toMatchObject({ rowCount: 1, notes: 'as it came' })
  })

  test('JSON in canonical form', async () => {
    const { files, type } = await rig.run(await output('facts', 'return { name: "x", big: 5n, more: 1 }'))
    expect(type).toBe('facts')
    expect(readFileSync(files[0]!.staged.stagedPath, 'utf8')).toBe('{"big":{"$bigint":"5"},"name":"x"}')
  })

  test('files as they are', async () => {
    const { files } = await rig.run(await output('raw', 'return [{ name: "a/b", bytes: new Uint8Array([1, 2]) }]'))
    expect(files.map(({ name, staged }) => [name, staged.sizeBytes])).toEqual([['a/b', 2]])
  })

  const refused: readonly (readonly [says: string, form: string, body: string, message: RegExp])[] = [
    ['a table that is not sorted', 'minutes', `return ${rows(2, 1)}`, /comes before the row above it/],
    ['batches that overlap', 'minutes', `*{ yield ${rows(2)}; yield ${rows(1)} }`, /comes before the row above it/],
    [
      'columns that were changed behind the schema',
      'minutes',
      `const t = ${rows(1)}; t.columns.mean = [1]; return t`,
      /mean/,
    ],
    ['notes that are no text', 'minutes', `*{ yield ${rows(1)}; return 5 }`, /its notes are a value of type number/],
    ['a batch that is no table', 'minutes', '*{ yield 5 }', /a batch of it is a value of type number/],
    ['no table', 'minutes', 'return 5', /it is a value of type number, and a table "minutes" is declared/],
    ['JSON of another shape', 'facts', 'return { name: 5 }', /name: .*expected string/],
    ['JSON with no form', 'sums', 'return [NaN]', /NaN|number/],
    ['a name that leads out of its folder', 'raw', 'return [{ name: "../a", bytes: new Uint8Array() }]', /steps out/],
    ['a name given twice', 'raw', 'return [1, 2].map(() => ({ name: "a", bytes: new Uint8Array() }))', /twice/],
    ['no bytes', 'raw', 'return [{ name: "a", bytes: "text" }]', /not a Uint8Array/],
  ]
  for (const [says, form, body, message] of refused) {
    test(`is refused when it is ${says}`, async () => {
      const fault = await rig.fault(await output(form, body))
      expect(fault.what).toMatch(/the output of task "x" is not what it declares/)
      expect(fault.what).toMatch(message)
    })
  }

  test('log lines, but not without end', async () => {
    const { log } = await rig.run(rig.task('for (let i = 0; i < 5000; i++) context.log(`line ${i}`); return 1'))
    expect([log.length, log[0], log.at(-1)]).toEqual([1001, 'line 0', '(4000 more lines were dropped)'])
  })
})

describe('what a user is told when a task fails', () => {
  test('its own message, the line and the address', async () => {
    const fault = await rig.fault(rig.task('throw new RangeError("the book is empty")'), { address: 'book[BTC]' })
    expect(fault).toMatchObject({ code: 'failed', where: 'book[BTC]', details: { task: 'x', phase: 'run' } })
    expect(fault.what).toBe('task "x" failed: the book is empty (project/tasks/x:5:40)')
    expect(fault.cause).toMatchObject({ name: 'RangeError', message: 'the book is empty' })
    expect((fault.cause as Error).stack).toMatch(/^RangeError: the book is empty\n +at .*project\/tasks\/x:5:40\)?$/)
  })

  test('the sources, where the stack can be mapped', async () => {
    const mapped = await executorRig({
      mapStack: (_, stack) => stack.replace('project/tasks/x:5:40', 'tasks/x.ts:7:1'),
    })
    expect((await mapped.fault(mapped.task('throw new Error("no")'))).what).toContain('(tasks/x.ts:7:1)')
    await mapped.close()
  })

  test('the place in the code of a port rather than in what it called, and of a cause rather than of its wrapping', async () => {
    const mapped = await executorRig({
      mapStack: (code, stack) => {
        const [from, to] = code === strategy.digest ? [/strategies\/mine/, 'mine.ts'] : [/project\/tasks\/x/, 'x.ts']
        return stack.replace(new RegExp(`${from.source}:(\\d+):\\d+`), `${to}:$1`)
      },
    })
    const strategy = mapped.code('exports.value = (context) => {\n  context.buy("NO")\n}', { id: 'strategies/mine' })
    const task = mapped.task(`
      const account = { buy(symbol) { throw new Error(symbol + ' is unknown') } }
      try { inputs.strategy(account) } catch (cause) { throw new Error('the strategy threw: ' + cause.message, { cause }) }`)
    const fault = await mapped.fault(task, { ports: { strategy } })
    expect(fault.what).toBe('task "x" failed: the strategy threw: NO is unknown (mine.ts:2)')
    expect((fault.cause as Error).stack).toMatch(/x\.ts:6\)?\n.*mine\.ts:2/)
    await mapped.close()
  })

  test('what it threw when that was no error', async () => {
    expect((await rig.fault(rig.task('throw "text"'))).what).toContain('it threw "text", which is not an Error')
  })

  test('wrong params, by their path', async () => {
    const code = rig.code(
      await bundledTask(`${declarations}
export const task = defineTask({ name: 'x', kind: 'pure', params: z.object({ n: z.number() }), inputs: {}, output: sums, run: () => [] })`),
    )
    expect((await rig.fault(code)).what).toMatch(
      /the params of task "x" are not what it declares: n: .*expected number/,
    )
  })

  test('a damaged input, with the code that says so', async () => {
    const code = rig.code(
      await bundledTask(`${declarations}
export const task = defineTask({ name: 'x', kind: 'pure', params: z.object({}), inputs: { minutes }, output: sums, run: () => [] })`),
    )
    const bytes = minutesOf(1, 2).subarray(0, 60)
    const fault = await rig.fault(code, {
      inputs: { minutes: one(rig.artifact('minutes', { 'table.parquet': bytes })) },
    })
    expect(fault.code).toBe('corrupt')
    expect(fault.what).toContain('input "minutes" of task "x" cannot be read')
  })

  const flip = (artifact: JobArtifact, name: string) => {
    const { path, digest } = artifact.files.find((file) => file.name === name)!
    const bytes = readFileSync(path)
    bytes[1]! ^= 1
    writeFileSync(path, bytes)
    return digest
  }

  test('an input with one flipped byte, of a value that would still parse', async () => {
    const code = rig.code(
      await bundledTask(`${declarations}
const value = jsonArtifact('value', z.number())
export const task = defineTask({ name: 'x', kind: 'pure', params: z.object({}), inputs: { value }, output: sums, run: ({ value }) => [value] })`),
    )
    const artifact = rig.artifact('value', { 'value.json': '123' })
    expect(await rig.value(code, { inputs: { value: one(artifact) } })).toEqual([123])
    const digest = flip(artifact, 'value.json')
    const fault = await rig.fault(code, { inputs: { value: one(artifact) } })
    expect(fault).toMatchObject({ code: 'corrupt', details: { phase: 'input', subject: 'value', digest } })
  })

  test('a damaged file that is read in pieces, also where the task goes on without it', async () => {
    const code = rig.code(
      await bundledTask(`${declarations}
export const task = defineTask({ name: 'x', kind: 'pure', params: z.object({}), inputs: { raw }, output: sums,
  run: ({ raw }) => { try { return [raw.readAt('a', 8, 1)[0]] } catch { return [0] } } })`),
    )
    const artifact = rig.artifact('raw', { a: 'nine bytes' })
    const inputs = { raw: one(artifact) }
    expect(await rig.value(code, { inputs })).toEqual(['e'.charCodeAt(0)])
    const digest = flip(artifact, 'a')
    expect(await rig.fault(code, { inputs })).toMatchObject({ code: 'corrupt', details: { phase: 'input', digest } })
  })

  test('damaged code', async () => {
    const code = rig.task('return 1')
    writeFileSync(code.path, readFileSync(code.path, 'utf8').replace('return 1', 'return 2'))
    expect(await rig.fault(code)).toMatchObject({ code: 'corrupt', details: { digest: code.digest } })
  })
})

describe('threads', () => {
  const endless = 'for (;;) {}'

  test('a task that does not end in time is stopped, and the next one runs', async () => {
    const fault = await rig.fault(rig.task(endless), { timeoutMs: 50 })
    expect(fault.what).toMatch(/^task "x" did not end within its 50 ms; it was at project\/tasks\/x:5:\d+$/)
    expect(await rig.value(rig.task('return 1'))).toBe(1)
  })

  test('so is one that waits for nothing', async () => {
    const fault = await rig.fault(rig.task('return new Promise(() => {})'), { timeoutMs: 50 })
    expect(fault.what).toContain('did not end within')
  })

  // That one which goes on is left alone stands in silence.test.ts: on a busy machine its steps may take any time.
  test('so is one that stands still, with how far it came; one that never said a word is not', async () => {
    const silent = 'for (let n = 0; n < 4e8; n++); return 2'
    expect(await rig.value(rig.task(silent), { silenceMs: 20 })).toBe(2)
    const fault = await rig.fault(rig.task(`context.reached(Date.UTC(2024, 0, 2)); ${endless}`), { silenceMs: 100 })
    expect(fault.what).toMatch(
      /^task "x" came as far as 2024-01-02.* and no further in 100 ms; it was at project\/tasks/,
    )
    expect(fault).toMatchObject({ code: 'failed', details: { reachedMs: Date.UTC(2024, 0, 2) } })
  })

  test('one that eats memory is stopped by the limit of its thread, and the next one runs', async () => {
    const small = await executorRig({ memoryMb: 256 })
    const fault = await small.fault(small.task('const all = []; for (;;) all.push({ more: all.length })'))
    expect(fault.what).toBe(
      'task "x" needs too much memory: it reached the memory limit of 256 MB for objects in a worker thread',
    )
    expect(await small.value(small.task('return 1'))).toBe(1)
    await small.close()
  })

  test('a job that waits behind a stopped one runs elsewhere', async () => {
    const stuck = Array.from({ length: 2 }, () => rig.fault(rig.task(endless), { timeoutMs: 50 }))
    const behind = Array.from({ length: 6 }, (_, i) => rig.value(rig.task(`return ${i}`)))
    expect(await Promise.all(behind)).toEqual([0, 1, 2, 3, 4, 5])
    for (const fault of await Promise.all(stuck)) expect(fault.what).toContain('did not end within')
  })

  test('a job that waits behind a long one is taken over by an idle thread', async () => {
    const stop = new AbortController()
    const long = rig.executor.execute(rig.job(rig.task(endless)), stop.signal)
    const rest = await Promise.all(Array.from({ length: 20 }, (_, i) => rig.value(rig.task(`return ${i} + 100`))))
    expect(rest).toEqual(Array.from({ length: 20 }, (_, i) => i + 100))
    stop.abort()
    await expect(long).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('aborting stops what runs and what waits', async () => {
    const stop = new AbortController()
    const all = Array.from({ length: 8 }, () => rig.executor.execute(rig.job(rig.task(endless)), stop.signal))
    setTimeout(() => stop.abort(), 20)
    for (const { status, reason } of (await Promise.allSettled(all)) as PromiseRejectedResult[]) {
      expect([status, (reason as Fault).code]).toEqual(['rejected', 'interrupted'])
    }
    await expect(rig.executor.execute(rig.job(rig.task('return 1')), stop.signal)).rejects.toBeInstanceOf(Fault)
    expect(await rig.value(rig.task('return 1'))).toBe(1)
  })

  test('hundreds of jobs keep their answers apart', async () => {
    const code = rig.task('return params.n')
    const got = await Promise.all(Array.from({ length: 500 }, (_, n) => rig.value(code, params({ n }))))
    expect(got).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  test('closing ends what is under way', async () => {
    const other = await executorRig()
    const running = other.executor.execute(other.job(other.task(endless)), new AbortController().signal)
    setTimeout(() => void other.close(), 20)
    await expect(running).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('one that cannot start says why instead of trying for ever', async () => {
    const broken = await executorRig({ workerUrl: new URL('file:///nowhere/worker.mjs') })
    expect((await broken.fault(broken.task('return 1'))).what).toContain('its worker thread died')
    await broken.close()
  })
})

describe('a child process', () => {
  const isolate = true

  test('gives the same bytes as a thread', async () => {
    const code = rig.task('return [params.n, context.seed("a"), new Date(0).getHours()]')
    const thread = await rig.run(code, params({ n: 1 }))
    const child = await rig.run(code, { ...params({ n: 1 }), isolate })
    expect(child.files[0]!.staged.digest).toBe(thread.files[0]!.staged.digest)
  })

  test('has the same wires', async () => {
    expect((await rig.fault(rig.task('return Date.now()'), { isolate })).what).toContain('called Date.now() at ')
  })

  test('is killed when its time is up, and when the signal says so', async () => {
    expect((await rig.fault(rig.task('for (;;) {}'), { isolate, timeoutMs: 200 })).what).toContain('within its 200 ms')
    const stop = new AbortController()
    const running = rig.executor.execute(rig.job(rig.task('for (;;) {}'), { isolate }), stop.signal)
    setTimeout(() => stop.abort(), 50)
    await expect(running).rejects.toMatchObject({ code: 'interrupted' })
  })

  test('is stopped by the limit of its heap', async () => {
    const fault = await rig.fault(rig.task('const all = []; for (;;) all.push(new Array(1e6).fill({}))'), {
      isolate: true,
      memoryMb: 64,
    })
    expect(fault.what).toContain('needs too much memory')
  })

  test.skipIf(!readdirSync('/').includes('proc'))('is killed for memory outside of the heap, too', async () => {
    const hoard = 'const all = []; for (;;) { all.push(new Uint8Array(1e7).fill(1)); for (let i = 0; i < 1e7; i++); }'
    expect((await rig.fault(rig.task(hoard), { isolate, memoryMb: 100 })).what).toContain('100 MB are its limit')
  })
})
