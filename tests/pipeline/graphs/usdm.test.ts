import { describe, expect, test } from 'vitest'
import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { asOf, type Column, input, meanOver, sumOver } from '../../../lib/features/column.ts'
import { featureGroup } from '../../../lib/features/feature.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { settingsOf } from '../../../pipeline/cli/schema/describeConfig.ts'
import { NodeGraph } from '../../../pipeline/engine/walk/nodes.ts'
import { usdm, usdmPipeline } from '../../../pipeline/graphs/usdm.ts'

const config = { from: '2026-05-01', to: '2026-07-01', universe: { mode: 'listed', symbols: ['BTCUSDT'] } }
const graphOf = (pipeline: typeof usdm, more: object = {}) =>
  new NodeGraph(pipeline as never, usdm.config.parse({ ...config, ...more }))
const addressesOf = (pipeline: typeof usdm, more: object = {}) => [...graphOf(pipeline, more).nodes.keys()]

describe('the pipeline usdm', () => {
  test('has a node for each group and month; a project adds a group by naming it', () => {
    const mine = featureGroup('mine', [
      { name: 'turnover_1h', says: 'quote volume of an hour', column: sumOver(input('quoteVolume'), '1h') },
    ])
    const addresses = addressesOf(usdmPipeline({ groups: { mine } }))
    expect(addresses).toContain('features[prices,2026-05]')
    expect(addresses).toContain('features[mine,2026-06]')
    expect(addresses).toContain('checkFeatures[mine,2026-06]')
    expect(addressesOf(usdm).filter((address) => address.includes('mine'))).toEqual([])
  })

  test('leaves out a standard group whose data sets are switched off', () => {
    const groupsOf = (more: object) =>
      addressesOf(usdm, more)
        .filter((address) => address.startsWith('features['))
        .map((address) => address.slice('features['.length).split(',')[0])
    expect(groupsOf({})).not.toContain('openInterest')
    expect(groupsOf({ openInterest: true })).toContain('openInterest')
    expect(groupsOf({ index: false })).not.toContain('basis')
    expect(groupsOf({ funding: false })).not.toContain('masks')
    expect(groupsOf({ spot: false })).not.toContain('spotFlow')
    // Windows of five minutes are nothing to bars of an hour.
    expect(groupsOf({})).toContain('flow')
    expect(groupsOf({ baseInterval: '1h' })).not.toContain('flow')
    expect(groupsOf({ baseInterval: '1h' })).toContain('masks')
  })

  const leftOutOf = (more: object, address = 'features[prices,2026-05]') => {
    const params = graphOf(usdm, more).nodes.get(address)!.params as { leftOut?: string[] }
    return params.leftOut
  }

  test('takes a sweep that has the params of the run itself among its points, or has them not', () => {
    const params = (perSide: number[]) => graphOf(usdm, { sweep: { perSide } }).nodes.get('metrics')!.params
    const own = (usdm.config.parse(config).strategy.params['perSide'] ?? 3) as number
    expect(params([own, own + 1])).toHaveProperty('ownPoint', 0)
    // A key that is there and undefined has no canonical form.
    expect(params([own + 1, own + 2])).not.toHaveProperty('ownPoint')
  })

  test('keeps of a group the columns that fit coarse bars', () => {
    expect(leftOutOf({})).toBeUndefined()
    expect(leftOutOf({ baseInterval: '15m' })).toEqual(['ret_1m', 'ret_5m', 'rv_15m'])
    expect(leftOutOf({ baseInterval: '1h' })).toEqual(['ret_1m', 'ret_5m', 'ret_15m', 'rv_15m'])
    expect(leftOutOf({ baseInterval: '15m' }, 'features[flow,2026-05]')).toEqual(['cvd_5m'])
    expect(leftOutOf({ baseInterval: '1h' }, 'checkFeatures[prices,2026-06]')).toContain('rv_15m')
  })

  test('keeps of a group the columns whose data sets are there', () => {
    const estimates = ['funding_pred', 'funding_slope_30m', 'funding_slope_60m', 'funding_slope_90m']
    expect(leftOutOf({ premium: false }, 'features[funding,2026-05]')).toEqual(estimates)
    expect(leftOutOf({ funding: false }, 'features[funding,2026-05]')).toEqual([
      'funding_8h_eq',
      'funding_pctile_30d',
      'funding_8h_z',
    ])
  })

  test('does so with a group of the project too', () => {
    const mine = featureGroup('mine', [
      { name: 'turnover_1h', says: 'quote volume of an hour', column: sumOver(input('quoteVolume'), '1h') },
      { name: 'spot_1h', says: 'the same on spot', column: sumOver(input('spotQuoteVolume'), '1h') },
    ])
    const { nodes } = graphOf(usdmPipeline({ groups: { mine } }), { spot: false })
    expect(nodes.get('features[mine,2026-05]')!.params).toMatchObject({ leftOut: ['spot_1h'] })
  })

  test('makes with a report every number there is, and says what adds a sweep and a walk-forward', () => {
    const addressesIn = (target: string, more: object = {}) =>
      graphOf(usdm, more)
        .find(target)
        .map((part) => (part as { address: string }).address)
    expect(addressesIn('report')).toEqual(['metrics', 'report'])
    const walked = { sweep: { perSide: [2, 3] }, walkForward: { train: '20d', test: '10d' } }
    expect(addressesIn('report', walked)).toEqual([
      'metrics',
      ...addressesIn('sweep', walked),
      ...addressesIn('walk-forward', walked),
      'report',
    ])
    const todo = (target: string) => {
      try {
        graphOf(usdm).find(target)
      } catch (error) {
        return (error as { todo?: string }).todo
      }
      return undefined
    }
    expect(todo('sweep')).toContain("--set 'sweep={")
    expect(todo('walk-forward')).toContain("--set 'walkForward={")
  })

  test('says beside the name of a strategy that another name keeps the params written here', () => {
    const settings = settingsOf(usdm.config, usdm.config.parse(config))
    expect(settings.find(({ path }) => path === 'strategy.name')!.doc).toContain(
      'keeps the params that are written here',
    )
  })

  const misread: { says: string; column: Column; what: string; todo: string }[] = [
    {
      says: 'an input',
      column: meanOver(input('closse'), '1h'),
      what: 'reads the input "closse", which there is not; did you mean "close"?',
      todo: 'it can read open, high, low, close, volume, quoteVolume,',
    },
    {
      says: 'a series',
      column: asOf('fundng', 'rate', '8h'),
      what: 'reads the series "fundng", which there is not; did you mean "funding"?',
      todo: 'it can read funding',
    },
    {
      says: 'a field of one',
      column: asOf('funding', 'intervalHour', '8h'),
      what: 'reads the field "intervalHour" of the series "funding", which there is not; did you mean "intervalHours"?',
      todo: 'it can read rate, intervalHours, rate8h',
    },
  ]
  for (const { says, column, what, todo } of misread) {
    test(`refuses a feature that misspells ${says} as the graph is built`, () => {
      const mine = featureGroup('mine', [{ name: 'drift', says: 'a slip', column }])
      let refused: unknown
      try {
        graphOf(usdmPipeline({ groups: { mine } }))
      } catch (error) {
        refused = error
      }
      expect(refused).toMatchObject({
        code: 'usage',
        what: `the feature "drift" of the group "mine" ${what}`,
        todo: expect.stringContaining(todo),
      })
    })
  }

  test('says in one place which columns there are, which are left out and why', () => {
    const said = graphOf(usdm, { baseInterval: '1h', index: false }).nodes.get('featureColumns')!.params as {
      baseInterval: string
      columns: string[]
      leftOut: { column: string; group: string; why: string }[]
    }
    expect(said.columns).toEqual(expect.arrayContaining(['ret_1h', 'near_settlement', 'funding_8h_eq']))
    expect(said.columns).not.toContain('ret_5m')
    const whyOf = (column: string) => said.leftOut.find((one) => one.column === column)
    expect(whyOf('cvd_15m')).toEqual({
      column: 'cvd_15m',
      group: 'flow',
      why: 'it is made of windows that are no multiple of 1h; it needs bars of 15m or of a part of it',
    })
    expect(whyOf('basis')!.why).toBe('it is made of the data set "index", which is off')
    expect(said.columns.filter((column) => whyOf(column) !== undefined)).toEqual([])
  })

  test('refuses a strategy whose column is left out, and names column, group and the bars it needs', () => {
    const asking = { ...btcBuyAndHold, name: 'asking', columns: ['ret_1h', 'cvd_5m'] } as unknown as Strategy
    const pipeline = usdmPipeline({ strategies: { asking } })
    const strategy = { name: 'asking' }
    expect(() => graphOf(pipeline, { strategy })).not.toThrow()
    const refused = () => graphOf(pipeline, { strategy, baseInterval: '1h' })
    expect(refused).toThrow(
      'the strategy asking declares the column "cvd_5m" of the group "flow", which is left out: it is made of windows that are no multiple of 1h; it needs bars of 5m or of a part of it',
    )
    try {
      refused()
    } catch (error) {
      expect(error).toMatchObject({ code: 'usage', todo: expect.stringContaining('set baseInterval to 5m') })
    }
    const spot = { ...asking, columns: ['perp_share_60m'] } as unknown as Strategy
    expect(() => graphOf(usdmPipeline({ strategies: { asking: spot } }), { strategy, spot: false })).toThrow(
      'the column "perp_share_60m" of the group "spotFlow", which is left out: it is made of the data set "spot", which is off',
    )
  })

  test('refuses a strategy that declares a column nobody has, and names the one that was meant', () => {
    const asking = { ...btcBuyAndHold, name: 'asking', columns: ['ret_1h', 'funding_8h_equ'] } as unknown as Strategy
    expect(() => graphOf(usdmPipeline({ strategies: { asking } }), { strategy: { name: 'asking' } })).toThrow(
      'the strategy asking declares the column "funding_8h_equ", which no group of features has; did you mean "funding_8h_eq"?',
    )
  })

  test('chains the replay of each month to the one before', () => {
    const reads = JSON.stringify(
      graphOf(usdm)
        .nodes.get('replay[2026-06]')!
        .wires.map(({ parts }) => parts.map((part) => (part as { address?: string }).address)),
    )
    expect(reads).toContain('replay[2026-05]')
  })

  test('refuses a range that ends before it begins, and a strategy nobody gave it', () => {
    expect(() => graphOf(usdm, { from: '2026-07-01' })).toThrow('the range ends (2026-07-01) before it begins')
    expect(() => graphOf(usdm, { strategy: { name: 'fundingCary' } })).toThrow(
      'there is no strategy "fundingCary"; did you mean "fundingCarry"?',
    )
  })

  test("refuses a strategy's params before anything is fetched: a misspelt name, and a value that does not fit", () => {
    const refusal = (params: Record<string, unknown>) => {
      try {
        graphOf(usdm, { strategy: { name: 'crossSectionalMomentum', params } })
      } catch (error) {
        return error
      }
      throw new Error('nothing was refused')
    }
    expect(refusal({ lokback: '7d' })).toMatchObject({
      code: 'usage',
      what: expect.stringContaining('it has no param "lokback"; did you mean "lookback"?'),
      where: 'strategy crossSectionalMomentum',
    })
    expect(refusal({ lookback: 'a week' })).toMatchObject({
      code: 'usage',
      what: expect.stringContaining('lookback: "a week" is not a duration: write a whole number and a unit'),
    })
  })

  test('takes a strategy of the project by the name it gives it', () => {
    const mine = { ...btcBuyAndHold, name: 'mine' } as unknown as Strategy
    const graph = graphOf(usdmPipeline({ strategies: { mine } }), { strategy: { name: 'mine' } })
    expect(graph.nodes.get('backtest')!.code).toEqual({ strategy: mine })
  })
})
