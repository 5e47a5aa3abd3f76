import { z } from 'zod'
import { jsonArtifact } from '../../artifact.ts'

/** What the venue says about a perpetual, as decimal text. */
const listedSymbol = z.object({
  symbol: z.string(),
  tickSize: z.string(),
  stepSize: z.string(),
  minNotional: z.string(),
  /** Where tick and step come from: a snapshot of the venue's rules, or the data itself. */
  rulesFrom: z.enum(['snapshot', 'inferred', 'config']).optional(),
  /** Together with the name it says which contract is meant: names are given anew. */
  onboardTsMs: z.number(),
  /** Absent while no end is announced. */
  deliveryTsMs: z.number().optional(),
  /** What it was chosen by: mean quote volume a day before the first date it was chosen at. */
  quoteVolumeUsdDaily: z.number().optional(),
  /** When it is a member: stretches of whole dates, the last one open where the last choice still holds. */
  active: z.array(z.object({ fromTsMs: z.number(), toTsMs: z.number().optional() })).optional(),
})
export type ListedSymbol = z.infer<typeof listedSymbol>

const rejectedSymbol = z.object({ symbol: z.string(), reason: z.string() })
export type RejectedSymbol = z.infer<typeof rejectedSymbol>

/** What a universe of today is wrong by: who died is missing from it. */
const survivorshipGap = z.discriminatedUnion('basis', [
  z.object({
    basis: z.literal('members'),
    /** Where today's members are from: the last 24 hours' turnover, or the same choice among those still listed. */
    liveFrom: z.enum(['ticker', 'listing']),
    /** Members at some date that today's universe lacks, and its members that were none at the time. */
    onlyHistorical: z.array(z.string()),
    onlyLive: z.array(z.string()),
    /** Of the members' quote volume before each date, what those had that are lacking. */
    volumeShare: z.number(),
  }),
  /** Two lists of names, and no volumes of the time: of the contracts the archive knows, those that are gone. */
  z.object({ basis: z.literal('names'), archived: z.number(), gone: z.array(z.string()) }),
  z.object({ basis: z.literal('unknown'), why: z.string() }),
])
export type SurvivorshipGap = z.infer<typeof survivorshipGap>

/** Who may be traded, and for everybody else the reason why not. */
export const universe = jsonArtifact(
  'universe',
  z.object({
    symbols: z.array(listedSymbol),
    rejected: z.array(rejectedSymbol),
    /** How it was chosen; absent where the symbols were given one by one. */
    selection: z
      .object({
        mode: z.enum(['historical', 'live']),
        size: z.number(),
        minQuoteVolumeUsd: z.number(),
        minAgeDays: z.number(),
        lookbackDays: z.number(),
        /** Members from each date on, best first. */
        dates: z.array(z.object({ tsMs: z.number(), symbols: z.array(z.string()) })),
        /** True where today's survivors were let stand for the past: nothing made of it is a fair backtest. */
        hasSurvivorship: z.boolean(),
        /** Members that are not tradable any more: what a universe of today would lack. */
        gone: z.array(z.string()),
        /** Absent where the data are of today. */
        survivorshipGap: survivorshipGap.optional(),
      })
      .optional(),
  }),
)

/** Who could be in a universe, before anything is known about volumes. */
export const candidates = jsonArtifact(
  'candidates',
  z.object({ symbols: z.array(z.object({ symbol: z.string() })), rejected: z.array(rejectedSymbol) }),
)
