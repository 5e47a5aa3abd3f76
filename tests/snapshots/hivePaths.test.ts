import { describe, expect, test } from 'vitest'
import { hivePaths } from '../../snapshots/hivePaths.ts'
import type { ManifestNode } from '../../snapshots/manifest.ts'
import { digest } from './sampleManifest.ts'

const node = (address: string, params: unknown = {}): ManifestNode => ({
  address,
  task: 'klines',
  kind: 'source',
  code: { version: 1 },
  params,
  inputs: {},
  artifact: digest(address),
})

const pathsOf = (...nodes: readonly ManifestNode[]) => [...hivePaths(nodes).values()]

describe('hivePaths', () => {
  test('values are named after the params that hold them', () => {
    const params = { month: '2024-01', symbol: 'BTCUSDT', interval: '1m' }
    expect(pathsOf(node('klines[BTCUSDT,1m,2024-01]', params))).toEqual([
      'klines/symbol=BTCUSDT/interval=1m/month=2024-01',
    ])
  })

  test('a value that no param holds is p1, p2 …', () => {
    expect(pathsOf(node('klines[BTCUSDT,7]', { lots: 7 }))).toEqual(['klines/p1=BTCUSDT/lots=7'])
  })

  test('one family has one set of names, even where some node would allow more', () => {
    const paths = pathsOf(node('klines[BTC]', { symbol: 'BTC' }), node('klines[ETH]', { symbol: 'BTC' }))
    expect(paths).toEqual(['klines/p1=BTC', 'klines/p1=ETH'])
  })

  test('equal values take a param each', () => {
    const paths = pathsOf(node('pair[BTC,BTC]', { base: 'BTC', quote: 'BTC' }))
    expect(paths).toEqual(['pair/base=BTC/quote=BTC'])
  })

  test('a node without values has the folder of its family', () => {
    expect(pathsOf(node('report'))).toEqual(['report'])
  })

  test('another number of values in one family goes apart, so that a glob never mixes two schemes', () => {
    expect(pathsOf(node('klines[BTC]'), node('klines[BTC,1m]'))).toEqual(['klines.1/p1=BTC', 'klines.2/p1=BTC/p2=1m'])
  })

  test('a node and its variants: the node has the folder of its own name, and no glob over it meets the others', () => {
    expect(pathsOf(node('backtest'), node('backtest[fees,none]'), node('backtest[benchmark]'))).toEqual([
      'backtest',
      'backtest.2/p1=fees/p2=none',
      'backtest.1/p1=benchmark',
    ])
  })

  test('what a folder name cannot hold is escaped as Hive does, and nothing steps out', () => {
    expect(pathsOf(node('a/b[..]'))).toEqual(['a%2Fb/p1=.%2E'])
    expect(pathsOf(node('t[12:30]'))).toEqual(['t/p1=12%3A30'])
  })
})
