import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeTable } from '../../../../lib/tables/parquet.ts'
import { defineTable, f64, tsMs } from '../../../../lib/tables/schema.ts'
import { makeTable } from '../../../../lib/tables/table.ts'
import type { Job, JobArtifact } from '../../../../pipeline/engine/executor/job.ts'
import { plainCopy } from '../../../../pipeline/engine/executor/plainData.ts'
import { bundledTask } from './bundledTask.ts'
import { type ExecutorRig, executorRig } from './executorRig.ts'

describe('what is prepared', () => {
  test('is plain data, copied down to its typed arrays', () => {
    const numbers = Float64Array.of(1, 2)
    const made = { a: [{ numbers, text: 'x' }], nothing: undefined, big: 1n }
    const copy = plainCopy(made, 'it') as unknown as typeof made
    expect(copy).toEqual(made)
    expect(copy.a).not.toBe(made.a)
    expect(copy.a[0]!.numbers).toBe(numbers)
  })

  const refused: readonly (readonly [string, unknown, string])[] = [
    ['a function', { a: [() => 1] }, 'it.a[0] is a function'],
    ['an instance of a class', { a: new Map() }, 'it.a is an instance of a class'],
    ['memory that others may write into', new Uint8Array(new SharedArrayBuffer(1)), 'it is an instance of a class'],
    ['a view without a kind of number', new DataView(new ArrayBuffer(1)), 'it is an instance of a class'],
  ]
  for (const [says, value, message] of refused) {
    test(`cannot hold ${says}`, () => expect(() => plainCopy(value, 'it')).toThrow(message))
  }
})

describe('a task that prepares some of its inputs', () => {
  let rig: ExecutorRig
  let code: Awaited<ReturnType<ExecutorRig['code']>>
  beforeAll(async () => {
    rig = await executorRig({ workers: 1 })
    code = rig.code(
      await bundledTask(`
import { z } from 'zod'
import { defineTask, many } from 'pipeline/engine/task.ts'
import { jsonArtifact, tableArtifact } from 'lib/artifact.ts'
import { defineTable, f64, tsMs } from 'lib/tables/schema.ts'
const rows = tableArtifact(defineTable({ name: 'rows', version: 1, columns: { tsMs: tsMs(), x: f64() }, sortKey: ['tsMs'] }))
let calls = 0
export const task = defineTask({
  name: 'x', kind: 'pure', params: z.object({ scale: z.number(), write: z.string(), made: z.string() }),
  inputs: { all: many(rows), own: rows }, output: jsonArtifact('seen', z.any()),
  prepare: {
    inputs: ['all'],
    facts: ({ scale, made }) => ({ scale, made }),
    make({ all }, { scale, made }) {
      calls++
      if (made === 'function') return { scaled: [], note: () => 1 }
      return { scaled: all.map(({ columns }) => columns.x.map((x) => x * scale)), note: { calls } }
    },
  },
  run({ prepared, own, ...rest }, { write }) {
    const before = prepared.scaled.map((x) => [...x])
    const { calls: seen } = prepared.note
    if (write === 'numbers') for (const x of prepared.scaled) x.fill(-1)
    if (write === 'list') prepared.scaled.length = 0
    if (write === 'object') prepared.note.calls = 99
    return { before, seen, own: [...own.columns.x], others: Object.keys(rest) }
  } })`),
    )
  })
  afterAll(() => rig.close())

  const schema = defineTable({ name: 'rows', version: 1, columns: { tsMs: tsMs(), x: f64() }, sortKey: ['tsMs'] })
  const rowsOf = (x: readonly number[]): JobArtifact =>
    rig.artifact('rows', {
      'table.parquet': encodeTable(
        makeTable(schema, { tsMs: Float64Array.from(x, (_, i) => i), x: Float64Array.from(x) }),
      ),
    })
  const jobOf = (all: readonly JobArtifact[], params: object, readAgain = true): Partial<Job> => ({
    paramsJson: JSON.stringify({ made: 'data', scale: 2, write: '', ...params }),
    inputs: {
      all: { kind: 'many', artifacts: all.map((one) => ({ ...one, readAgain })) },
      own: { kind: 'one', artifact: all[0]! },
    },
  })

  test('gets what is made of them in their place, and its other inputs as ever', async () => {
    const all = [rowsOf([1, 2]), rowsOf([3])]
    expect(await rig.value(code, jobOf(all, {}))).toEqual({ before: [[2, 4], [6]], seen: 1, own: [1, 2], others: [] })
  })

  test('sees the same whichever nodes ran before, and whatever they wrote into it', async () => {
    const tables = [rowsOf([1, 2, 3]), rowsOf([4, 5]), rowsOf([])]
    const job = fc.record({
      write: fc.constantFrom('', 'numbers', 'list', 'object'),
      scale: fc.constantFrom(1, 3),
      ones: fc.array(fc.nat(2), { minLength: 1, maxLength: 3 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(job, { minLength: 1, maxLength: 6 }), async (jobs) => {
        for (const { write, scale, ones } of jobs) {
          const all = ones.map((at) => tables[at]!)
          const plain = await rig.value(code, jobOf(all, { write, scale }, false))
          expect(await rig.value(code, jobOf(all, { write, scale }))).toEqual(plain)
        }
      }),
      { numRuns: 20 },
    )
  })

  test('does not read them where it is made already; other facts and other inputs make another', async () => {
    const all = [rowsOf([7]), rowsOf([8])]
    const first = await rig.value(code, jobOf(all, { scale: 5 }))
    writeFileSync(all[1]!.files[0]!.path, 'damaged')
    expect(await rig.value(code, jobOf(all, { scale: 5 }))).toEqual(first)
    expect(await rig.value(code, jobOf([all[0]!], { scale: 5 }))).toMatchObject({ before: [[35]] })
  })

  test('fails where it would share more than data', async () => {
    const fault = await rig.fault(code, jobOf([rowsOf([1])], { made: 'function' }))
    expect(JSON.stringify(fault)).toContain('what was prepared.note is a function')
  })
})
