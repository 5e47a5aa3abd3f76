/** The project of `pipe init`, by path: a strategy and a feature of one's own over the embedded exchange. The README shows
 *  these very files. */
export const strategyExample: Readonly<Record<string, string>> = {
  'pipe.config.ts': `import { defineProject, usdmPipeline, withConfig } from 'tickpipe'
import { activity, busiest } from './strategies/busiest.ts'

export default defineProject({
  root: '.pipe',
  pipelines: [
    withConfig(usdmPipeline({ strategies: { busiest }, groups: { activity } }), {
      from: '2026-04-01',
      to: '2026-05-01',
      universe: { size: 5 },
      strategy: { name: 'busiest', params: { weight: 0.5 } },
    }),
  ],
})
`,
  'strategies/busiest.ts': `import { column, defineStrategy, featureGroup, z } from 'tickpipe'

/** A feature is a column, and nothing else: over windows of what is known at its minute. */
export const activity = featureGroup('activity', [
  { name: 'turnover_1h', says: 'quote volume of an hour', column: column.sumOver(column.input('quoteVolume'), '1h') },
])

/** Holds the symbol that was traded most in the hour before. */
export const busiest = defineStrategy({
  name: 'busiest',
  params: z.strictObject({ weight: z.number().min(0).max(1).default(0.5) }),
  decisionEvery: '1d',
  columns: ['turnover_1h'], // the features it reads: editing others does not run it again
  onBar(ctx) {
    const turnover = (symbol: string) => ctx.column(symbol, 'turnover_1h')
    const [first] = [...ctx.symbols].sort((a, b) => turnover(b) - turnover(a))
    if (first !== undefined) ctx.setWeights({ [first]: ctx.params.weight })
  },
})
`,
}
