import { z } from 'zod'
import { universe } from '../../lib/market/universe.ts'
import { eventRows } from '../../lib/replay/eventRows.ts'
import { membershipOf } from '../../lib/replay/membership.ts'
import { replayDays } from '../../lib/replay/replayDays.ts'
import { events } from '../../lib/tables/events.ts'
import { funding } from '../../lib/tables/funding.ts'
import { minute } from '../../lib/tables/minute.ts'
import { qa } from '../../lib/tables/qa.ts'
import { trades } from '../../lib/tables/trades.ts'
import { dayStart, intervalMs, isDay } from '../../lib/time.ts'
import { defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** The event stream itself, to look at or to take elsewhere: the rows whose digest `replay` gives. */
export const replayEvents = defineTask({
  name: 'replayEvents',
  kind: 'pure',
  params: z.object({
    from: day,
    /** The first day that is not included. */
    to: day,
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
  }),
  inputs: {
    universe,
    minutes: many(stored(minute)),
    trades: optional(many(stored(trades))),
    funding: optional(many(funding)),
    qa: optional(many(qa)),
  },
  output: events,
  limits: { memoryMb: 768 },
  *run(inputs, { from, to, baseInterval }) {
    const sources = {
      minutes: inputs.minutes,
      trades: inputs.trades ?? [],
      funding: inputs.funding ?? [],
      quality: inputs.qa ?? [],
      universe: membershipOf(inputs.universe),
    }
    const range = { fromMs: dayStart(from), toMs: dayStart(to), intervalMs: intervalMs(baseInterval) }
    for (const one of replayDays(sources, range)) yield* eventRows(one)
  },
})
