import { z } from 'zod'
import { jsonArtifact } from '../artifact.ts'
import { defineTable, f64, i32, tsMs, utf8 } from './schema.ts'

/** What each class of events says beside its instant and source. A column that a class does not have is missing. */
export const eventValues = [
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quoteVolume',
  'takerBuyVolume',
  'takerBuyQuoteVolume',
  'count',
  'dataOk',
  'price',
  'qty',
  'isBuyerMaker',
  'rate',
  'intervalHours',
  'member',
  'mask',
] as const

/** Everything that happens, in the one order it happens in. */
export const eventTable = defineTable({
  name: 'events',
  version: 1,
  doc: 'Ranks and what they mean stand in lib/backtest/eventOrder.ts.',
  columns: {
    tsMs: tsMs({ doc: 'when it was known; a bar is known at its close' }),
    rank: i32({ doc: 'of its class among events of one instant' }),
    class: utf8(),
    source: utf8({ doc: 'the symbol; quality verdicts of it have #qa behind' }),
    sequence: f64({ doc: "the venue's own, where it has one" }),
    open: f64(),
    high: f64(),
    low: f64(),
    close: f64(),
    volume: f64(),
    quoteVolume: f64(),
    takerBuyVolume: f64(),
    takerBuyQuoteVolume: f64(),
    count: f64(),
    dataOk: f64(),
    price: f64(),
    qty: f64(),
    isBuyerMaker: f64(),
    rate: f64({ doc: 'of a settlement, as a share of notional' }),
    intervalHours: f64({ unit: 'h' }),
    member: f64({ doc: '1 from when the symbol belongs to the universe, 0 from when it does not' }),
    mask: f64({ doc: '0 free, 1 quarantined, 2 rejected: no new orders' }),
  },
  sortKey: ['tsMs', 'rank'],
  tieBreak: 'venue sequence, source, row',
})

/**
 * The identity of an event stream. A UTC day's events are hashed as lib/backtest/replay.ts says, and the days are chained:
 *
 *   chain(0) = sha256('tickpipe replay 1'), chain(n) = sha256(chain(n - 1) + the day as text + digest of its events)
 *
 * so that any day is a checkpoint: going on from its chain gives the digest of the whole.
 */
export const replay = jsonArtifact(
  'replay',
  z.object({
    fromMs: z.number(),
    /** Where the first of the replays begins that this one goes on from: what `events`, `byClass` and `digest` tell of. */
    chainFromMs: z.number(),
    /** Not included: a bar that closes now belongs to what follows. */
    toMs: z.number(),
    intervalMs: z.number(),
    symbols: z.array(z.string()),
    /** Events so far, with those of earlier replays it goes on from. */
    events: z.number(),
    digest: z.string(),
    byClass: z.record(z.string(), z.number()),
    days: z.array(z.object({ day: z.string(), events: z.number(), digest: z.string(), chain: z.string() })),
  }),
)
export type ReplaySummary = z.infer<typeof replay.schema>
