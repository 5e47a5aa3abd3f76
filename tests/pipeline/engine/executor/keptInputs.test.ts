import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeTable } from '../../../../lib/tables/parquet.ts'
import { defineTable, f64, i32, nullable, tsMs, utf8 } from '../../../../lib/tables/schema.ts'
import { makeTable } from '../../../../lib/tables/table.ts'
import type { Job, JobArtifact } from '../../../../pipeline/engine/executor/job.ts'
import { KeptInputs } from '../../../../pipeline/engine/executor/keptInputs.ts'
import { bundledTask } from './bundledTask.ts'
import { type ExecutorRig, executorRig } from './executorRig.ts'

const table = (...values: number[]) => ({
  rowCount: values.length,
  columns: {
    name: values.map(String),
    value: Float64Array.from(values),
    maybe: { values: Int32Array.from(values), valid: new Uint8Array(values.length).fill(1) },
  },
})
type Kept = ReturnType<typeof table>
const find = (kept: KeptInputs, key: string) => kept.find(key) as Kept | undefined

describe('tables kept for the nodes to come', () => {
  test('are handed out again as they were decoded, in the same memory', () => {
    const kept = new KeptInputs(1e6)
    const decoded = table(1, 2)
    const first = kept.keep('a', decoded) as Kept
    kept.end()
    const second = find(kept, 'a')!
    expect([first, second]).toEqual([table(1, 2), table(1, 2)])
    expect(second.columns.value.buffer).toBe(decoded.columns.value.buffer)
    expect(find(kept, 'b')).toBeUndefined()
  })

  const writes: readonly (readonly [string, (lent: Kept) => void])[] = [
    ['a number', (lent) => lent.columns.value.fill(9)],
    ['the last byte of a validity', (lent) => (lent.columns.maybe.valid[1] = 0)],
    ['an order', (lent) => lent.columns.maybe.values.reverse()],
    ['the buffer, by giving it away', (lent) => structuredClone(0, { transfer: [lent.columns.value.buffer] })],
    ['a property of the buffer', (lent) => Object.assign(lent.columns.value.buffer, { mine: 1 })],
  ]
  for (const [says, write] of writes) {
    test(`are forgotten when a node changed ${says}`, () => {
      const kept = new KeptInputs(1e6)
      kept.keep('a', table(1, 2))
      kept.end()
      write(find(kept, 'a')!)
      kept.end()
      expect(find(kept, 'a')).toBeUndefined()
    })
  }

  test('also when it was the node that had them decoded', () => {
    const kept = new KeptInputs(1e6)
    const first = kept.keep('a', table(1, 2)) as Kept
    first.columns.value[0] = 5
    kept.end()
    expect(find(kept, 'a')).toBeUndefined()
  })

  test('do not show what a node did to the objects around them', () => {
    const kept = new KeptInputs(1e6)
    kept.keep('a', table(1, 2))
    kept.end()
    const lent = find(kept, 'a')! as unknown as { columns: Record<string, unknown> & { name: string[]; maybe: object } }
    lent.columns.name.reverse()
    lent.columns['value'] = 'gone'
    Object.assign(lent.columns.maybe, { values: 'gone' })
    kept.end()
    expect(find(kept, 'a')).toEqual(table(1, 2))
  })

  test('are handed to a node once: what it asks for again, it may have written into', () => {
    const kept = new KeptInputs(1e6)
    kept.keep('a', table(1, 2))
    expect(find(kept, 'a')).toBeUndefined()
    const own = table(1, 2)
    expect(kept.keep('a', own)).toBe(own)
    kept.end()
    expect(find(kept, 'a')).toEqual(table(1, 2))
  })

  test('stay within their bound, the one asked for longest ago leaving first', () => {
    // A table of n rows takes 34 n bytes: 13 twice, and the references to its texts.
    const kept = new KeptInputs(5 * 34)
    for (const key of ['a', 'b']) kept.keep(key, table(1, 2))
    kept.end()
    find(kept, 'a')
    kept.keep('c', table(1, 2))
    kept.end()
    expect(['a', 'b', 'c'].map((key) => find(kept, key) !== undefined)).toEqual([true, false, true])
    kept.keep('wide', table(1, 2, 3, 4, 5, 6))
    expect(find(kept, 'wide')).toBeUndefined()
  })

  test('make room for a node that needs the memory itself', () => {
    const kept = new KeptInputs(1e6)
    kept.keep('a', table(1, 2))
    kept.keepText('t', 'text')
    const foundWithin = (limitBytes: number) => {
      kept.end()
      kept.begin(limitBytes)
      return [find(kept, 'a') !== undefined, kept.findText('t')]
    }
    expect(foundWithin(76)).toEqual([true, 'text'])
    expect(foundWithin(68)).toEqual([true, undefined])
    kept.end()
    kept.begin(-1)
    expect(find(kept, 'a')).toBeUndefined()
    kept.keep('a', table(1, 2))
    expect(find(kept, 'a')).toBeUndefined()
  })
})

describe('a worker that keeps inputs', () => {
  let rig: ExecutorRig
  beforeAll(async () => {
    rig = await executorRig({ workers: 1 })
  })
  afterAll(() => rig.close())

  const schema = defineTable({
    name: 'minutes',
    version: 1,
    columns: { tsMs: tsMs(), mean: f64(), name: utf8(), maybe: nullable(i32()) },
    sortKey: ['tsMs'],
  })
  const minutesOf = (means: readonly number[]) =>
    encodeTable(
      makeTable(schema, {
        tsMs: Float64Array.from(means, (_, i) => i * 60_000),
        mean: Float64Array.from(means),
        name: means.map((mean) => `m${mean}`),
        maybe: { values: Int32Array.from(means), valid: new Uint8Array(means.length).fill(1) },
      }),
    )
  const code = async () =>
    rig.code(
      await bundledTask(`
import { z } from 'zod'
import { defineTask, many, stored } from 'pipeline/engine/task.ts'
import { jsonArtifact, tableArtifact } from 'lib/artifact.ts'
import { defineTable, f64, i32, nullable, pickColumns, tsMs, utf8 } from 'lib/tables/schema.ts'
const schema = defineTable({ name: 'minutes', version: 1,
  columns: { tsMs: tsMs(), mean: f64(), name: utf8(), maybe: nullable(i32()) }, sortKey: ['tsMs'] })
const minutes = tableArtifact(schema)
const picked = tableArtifact(pickColumns(schema, ['tsMs', 'mean']))
const facts = jsonArtifact('facts', z.object({ list: z.array(z.number()) }))
export const task = defineTask({
  name: 'x', kind: 'pure', params: z.object({ write: z.array(z.string()) }),
  inputs: { one: minutes, all: many(minutes), later: stored(minutes), picked, facts }, output: jsonArtifact('seen', z.any()),
  run({ one, all, later, picked, facts }, { write }) {
    const see = () => [one, ...all, later.read(), picked].map(({ columns }) =>
      [Object.keys(columns), [...columns.mean], [...columns.name ?? []], [...columns.maybe?.values ?? []]])
    const before = see()
    if (write.includes('one')) one.columns.mean.fill(-1)
    if (write.includes('all')) for (const { columns } of all) { columns.maybe.values.reverse(); columns.name.pop() }
    if (write.includes('picked')) picked.columns.mean.sort((a, b) => b - a)
    if (write.includes('facts')) facts.list.push(-1)
    return { before, after: see(), facts: facts.list }
  } })`),
    )

  test('gives what a worker gives that keeps nothing, whatever nodes write into their inputs', async () => {
    const task = await code()
    const tables = [[1, 2, 3], [4, 5], [6]].map((means) =>
      rig.artifact('minutes', { 'table.parquet': minutesOf(means) }),
    )
    const facts = rig.artifact('facts', { 'value.json': '{"list":[1,2]}' })
    const jobOf = (write: readonly string[], ones: readonly number[], readAgain: boolean): Partial<Job> => {
      const artifact = (of: JobArtifact) => ({ ...of, readAgain })
      const [one, ...all] = ones.map((at) => artifact(tables[at]!))
      const single = { kind: 'one', artifact: one! } as const
      return {
        paramsJson: JSON.stringify({ write }),
        inputs: {
          one: single,
          all: { kind: 'many', artifacts: all },
          later: { kind: 'one', artifact: all.at(-1) ?? one! },
          picked: single,
          facts: { kind: 'one', artifact: artifact(facts) },
        },
      }
    }
    const job = fc.record({
      write: fc.subarray(['one', 'all', 'picked', 'facts']),
      ones: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 5 }), async (jobs) => {
        for (const { write, ones } of jobs) {
          const plain = await rig.value(task, jobOf(write, ones, false))
          expect(await rig.value(task, jobOf(write, ones, true))).toEqual(plain)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('reads and checks a table once: what happens to the file afterwards changes no result', async () => {
    const task = await code()
    const minutes = { ...rig.artifact('minutes', { 'table.parquet': minutesOf([7]) }), readAgain: true }
    const one = { kind: 'one', artifact: minutes } as const
    const other = { kind: 'one', artifact: rig.artifact('minutes', { 'table.parquet': minutesOf([8]) }) } as const
    const facts = { kind: 'one', artifact: rig.artifact('facts', { 'value.json': '{"list":[]}' }) } as const
    const more = (params: object): Partial<Job> => ({
      paramsJson: JSON.stringify(params),
      inputs: { one, all: { kind: 'many', artifacts: [] }, later: other, picked: one, facts },
    })
    const honest = await rig.value(task, more({ write: [] }))
    writeFileSync(minutes.files[0]!.path, 'damaged')
    expect(await rig.value(task, more({ write: [] }))).toEqual(honest)
    // A node that writes into it has it forgotten, and the next one finds the damage.
    await rig.value(task, more({ write: ['one'] }))
    expect(await rig.fault(task, more({ write: [] }))).toMatchObject({ code: 'corrupt' })
  })
})
