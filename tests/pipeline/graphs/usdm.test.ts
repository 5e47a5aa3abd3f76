import { describe, expect, test } from 'vitest'
import type { Strategy } from '../../../lib/backtest/strategy.ts'
import { input, sumOver } from '../../../lib/features/column.ts'
import { featureGroup } from '../../../lib/features/feature.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
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
    expect(groupsOf({ premium: false })).not.toContain('funding')
    expect(groupsOf({ spot: false })).not.toContain('spotFlow')
    // Windows of five minutes are nothing to bars of an hour.
    expect(groupsOf({})).toContain('flow')
    expect(groupsOf({ baseInterval: '1h' })).not.toContain('flow')
    expect(groupsOf({ baseInterval: '1h' })).toContain('masks')
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
