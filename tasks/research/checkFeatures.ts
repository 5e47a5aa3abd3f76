import { z } from 'zod'
import { type FeatureGroup, featuresOf, historyMs } from '../../lib/features/feature.ts'
import { findLeaks } from '../../lib/features/lookahead.ts'
import { framesOf } from '../../lib/minute/frames.ts'
import { leaks as leaksArtifact } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { minute } from '../../lib/tables/minute.ts'
import { dayStart, intervalMs, isDay } from '../../lib/time.ts'
import { codePort, defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** Tries a group's features on the data they are used on: with another future nothing known may change, nor with less
 *  history than a feature asks for. A column that breaks either is in what it makes: `pipe check-lookahead` judges it. */
export const checkFeatures = defineTask({
  name: 'checkFeatures',
  kind: 'pure',
  params: z.object({
    from: day,
    /** The first day that is not included. */
    to: day,
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
    calendar: z.array(z.object({ fromMs: z.number(), toMs: z.number(), knownAtMs: z.number() })).default([]),
    /** Columns of the group that these bars or data sets do not give. */
    leftOut: z.array(z.string()).default([]),
    /** How many instants are tried. */
    cuts: z.number().int().positive().default(3),
  }),
  inputs: { minutes: many(stored(minute)), funding: optional(many(funding)) },
  code: { group: codePort<FeatureGroup>() },
  output: leaksArtifact,
  limits: { memoryMb: 1536 },
  run: ({ minutes, funding: settlements, group }, { from, to, baseInterval, calendar, leftOut, cuts }, { seed }) => {
    const chosen = featuresOf(group, { calendar, leftOut })
    const barMs = intervalMs(baseInterval)
    const warmupRows = Math.ceil(Math.max(0, ...chosen.map(({ column }) => historyMs(column, barMs))) / barMs)
    const grid = { startTsMs: dayStart(from) - warmupRows * barMs, toMs: dayStart(to), intervalMs: barMs }
    const leaks = findLeaks(chosen, framesOf(chosen, minutes, settlements, grid), { seed: seed('cuts'), cuts })
    return { features: chosen.map(({ name }) => name), cuts, leaks }
  },
})
