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
      // A week of minutes.
      strategy: { name: 'crossSectionalMomentum', params: { lookbackBars: 7 * 24 * 60 } },
      // Flows on spot beside those of the contract: five more features, and a quarter more time for a first run.
      spot: false,
    }),
  ],
})
