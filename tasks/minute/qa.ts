import { z } from 'zod'
import { policy } from '../../lib/audit/finding.ts'
import { assessQuality } from '../../lib/qa/assess.ts'
import { readDenseMinutes } from '../../lib/qa/denseMinutes.ts'
import { outlierWarmupMs } from '../../lib/qa/outliers.ts'
import { minute } from '../../lib/tables/minute.ts'
import { qa as qaArtifact } from '../../lib/tables/qa.ts'
import { dayStart, intervalMs, isDay, MINUTE_MS } from '../../lib/time.ts'
import { defineTask, many, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** Metrics, status and findings for each day of one symbol, and when orders are to stay away. The two days before the
 *  first belong to the inputs: what is usual is measured over them. */
export const qa = defineTask({
  name: 'qa',
  kind: 'pure',
  params: z.object({
    symbol: z.string(),
    from: day,
    /** The first day that is not included. */
    to: day,
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
    policy: policy.default('quarantine'),
    stalenessMaxMinutes: z.number().positive().default(5),
    indexDeviationMax: z.number().positive().default(0.05),
    outlierMultiple: z.number().positive().default(25),
    badShareMax: z.number().min(0).max(1).default(0.05),
  }),
  inputs: { minutes: many(stored(minute)) },
  output: qaArtifact,
  limits: { memoryMb: 256 },
  run: ({ minutes }, { symbol, from, to, baseInterval, ...limits }) => {
    const barMs = intervalMs(baseInterval)
    const [fromMs, toMs] = [dayStart(from), dayStart(to)]
    const grid = { symbol, startTsMs: fromMs - outlierWarmupMs, toMs, intervalMs: barMs }
    return assessQuality(readDenseMinutes(minutes, grid), fromMs, toMs, {
      ...limits,
      stalenessMaxMs: Math.max(barMs - 1, limits.stalenessMaxMinutes * MINUTE_MS),
    })
  },
})
