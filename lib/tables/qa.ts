import { z } from 'zod'
import { jsonArtifact } from '../artifact.ts'
import { policy } from '../audit/finding.ts'

/**
 * What can be wrong with bars. Those of `maskingKinds` say that the market or its data was not there: under a policy other
 * than `tag` they keep orders away. The others tag and never mask, let alone remove: an extreme return is a fact.
 */
export const maskingKinds = ['gap', 'outage', 'unsound', 'stale', 'indexDeviation', 'lostTrades', 'badDay'] as const
const taggingKinds = ['returnOutlier', 'volumeOutlier', 'sourcesDiffer'] as const
const kind = z.enum([...maskingKinds, ...taggingKinds])
export type FindingKind = z.infer<typeof kind>

const finding = z.object({
  kind,
  /** What it is about: [fromMs, toMs). */
  fromMs: z.number(),
  toMs: z.number(),
  /** When its first bar could have told. Nothing may act on it earlier. */
  knownAtMs: z.number(),
  bars: z.number(),
  /** The largest measure of the stretch, where the kind has one: staleness, deviation, multiple of the usual. */
  worst: z.number().optional(),
})
export type Finding = z.infer<typeof finding>

/** No new orders in [fromMs, toMs). It begins when the finding was knowable, and ends when its end was. */
const mask = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  action: z.enum(['quarantine', 'reject']),
  because: z.array(kind),
})
export type Mask = z.infer<typeof mask>

const day = z.object({
  day: z.string(),
  /** When the day was over and its verdict known. */
  knownAtMs: z.number(),
  status: z.enum(['ok', 'tagged', 'quarantined', 'rejected', 'absent']),
  metrics: z.object({
    expectedBars: z.number(),
    presentBars: z.number(),
    missingBars: z.number(),
    quietBars: z.number(),
    outageBars: z.number(),
    unsoundBars: z.number(),
    staleBars: z.number(),
    deviatingBars: z.number(),
    lostTrades: z.number(),
    differingBars: z.number(),
    outlierBars: z.number(),
    maskedBars: z.number(),
    quoteVolume: z.number(),
  }),
  /** Those that began on this day. */
  findings: z.array(finding),
})
export type QaDay = z.infer<typeof day>

/** The quality of one symbol's bars, day by day. */
export const qa = jsonArtifact(
  'qa',
  z.object({
    symbol: z.string(),
    policy,
    intervalMs: z.number(),
    fromMs: z.number(),
    toMs: z.number(),
    days: z.array(day),
    masks: z.array(mask),
    /** Stretches that began before the range and reach into it, as far back as the report looks. */
    carried: z.array(finding),
  }),
)
export type QaReport = z.infer<typeof qa.schema>
