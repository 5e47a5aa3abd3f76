import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { canonicalParams } from '../../../../pipeline/engine/walk/params.ts'
import { isPlainSchema } from '../../../../pipeline/engine/walk/plainSchema.ts'

describe('a schema is plain', () => {
  const cases: readonly [says: string, schema: z.ZodType, plain: boolean][] = [
    ['text, numbers and choices with bounds', z.object({ a: z.string().min(1), b: z.int(), c: z.enum(['x']) }), true],
    ['defaults, optional and nested fields', z.object({ a: z.object({ b: z.null().optional() }).default({}) }), true],
    ['lists', z.object({ a: z.array(z.string().regex(/^a/)).readonly() }), true],
    ['an address', z.strictObject({ a: z.url({ protocol: /^https?$/ }) }), true],
    ['text that is refined', z.object({ a: z.string().refine((text) => text !== 'b') }), true],
    ['not where an object is refined', z.object({ a: z.string() }).refine(() => true), false],
    ['not where a check gets at the value', z.object({ a: z.string().superRefine(() => {}) }), false],
    ['not where text is trimmed', z.object({ a: z.string().trim() }), false],
    ['not where an address is rewritten', z.object({ a: z.url({ normalize: true }) }), false],
    ['not where it transforms', z.object({ a: z.string().transform((text) => `${text}!`) }), false],
    ['not where it transforms deep inside', z.object({ a: z.array(z.object({ b: z.coerce.number() })) }), false],
    ['not where it is preprocessed', z.object({ a: z.preprocess((x) => x, z.string()) }), false],
    ['not where one form may turn into another', z.object({ a: z.union([z.string(), z.object({})]) }), false],
    ['not where other fields are kept by a schema', z.object({}).catchall(z.string().trim()), false],
    ['not where a mistake is replaced', z.object({ a: z.string().catch('x') }), false],
  ]
  for (const [says, schema, plain] of cases) test(says, () => expect(isPlainSchema(schema)).toBe(plain))

  test('and what it gave, it gives again', () => {
    const field = fc.constantFrom<z.ZodType>(
      z.string().default('a'),
      z.number().int().optional(),
      z.enum(['a', 'b']).nullable().prefault('b'),
      z.array(z.boolean()).default([true]),
      z.strictObject({ x: z.string().optional() }).default({}),
    )
    const value = fc.constantFrom<unknown>('a', 'b', 3, null, undefined, [false], {}, { x: 'y' })
    fc.assert(
      fc.property(fc.array(fc.tuple(field, value), { maxLength: 5 }), (fields) => {
        const schema = z.object(Object.fromEntries(fields.map(([one], i) => [`f${i}`, one])))
        expect(isPlainSchema(schema)).toBe(true)
        const once = schema.safeParse(Object.fromEntries(fields.map(([, one], i) => [`f${i}`, one])))
        if (once.success) expect(schema.parse(once.data)).toEqual(once.data)
      }),
    )
  })
})

describe('params', () => {
  test('are parsed twice where the schema may transform, for each node anew', () => {
    const task = { kind: 'pure', params: z.object({ a: z.string().transform((text) => text.replace(/^x/, '')) }) }
    expect(canonicalParams(task, { a: 'y' }, 'first')).toEqual({ a: 'y' })
    expect(() => canonicalParams(task, { a: 'xxy' }, 'second')).toThrow('does not accept its own output')
  })
})
