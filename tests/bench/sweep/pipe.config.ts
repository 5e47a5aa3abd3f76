import { z } from 'zod'
import { universe } from '../../../lib/market/universe/universe.ts'
import { funding } from '../../../lib/tables/funding.ts'
import { minute } from '../../../lib/tables/minute.ts'
import { definePipeline, defineProject, defineTask, withConfig } from '../../../pipeline/index.ts'
import { trial } from '../../../tasks/replay/trial.ts'
import { sizes } from './markets.ts'
import { momentum } from './momentum.ts'
import { randomBars, randomFunding, randomListing } from './randomTables.ts'
import { reversion } from './reversion.ts'

// The project of the benchmark "sweep": one trial a point, all over the same tables.

const part = z.object({ index: z.number(), bars: z.number(), intervalMs: z.number() })

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
  params: part,
  inputs: {},
  output: minute,
  run: (_, { index, bars, intervalMs }) => randomBars(index, bars, intervalMs),
})

export const makeFunding = defineTask({
  name: 'makeFunding',
  kind: 'pure',
  params: part,
  inputs: {},
  output: funding,
  run: (_, { index, bars, intervalMs }) => randomFunding(index, bars, intervalMs),
})

const config = z.object({ size: z.enum(['years', 'hourly', 'minutes']), points: z.number() })

const sweep = definePipeline('sweep', config, (graph, { size, points }) => {
  const { symbols, bars, intervalMs, asked } = sizes[size]
  const all = Array.from({ length: symbols }, (_, index) => index)
  const partOf = (index: number) => ({ at: [index], params: { index, bars, intervalMs } })
  const inputs = {
    universe: graph.add(makeUniverse, { params: { symbols } }),
    minutes: all.map((index) => graph.add(makeBars, partOf(index))),
    funding: all.map((index) => graph.add(makeFunding, partOf(index))),
  }
  graph.target('data', inputs.universe, ...inputs.minutes, ...inputs.funding)
  const runs = Array.from({ length: points }, (_, point) =>
    graph.add(trial, {
      at: [point],
      params: { ...asked, strategy: { lookbackBars: 24 + point } },
      inputs,
      code: { strategy: size === 'hourly' ? reversion : momentum },
    }),
  )
  graph.target('sweep', ...runs)
})

export default defineProject({
  root: '.pipe',
  pipelines: [withConfig(sweep, { size: 'years', points: 100 })],
})
