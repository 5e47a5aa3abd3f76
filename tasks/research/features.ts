import { z } from 'zod'
import { mapFeatures } from '../../lib/features/evaluate.ts'
import { type FeatureGroup, featuresOf, historyMs } from '../../lib/features/feature.ts'
import { framesOf } from '../../lib/minute/frames.ts'
import { encodeFeatures, features as featureFiles } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { minute } from '../../lib/tables/minute.ts'
import { dayStart, intervalMs, isDay } from '../../lib/time.ts'
import { codePort, defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** One group of features, of all symbols: those that compare symbols need them together. Minutes and settlements as far
 *  back as the group's warm-up belong to the inputs. */
export const features = defineTask({
  name: 'features',
  kind: 'pure',
  params: z.object({
    from: day,
    /** The first day that is not included. */
    to: day,
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
    /** Announced events, for groups that read a calendar. */
    calendar: z.array(z.object({ fromMs: z.number(), toMs: z.number(), knownAtMs: z.number() })).default([]),
    /** Columns of the group that these bars or data sets do not give. */
    leftOut: z.array(z.string()).default([]),
  }),
  inputs: { minutes: many(stored(minute)), funding: optional(many(funding)) },
  code: { group: codePort<FeatureGroup>() },
  output: featureFiles,
  limits: { memoryMb: 1024 },
  run: ({ minutes, funding: settlements, group }, { from, to, baseInterval, calendar, leftOut }) => {
    const chosen = featuresOf(group, { calendar, leftOut })
    const barMs = intervalMs(baseInterval)
    const [fromMs, toMs] = [dayStart(from), dayStart(to)]
    const warmupMs = Math.max(0, ...chosen.map(({ column }) => historyMs(column, barMs)))
    const warmupRows = Math.ceil(warmupMs / barMs)
    const grid = { startTsMs: fromMs - warmupRows * barMs, toMs, intervalMs: barMs }
    const frames = framesOf(chosen, minutes, settlements, grid)
    const openTsMs = Float64Array.from({ length: (toMs - fromMs) / barMs }, (_, i) => fromMs + i * barMs)
    return mapFeatures(chosen, frames, (symbol, columns) => {
      const inRange = Object.entries(columns).map(([name, values]) => [name, values.subarray(warmupRows)])
      return encodeFeatures(symbol, openTsMs, Object.fromEntries(inRange))
    })
  },
})
