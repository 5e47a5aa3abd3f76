import { z } from 'zod'
import { universe } from '../../../lib/market/universe.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'
import { funding } from '../../../lib/tables/funding.ts'
import { minute } from '../../../lib/tables/minute.ts'
import { definePipeline, defineProject, defineTask, withConfig } from '../../../pipeline/index.ts'
import { backtest } from '../../../tasks/replay/backtest.ts'
import { randomBars, randomFunding, randomListing } from './randomTables.ts'

// The project of the benchmark "sweep": one backtest a point, all over the same tables.

const size = z.object({ index: z.number(), bars: z.number() })

export const makeUniverse = defineTask({
  name: 'makeUniverse',
  kind: 'pure',
  params: z.object({ symbols: z.number() }),
  inputs: {},
  output: universe,
  run: (_, { symbols }) => ({ symbols: randomListing(symbols), rejected: [] }),
})

export const makeBars = defineTask({
  name: 'makeBars',
  kind: 'pure',
  params: size,
  inputs: {},
  output: minute,
  run: (_, { index, bars }) => randomBars(index, bars),
})

export const makeFunding = defineTask({
  name: 'makeFunding',
  kind: 'pure',
  params: size,
  inputs: {},
  output: funding,
  run: (_, { index, bars }) => randomFunding(index, bars),
})

const config = z.object({
  symbols: z.number(),
  bars: z.number(),
  from: z.string(),
  to: z.string(),
  points: z.number(),
})

const sweep = definePipeline('sweep', config, (graph, { symbols, bars, from, to, points }) => {
  const all = Array.from({ length: symbols }, (_, index) => index)
  const inputs = {
    universe: graph.add(makeUniverse, { params: { symbols } }),
    minutes: all.map((index) => graph.add(makeBars, { at: [index], params: { index, bars } })),
    funding: all.map((index) => graph.add(makeFunding, { at: [index], params: { index, bars } })),
  }
  graph.target('data', inputs.universe, ...inputs.minutes, ...inputs.funding)
  const runs = Array.from({ length: points }, (_, point) =>
    graph.add(backtest, {
      at: [point],
      params: { baseInterval: '1h', from, to, strategy: { lookback: `${24 + point}h` } },
      inputs,
      code: { strategy: crossSectionalMomentum },
    }),
  )
  graph.target('sweep', ...runs)
})

export default defineProject({
  root: '.pipe',
  pipelines: [withConfig(sweep, { symbols: 50, bars: 24 * 366, from: '2024-01-01', to: '2025-01-01', points: 100 })],
})
