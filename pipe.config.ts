import { usdm } from './pipeline/graphs/usdm.ts'
import { defineProject, withConfig } from './pipeline/index.ts'

export default defineProject({
  root: '.pipe',
  pipelines: [
    withConfig(usdm, {
      source: 'sim',
      from: '2026-03-01',
      to: '2026-06-29',
      universe: { size: 10 },
      strategy: { name: 'crossSectionalMomentum', params: { lookback: '7d' } },
      // Two data sets less, and their features: a first run stays under a minute.
      index: false,
      spot: false,
    }),
  ],
})
