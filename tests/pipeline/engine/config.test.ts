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

  describe('of a list', () => {
    const fees = z
      .array(
        z.strictObject({ from: z.string(), tiers: z.record(z.string(), z.strictObject({ takerBps: z.number() })) }),
      )
      .default([{ from: '2019', tiers: { regular: { takerBps: 5 } } }])
    const listed = definePipeline(
      'listed',
      z.object({
        must: z.number(),
        execution: z.object({ fees, none: z.array(z.string()).optional() }).prefault({}),
        above: z.object({ names: z.array(z.string()) }).default({ names: ['a', 'b'] }),
      }),
      () => {},
    )
    const setTo = (...sets: string[]) =>
      resolveConfig(withConfig(listed, { must: 1 }), sets, () => undefined).value as z.output<typeof listed.config>

    test('changes an element, and of the default list where nobody wrote one', () => {
      expect(setTo('execution.fees.0.tiers.regular.takerBps=7').execution.fees).toEqual([
        { from: '2019', tiers: { regular: { takerBps: 7 } } },
      ])
      expect(setTo('above.names.1=c').above.names).toEqual(['a', 'c'])
      expect(setTo('above.names=["x"]', 'above.names.0=y').above.names).toEqual(['y'])
      expect(setTo().execution.fees[0]!.tiers).toEqual({ regular: { takerBps: 5 } })
    })

    test('does so before the rest of the config is complete', () => {
      const sets = ['execution.fees.0.from=2020-01-01', 'must=2']
      const { value } = resolveConfig(withConfig(listed, {} as never), sets, () => undefined)
      expect(value).toMatchObject({ must: 2, execution: { fees: [{ from: '2020-01-01' }] } })
    })

    const wrong: { set: string; what: string; todo: string }[] = [
      {
        set: 'execution.fees.3.from=2020',
        what: '"execution.fees" has 1 element, there is no number 3',
        todo: "name one from execution.fees.0, or set the whole list: --set 'execution.fees=[…]'",
      },
      {
        set: 'above.names.2=c',
        what: '"above.names" has 2 elements, there is no number 2',
        todo: "name one from above.names.0 to above.names.1, or set the whole list: --set 'above.names=[…]'",
      },
      {
        set: 'execution.none.0=c',
        what: '"execution.none" has 0 elements, there is no number 0',
        todo: "set the whole list: --set 'execution.none=[…]'",
      },
      {
        set: 'execution.fees.takerBps=5',
        what: '"execution.fees" is a list of 1 element: "takerBps" is no number of one',
        todo: "name one from execution.fees.0, or set the whole list: --set 'execution.fees=[…]'",
      },
      ...['-1', '00', '1e0', ' 0'].map((step) => ({
        set: `above.names.${step}=c`,
        what: `"above.names" is a list of 2 elements: "${step}" is no number of one`,
        todo: "name one from above.names.0 to above.names.1, or set the whole list: --set 'above.names=[…]'",
      })),
    ]
    for (const { set, what, todo } of wrong) {
      test(`refuses ${set}`, () => {
        expect(faultOf(() => setTo(set))).toMatchObject({ code: 'usage', what, todo, where: `--set ${set}` })
      })
    }
  })

  describe('of an object', () => {
    const slippage = z
      .discriminatedUnion('model', [
        z.strictObject({ model: z.literal('fixedBps'), bps: z.number() }),
        z.strictObject({
          model: z.literal('halfSpread'),
          spreadBps: z.number(),
          bySymbol: z.record(z.string(), z.number()).default({}),
        }),
      ])
      .default({ model: 'fixedBps', bps: 1 })
    const execution = z.strictObject({ slippage, seed: z.number().default(1) }).prefault({})
    const modelled = definePipeline('modelled', z.object({ execution }), () => {})
    const setTo = (...sets: string[]) =>
      (resolveConfig(withConfig(modelled, {}), sets, () => undefined).value as z.output<typeof modelled.config>)
        .execution.slippage

    test('changes a member of the default where nobody wrote one', () => {
      expect(setTo('execution.slippage.bps=5')).toEqual({ model: 'fixedBps', bps: 5 })
      expect(setTo('execution.slippage.model=fixedBps')).toEqual({ model: 'fixedBps', bps: 1 })
      expect(setTo('execution.seed=2')).toEqual({ model: 'fixedBps', bps: 1 })
    })

    test('takes another variant for what it is, whole or member by member, and leaves the default behind', () => {
      const spread = { model: 'halfSpread', spreadBps: 2, bySymbol: {} }
      expect(setTo('execution.slippage={"model":"halfSpread","spreadBps":2}')).toEqual(spread)
      expect(setTo('execution.slippage.model=halfSpread', 'execution.slippage.spreadBps=2')).toEqual(spread)
      expect(setTo('execution.slippage.spreadBps=2', 'execution.slippage.model=halfSpread')).toEqual(spread)
      const bySymbol = ['execution.slippage.bySymbol.BTCUSDT=3']
      expect(setTo('execution.slippage={"model":"halfSpread","spreadBps":2}', ...bySymbol)).toEqual({
        ...spread,
        bySymbol: { BTCUSDT: 3 },
      })
    })

    test('says of a misspelt member that there is none', () => {
      expect(faultOf(() => setTo('execution.slippage.bps=5', 'execution.slippage.bsp=5')).what).toContain('"bsp"')
    })
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
