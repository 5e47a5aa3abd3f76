import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Fault } from '../../../lib/fault.ts'
import { Secret, secret } from '../../../lib/secret.ts'
import { resolveConfig } from '../../../pipeline/engine/config.ts'
import { definePipeline, withConfig } from '../../../pipeline/engine/graph.ts'
import { canonicalParams } from '../../../pipeline/engine/walk/params.ts'

const schema = z.object({
  symbols: z.array(z.string()).default(['BTCUSDT']),
  universe: z.object({ size: z.number().int().positive().default(10), note: z.string().optional() }).prefault({}),
  key: secret().optional(),
  strategy: z.custom<object>().optional(),
})
const pipeline = definePipeline('p', schema, () => {})
const resolve = (
  config: z.input<typeof schema>,
  sets: readonly string[] = [],
  name: (value: object) => string | undefined = () => undefined,
) => resolveConfig(withConfig(pipeline, config), sets, name)
const faultOf = (work: () => unknown): Fault => {
  try {
    work()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('it did not throw')
}

describe('the config', () => {
  test('takes --set over the file, by path, as JSON or else as text', () => {
    const { value } = resolve({}, ['universe.size=3', 'universe.note=hello', 'symbols=["A","B"]', 'symbols.1=C'])
    expect(value).toMatchObject({ universe: { size: 3, note: 'hello' }, symbols: ['A', 'C'] })
  })

  test('says which path is wrong, and whether the file or --set wrote it', () => {
    expect(faultOf(() => resolve({}, ['universe.size=many']))).toMatchObject({
      code: 'usage',
      where: '--set universe.size',
    })
    expect(faultOf(() => resolve({ universe: { size: -1 } }))).toMatchObject({
      code: 'usage',
      where: 'config of the pipeline "p"',
    })
    expect(faultOf(() => resolve({ universe: { size: -1 } })).what).toContain('universe.size')
  })

  test('names the --set behind a key a strict schema does not know, and behind a check that stands elsewhere', () => {
    const strict = definePipeline(
      'strict',
      z
        .strictObject({ strategy: z.strictObject({ name: z.string() }), days: z.number().default(3) })
        .refine(({ days }) => days > 1, 'too short'),
      () => {},
    )
    const fault = (...sets: string[]) =>
      faultOf(() => resolveConfig(withConfig(strict, { strategy: { name: 'a' } }), sets, () => undefined))
    expect(fault('strategy.nam=x')).toMatchObject({
      what: 'strategy: Unrecognized key: "nam"',
      where: '--set strategy.nam',
      todo: 'correct the name behind --set',
    })
    expect(fault('days=1')).toMatchObject({ what: '(top): too short', where: '--set days=1' })
    const written = withConfig(strict, { strategy: { name: 'a', nam: 'b' } } as never)
    expect(faultOf(() => resolveConfig(written, ['days=4'], () => undefined)).todo).toBe('correct it in pipe.config.ts')
  })

  test('refuses a key the schema does not know: a typo must not run with the default', () => {
    expect(faultOf(() => resolve({}, ['universe.sise=3'])).what).toBe(
      'there is no config key "universe.sise"; did you mean "size"?',
    )
    expect(faultOf(() => resolve({ symbls: [] } as never)).what).toContain('did you mean "symbols"?')
  })

  test('refuses a --set that is none, or that reaches for a prototype', () => {
    for (const set of ['universe', '=3', '__proto__.x=1', 'universe.constructor.y=1', 'universe.size.deep=1']) {
      expect(faultOf(() => resolve({ universe: { size: 1 } }, [set])).code, set).toBe('usage')
    }
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  test('refuses names that every object has, wherever they stand in a value', () => {
    expect(faultOf(() => resolve({}, ['universe={"__proto__":[1,2]}'])).what).toContain('universe.__proto__')
    const swept = definePipeline('p', z.object({ sweep: z.record(z.string(), z.array(z.number())) }), () => {})
    const sets = ['sweep={"__proto__":[1,2]}']
    expect(faultOf(() => resolveConfig(withConfig(swept, { sweep: {} }), sets, () => undefined))).toMatchObject({
      code: 'usage',
      where: '--set sweep',
    })
  })

  test('shows code by its name and secrets by the name of their variable, never by value', () => {
    const momentum = { name: 'momentum', onBar: () => {} }
    const { shown } = resolve({ key: new Secret('VENUE_KEY'), strategy: momentum }, [], (value) =>
      value === momentum ? 'momentum' : undefined,
    )
    expect(shown).toMatchObject({ key: { $secret: 'VENUE_KEY' }, strategy: { $code: 'momentum' } })
  })
})

describe('params', () => {
  const params = z.object({
    symbol: z.string(),
    window: z.number().default(5),
    deep: z.object({ a: z.number().default(1), b: z.number() }).optional(),
  })

  test('leave out what equals its default, at every depth', () => {
    expect(canonicalParams({ kind: 'pure', params }, { symbol: 'A', window: 5, deep: { a: 1, b: 2 } }, 'x')).toEqual({
      symbol: 'A',
      deep: { b: 2 },
    })
    expect(canonicalParams({ kind: 'pure', params }, { symbol: 'A', window: 6 }, 'x')).toEqual({
      symbol: 'A',
      window: 6,
    })
  })

  test('that are wrong say so with the address and the path', () => {
    expect(faultOf(() => canonicalParams({ kind: 'pure', params }, { symbol: 7 }, 'klines[A]'))).toMatchObject({
      code: 'usage',
      where: 'klines[A]',
    })
  })

  test('whose schema changes its own output are refused, for a rebuild parses what was stored', () => {
    const doubling = z.object({ n: z.number().transform((n) => n * 2) })
    expect(faultOf(() => canonicalParams({ kind: 'pure', params: doubling }, { n: 1 }, 'x')).what).toContain(
      'parsing twice',
    )
  })
})
