import { describe, expect, test } from 'vitest'
import { input, sumOver } from '../../../lib/features/column.ts'
import { featureGroup } from '../../../lib/features/feature.ts'
import { NodeGraph } from '../../../pipeline/engine/nodes.ts'
import { standardGroups, usdm, usdmPipeline } from '../../../pipeline/graphs/usdm.ts'

const config = { symbols: ['BTCUSDT'], fromMonth: '2026-05', toMonth: '2026-06' }
const addressesOf = (pipeline: typeof usdm, more: object = {}) => [
  ...new NodeGraph(pipeline as never, usdm.config.parse({ ...config, ...more })).nodes.keys(),
]

describe('the pipeline usdm', () => {
  test('has a node for each group and month; a project adds a group by naming it', () => {
    const mine = featureGroup('mine', [
      { name: 'turnover_1h', says: 'quote volume of an hour', column: sumOver(input('quoteVolume'), '1h') },
    ])
    const addresses = addressesOf(usdmPipeline({ ...standardGroups, mine }))
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
  })

  test('chains the replay of each month to the one before', () => {
    const graph = new NodeGraph(usdm as never, usdm.config.parse(config))
    const reads = JSON.stringify(
      graph.nodes
        .get('replay[2026-06]')!
        .wires.map(({ parts }) => parts.map((part) => (part as { address?: string }).address)),
    )
    expect(reads).toContain('replay[2026-05]')
  })
})
