import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { canonicalParams } from '../../../../pipeline/engine/walk/params.ts'
import { parseFields } from '../../../../pipeline/engine/walk/parseFields.ts'
import { isPlainSchema } from '../../../../pipeline/engine/walk/plainSchema.ts'

/** What is not there and what is undefined are one to a spec. */
function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, held]) => (held === undefined ? [] : [[key, withoutUndefined(held)]])),
  )
}

describe('params parsed field by field', () => {
  test('are what zod gives, and refused where zod refuses, the first time and again', () => {
    const field = fc.constantFrom<() => z.ZodType>(
      () => z.string(),
      () => z.string().min(2).default('ab'),
      () => z.int().optional(),
      () => z.number().nonnegative(),
      () => z.bigint(),
      () => z.boolean().prefault(true),
      () => z.literal([1, 'x', undefined]),
      () => z.enum(['a', 'b']).nullable(),
      () => z.array(z.string().optional()),
      () => z.array(z.int()).default([1]),
      () => z.url({ protocol: /^https?$/ }),
      () => z.string().refine((text) => !text.includes('b')),
      () => z.object({ x: z.string(), y: z.object({ z: z.int().default(1) }).optional() }),
      () => z.object({ x: z.string().default('d') }).default({ x: 'e' }),
      () => z.object({ x: z.string() }).optional(),
      () => z.object({ x: z.string() }).readonly(),
      () => z.strictObject({ x: z.string().optional() }),
      () => z.strictObject({ x: z.string(), y: z.strictObject({ z: z.int().optional() }).optional() }).optional(),
      () => z.string().exactOptional(),
    )
    const value = fc.constantFrom<unknown>(
      ...['a', 'ab', 'x', '', 'http://127.0.0.1:1', 0, -0, 1, -1, 1.5, Number.NaN, 3n, true, false, null, undefined],
      ...[['a'], [1], [undefined], [], {}, { x: 'y' }, { x: 1 }, { x: 'y', y: {} }, { x: 'y', y: { z: 2 }, w: 3 }],
      ...[new Date(0), new Map(), () => 1, Symbol('s')],
    )
    let quickly = 0
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 4 }),
        fc.array(fc.array(fc.option(value, { nil: 'missing' }), { minLength: 4, maxLength: 4 }), { maxLength: 6 }),
        (fields, inputs) => {
          const schema = z.object(Object.fromEntries(fields.map((make, i) => [`f${i}`, make()])))
          expect(isPlainSchema(schema)).toBe(true)
          for (const values of [...inputs, ...inputs]) {
            const input = Object.fromEntries(
              values.flatMap((held, i) =>
                held === 'missing' ? [] : [[i === 3 && fields.length < 4 ? 'extra' : `f${i}`, held]],
              ),
            )
            const quick = parseFields(schema, input)
            if (quick === undefined) continue
            const whole = schema.safeParse(input)
            expect(whole.success).toBe(true)
            expect(quick).toEqual(withoutUndefined(whole.data))
            quickly++
          }
        },
      ),
      { numRuns: 1500 },
    )
    expect(quickly).toBeGreaterThan(200)
  })

  test('are zod’s own matter where an object refuses or keeps other fields, is a list, or is none', () => {
    const loose = z.looseObject({ a: z.string() })
    const strict = z.strictObject({ a: z.string() })
    const plain = z.object({ a: z.string() })
    for (const schema of [loose, strict, z.string(), plain.optional()]) {
      expect(parseFields(schema, { a: 'x', b: 1 })).toBeUndefined()
    }
    expect(parseFields(strict, { a: 'x' })).toEqual({ a: 'x' })
    expect(parseFields(strict, { a: 'x', b: undefined })).toBeUndefined()
    for (const input of [null, 'a', 1, [], ['a'], undefined]) expect(parseFields(plain, input)).toBeUndefined()
  })

  test('ask a field once about a value, and about an object each time', () => {
    let asked = 0
    const counted = z.string().refine(() => ++asked > 0)
    const schema = z.object({ a: counted, b: z.array(counted) })
    for (let i = 0; i < 5; i++) parseFields(schema, { a: 'x', b: ['y'] })
    expect(asked).toBe(6)
  })

  test('are nobody else’s: what stands for nothing said is made anew for each node', () => {
    const schema = z.object({ a: z.array(z.int()).default(() => [1]) })
    const [one, two] = [parseFields(schema, {}), parseFields(schema, {})]
    expect(one).toEqual({ a: [1] })
    expect(one!['a']).not.toBe(two!['a'])
  })

  test('are refused in zod’s words, by the node they were given to', () => {
    const task = { kind: 'pure', params: z.object({ symbol: z.string(), size: z.int().positive().default(1) }) }
    expect(canonicalParams(task, { symbol: 'BTC', size: 2 }, 'first')).toEqual({ symbol: 'BTC', size: 2 })
    expect(canonicalParams(task, { symbol: 'ETH', size: 1, other: true }, 'second')).toEqual({ symbol: 'ETH' })
    expect(() => canonicalParams(task, { symbol: 'BTC', size: -2 }, 'third')).toThrow(/size: Too small/)
    expect(() => canonicalParams(task, {}, 'fourth')).toThrow(/symbol: Invalid input/)
    const source = { kind: 'source', params: task.params }
    expect(canonicalParams(source, { symbol: 'BTC', size: 1 }, 'fifth')).toEqual({ symbol: 'BTC', size: 1 })
    expect(canonicalParams(source, { symbol: 'BTC' }, 'sixth')).toEqual({ symbol: 'BTC' })
  })
})
