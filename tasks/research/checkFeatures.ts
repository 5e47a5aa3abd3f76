import { z } from 'zod'
import { Fault } from '../../lib/fault.ts'
import { type FeatureGroup, historyMs } from '../../lib/features/feature.ts'
import { findLeaks } from '../../lib/features/lookahead.ts'
import { framesOf } from '../../lib/minute/frames.ts'
import { leaks as leaksArtifact } from '../../lib/tables/features.ts'
import { funding } from '../../lib/tables/funding.ts'
import { minute } from '../../lib/tables/minute.ts'
import { dayStart, formatUtc, intervalMs, isDay } from '../../lib/time.ts'
import { codePort, defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** Tries a group's features on the data they are used on: with another future nothing known may change, nor with less
 *  history than a feature asks for. A column that breaks either is named, and nothing is made. */
export const checkFeatures = defineTask({
  name: 'checkFeatures',
  kind: 'pure',
  params: z.object({
    from: day,
    /** The first day that is not included. */
    to: day,
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
    calendar: z.array(z.object({ fromMs: z.number(), toMs: z.number(), knownAtMs: z.number() })).default([]),
    /** How many instants are tried. */
    cuts: z.number().int().positive().default(3),
  }),
  inputs: { minutes: many(stored(minute)), funding: optional(many(funding)) },
  code: { group: codePort<FeatureGroup>() },
  output: leaksArtifact,
  limits: { memoryMb: 1536 },
  run: ({ minutes, funding: settlements, group }, { from, to, baseInterval, calendar, cuts }, { seed }) => {
    const chosen = typeof group === 'function' ? group({ calendar }) : group
    const barMs = intervalMs(baseInterval)
    const warmupRows = Math.ceil(Math.max(0, ...chosen.map(({ column }) => historyMs(column, barMs))) / barMs)
    const grid = { startTsMs: dayStart(from) - warmupRows * barMs, toMs: dayStart(to), intervalMs: barMs }
    const leaks = findLeaks(chosen, framesOf(chosen, minutes, settlements, grid), { seed: seed('cuts'), cuts })
    const [first] = leaks
    if (first !== undefined) {
      const does =
        first.kind === 'looksAhead'
          ? `changes at ${formatUtc(first.rowKnownAtMs)} with what is known only after ${formatUtc(first.cutMs)}`
          : `changes at ${formatUtc(first.rowKnownAtMs)} with what lies before its declared warm-up`
      throw new Fault({
        code: 'failed',
        what: `the feature "${first.feature}" ${does}`,
        where: `group ${first.group}, ${first.symbol}`,
        todo: 'let its kernel read rows up to the one it fills, and declare a warm-up as long as it looks back',
        details: { leaks },
      })
    }
    return { features: chosen.map(({ name }) => name), cuts, leaks }
  },
})
