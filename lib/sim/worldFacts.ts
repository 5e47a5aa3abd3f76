import { formatUtc, type TsMs } from '../time.ts'
import { defaultEvents, defaultWorld } from './defaultWorld.ts'
import type { Effects } from './effects.ts'

/** One thing that can be traded, as the world's document lists it. */
export interface InstrumentFacts {
  readonly symbol: string
  readonly market: 'usdm' | 'spot'
  /** '' is announced and not open yet. */
  readonly contractType: string
  readonly tickSize: string
  readonly stepSize: string
  readonly minNotional: string
  readonly onboardTsMs: TsMs
  readonly delistTsMs?: TsMs
  readonly funding: readonly { readonly fromTsMs: TsMs; readonly hours: number }[]
  readonly volumeUsdDaily: number
}

export interface WorldFacts {
  readonly seed: number | string
  readonly startTsMs: TsMs
  readonly nowTsMs: TsMs
  readonly instruments: readonly InstrumentFacts[]
  readonly events: readonly { readonly tsMs: TsMs; readonly toTsMs?: TsMs; readonly says: string }[]
  /** What can be earned in this market on purpose, and what it can cost. */
  readonly premia: readonly { readonly name: string; readonly says: string }[]
  readonly effects: Effects
}

/** The default world as documented facts: whoever tests a strategy on it may look up what is true there. */
export function worldFacts(): WorldFacts {
  const { seed, startTsMs, nowTsMs, effects, assets, instruments } = defaultWorld
  const volumes = new Map(assets.map(({ name, volumeUsdDaily }) => [name, volumeUsdDaily]))
  return {
    seed,
    startTsMs,
    nowTsMs,
    effects,
    events: eventsOf(),
    premia: premiaOf(effects),
    instruments: instruments
      .map(({ symbol, market, contractType, tickSize, stepSize, minNotional, onboardTsMs, ...rest }) => ({
        symbol,
        market,
        contractType,
        tickSize,
        stepSize,
        minNotional,
        onboardTsMs,
        ...(rest.delistTsMs === undefined ? {} : { delistTsMs: rest.delistTsMs }),
        funding: rest.funding,
        volumeUsdDaily: volumes.get(rest.asset)! * rest.volumeShare,
      }))
      .sort((a, b) => (a.market === b.market ? (a.symbol < b.symbol ? -1 : 1) : a.market < b.market ? 1 : -1)),
  }
}

function eventsOf(): WorldFacts['events'] {
  const at = defaultEvents
  const events = [
    { tsMs: at.suiOnboardTsMs, says: 'SUIUSDT is listed' },
    { tsMs: at.renameFromTsMs, toTsMs: at.renameToTsMs, says: 'MATICUSDT ends, and begins again as POLUSDT' },
    { tsMs: at.wifOnboardTsMs, says: 'WIFUSDT is listed' },
    { tsMs: at.pepeFundingChangeTsMs, says: '1000PEPEUSDT settles every 4 hours instead of 8' },
    { tsMs: at.outageFromTsMs, toTsMs: at.outageToTsMs, says: 'all contracts stop: rows with count 0' },
    {
      tsMs: at.lunaDelistTsMs,
      says: `LUNAUSDT stops trading; rows repeat its last price until ${formatUtc(at.lunaRowsEndTsMs)}`,
    },
    { tsMs: at.gapFromTsMs, toTsMs: at.gapToTsMs, says: 'XRPUSDT has no rows at all' },
  ]
  return events.sort((a, b) => a.tsMs - b.tsMs)
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`

function premiaOf(effects: Effects): WorldFacts['premia'] {
  return [
    {
      name: 'market',
      says: `drifts by ${percent(effects.marketDriftDaily)} a day times beta, at ${percent(effects.marketVolDaily)} daily volatility that clusters`,
    },
    {
      name: 'momentum',
      says: `an asset's own drift wanders with a standard deviation of ${percent(effects.trendShare)} of its daily volatility, and ${percent(effects.trendPersistence)} of it is left a day later`,
    },
    {
      name: 'momentum crash',
      says: `in a crash winners fall further, by ${percent(effects.trendCrashLoading)} of it for each standard deviation of their trend`,
    },
    {
      name: 'carry',
      says: `funding follows a premium that wanders by ${effects.premiumSdBps} bps; prices take back ${percent(effects.carryOffsetShare)} of the expected funding, and the rest is earned`,
    },
    {
      name: 'carry squeeze',
      says: `once in ${Math.round(1 / effects.squeezePerDay)} days a jump up of ${percent(effects.squeezeMin)} to ${percent(effects.squeezeMax)}, likelier where the premium is high`,
    },
    {
      name: 'crash',
      says: `once in ${Math.round(1 / effects.crashPerDay)} days the market falls by ${percent(effects.crashMin)} to ${percent(effects.crashMax)} more; its drift is raised to make up for it`,
    },
  ]
}
