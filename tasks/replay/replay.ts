import { z } from 'zod'
import { Fault } from '../../lib/fault.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import { membershipOf } from '../../lib/replay/membership.ts'
import { emptyChain, openSources, replayDays } from '../../lib/replay/replayDays.ts'
import { type ReplaySummary, replay as replayArtifact } from '../../lib/tables/events.ts'
import { funding } from '../../lib/tables/funding.ts'
import { minute } from '../../lib/tables/minute.ts'
import { qa } from '../../lib/tables/qa.ts'
import { trades } from '../../lib/tables/trades.ts'
import { dayStart, formatUtc, intervalMs, isDay } from '../../lib/time.ts'
import { defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** The identity of the event stream: what a backtest over it saw, in which order. Given the replay of the time before, it
 *  goes on from there to the digest that one replay of both would have. */
export const replay = defineTask({
  name: 'replay',
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
    before: optional(replayArtifact),
  },
  output: replayArtifact,
  limits: { memoryMb: 768 },
  run: (inputs, { from, to, baseInterval }) => {
    const range = { fromMs: dayStart(from), toMs: dayStart(to), intervalMs: intervalMs(baseInterval) }
    const { before } = inputs
    if (before !== undefined && before.toMs !== range.fromMs) {
      throw new Fault({
        code: 'failed',
        what: `it goes on from a replay that ends at ${formatUtc(before.toMs)}, and begins at ${formatUtc(range.fromMs)}`,
        todo: 'wire the replay of the time right before',
      })
    }
    const sources = openSources({
      minutes: inputs.minutes,
      trades: inputs.trades ?? [],
      funding: inputs.funding ?? [],
      quality: inputs.qa ?? [],
      universe: membershipOf(inputs.universe),
    })
    const byClass = new Map(Object.entries(before?.byClass ?? {}))
    const days: ReplaySummary['days'] = []
    const chainFromMs = before?.chainFromMs ?? range.fromMs
    let digest = before?.digest ?? emptyChain()
    let events = before?.events ?? 0
    for (const one of replayDays(sources, range, before?.digest)) {
      days.push({ day: one.day, events: one.events, digest: one.digest, chain: one.chain })
      for (const { class: kind, knownAtMs } of one.streams)
        byClass.set(kind, (byClass.get(kind) ?? 0) + knownAtMs.length)
      digest = one.chain
      events += one.events
    }
    return {
      ...range,
      chainFromMs,
      symbols: [...sources.symbols],
      events,
      digest,
      byClass: Object.fromEntries(byClass),
      days,
    }
  },
})
