import type { z } from 'zod'
import type { FileSet } from '../../artifact.ts'
import { Fault } from '../../fault.ts'
import { didYouMean } from '../../nearMatch.ts'
import type { klineTable } from '../../tables/klines.ts'
import type { TableOf } from '../../tables/table.ts'
import { DAY_MS, formatUtc } from '../../time.ts'
import { type ExchangeInfo, parseExchangeInfo } from '../../venues/exchangeInfo.ts'
import { presentOf } from '../plan/presentOf.ts'
import { type Selection, type SelectionRules, selectUniverse } from './selectUniverse.ts'
import { namesGapOf, survivorshipGapOf, survivorshipText } from './survivorship.ts'
import type { ListedSymbol, RejectedSymbol, SurvivorshipGap, universe } from './universe.ts'
import { parseTicker } from './universeTicker.ts'

export type UniverseInputs = {
  readonly exchangeInfo?: FileSet | undefined
  readonly ticker?: FileSet | undefined
  readonly present?: FileSet | undefined
  readonly candidates?: { symbols: { symbol: string }[]; rejected: RejectedSymbol[] } | undefined
  readonly daily?: readonly TableOf<typeof klineTable>[] | undefined
}

export type UniverseParams = SelectionRules & {
  readonly mode: 'listed' | 'historical' | 'live'
  readonly symbols: readonly string[]
  readonly deny: readonly string[]
  readonly allowSurvivorship: boolean
}

type Log = (line: string) => void
type Universe = z.infer<typeof universe.schema>

export function buildUniverseOf(inputs: UniverseInputs, given: UniverseParams, log: Log): Universe {
  const params = { ...given, datesTsMs: [...new Set(given.datesTsMs)].sort((a, b) => a - b) }
  const info =
    inputs.exchangeInfo === undefined ? undefined : parseExchangeInfo(inputs.exchangeInfo.read('exchangeInfo.json'))
  if (params.mode === 'historical') return historical(inputs, params, info, log)
  if (params.mode === 'listed' && info === undefined) return unchecked(params)
  if (info === undefined) throw lacks('what the venue lists', params.mode)
  return params.mode === 'live' ? live(inputs, params, info, log) : listed(params, info)
}

const byName = (a: { symbol: string }, b: { symbol: string }): number => (a.symbol < b.symbol ? -1 : 1)

/** Nobody is chosen by what became of them later: the list is the user's. */
function listed({ symbols }: UniverseParams, { tradable, rejected }: ExchangeInfo): Universe {
  const wanted = new Set(symbols)
  const known = new Set([...tradable, ...rejected].map(({ symbol }) => symbol))
  return {
    symbols: tradable.filter(({ symbol }) => wanted.has(symbol)).sort(byName),
    rejected: [
      ...rejected.filter(({ symbol }) => wanted.has(symbol)),
      ...symbols
        .filter((symbol) => !known.has(symbol))
        .map((symbol) => ({ symbol, reason: `the venue does not list it${didYouMean(symbol, known)}` })),
    ],
  }
}

/** Without an API nobody says what the rules are: the finest grid stands in, and the entry says so. Nor does anybody say
 *  since when there is a symbol: a later instant than the first of all would cut its life amid a file, whose earlier
 *  rows would then be nobody's. */
function unchecked({ symbols, minNotional }: UniverseParams): Universe {
  const grid = '0.00000001'
  return {
    symbols: [...symbols].sort().map((symbol) => ({
      symbol,
      tickSize: grid,
      stepSize: grid,
      minNotional,
      rulesFrom: 'config',
      onboardTsMs: 0,
    })),
    rejected: [],
  }
}

function historical(
  inputs: UniverseInputs,
  params: UniverseParams,
  info: ExchangeInfo | undefined,
  log: Log,
): Universe {
  const { candidates, daily } = inputs
  if (candidates === undefined || daily === undefined)
    throw lacks("the archive's symbols and their daily bars", params.mode)
  if (params.datesTsMs.length === 0) throw lacks('a date it is chosen at', params.mode)
  const foreign = info?.foreign ?? []
  const names = namesOf(candidates, foreign)
  const chosen = selectUniverse(names, daily, info?.tradable ?? [], params)
  const gap: SurvivorshipGap =
    info === undefined
      ? { basis: 'unknown', why: 'no API was asked who is listed today' }
      : gapOf(chosen, names, daily, info, inputs, params)
  log(survivorshipText(gap))
  return {
    symbols: [...chosen.symbols],
    rejected: withoutRepeats([...candidates.rejected, ...foreign, ...chosen.rejected]),
    selection: {
      mode: 'historical',
      ...ruleParts(params),
      dates: chosen.dates.map(({ tsMs, members }) => ({ tsMs, symbols: members.map(({ symbol }) => symbol) })),
      hasSurvivorship: false,
      gone: [...chosen.gone],
      survivorshipGap: gap,
    },
  }
}

/** Today's universe is the ticker's where there is one; else the same choice, among those whom the venue still lists. */
function gapOf(
  chosen: Selection,
  names: readonly string[],
  daily: NonNullable<UniverseInputs['daily']>,
  info: ExchangeInfo,
  { ticker, present }: UniverseInputs,
  params: UniverseParams,
): SurvivorshipGap {
  if (ticker !== undefined && present !== undefined) {
    const { ranked } = rankedToday(ticker, presentOf(present), params, info)
    const live = ranked.slice(0, params.size).map(({ symbol }) => symbol)
    return survivorshipGapOf('ticker', chosen.dates, () => live)
  }
  const tradable = new Set(info.tradable.map(({ symbol }) => symbol))
  const survivors = selectUniverse(
    names.filter((symbol) => tradable.has(symbol)),
    daily,
    info.tradable,
    params,
  )
  return survivorshipGapOf('listing', chosen.dates, (i) => survivors.dates[i]!.members.map(({ symbol }) => symbol))
}

/** As much as can be told of whom a universe of today lacks: names for one listing, members where their bars are wired. */
function liveGapOf(inputs: UniverseInputs, rules: UniverseParams, info: ExchangeInfo): SurvivorshipGap {
  const { candidates, daily } = inputs
  if (candidates === undefined) return { basis: 'unknown', why: 'the archive was not asked whom it knows' }
  const names = namesOf(candidates, info.foreign)
  if (daily === undefined) return namesGapOf(names, new Set(info.tradable.map(({ symbol }) => symbol)))
  return gapOf(selectUniverse(names, daily, info.tradable, rules), names, daily, info, inputs, rules)
}

const namesOf = (candidates: NonNullable<UniverseInputs['candidates']>, foreign: readonly RejectedSymbol[]) => {
  const others = new Set(foreign.map(({ symbol }) => symbol))
  return candidates.symbols.map(({ symbol }) => symbol).filter((symbol) => !others.has(symbol))
}

function live(inputs: UniverseInputs, params: UniverseParams, info: ExchangeInfo, log: Log): Universe {
  const { ticker, present } = inputs
  if (ticker === undefined || present === undefined) throw lacks('the ticker and the present', params.mode)
  const nowTsMs = presentOf(present)
  const firstTsMs = params.datesTsMs[0] ?? nowTsMs
  const isPast = firstTsMs < nowTsMs - DAY_MS
  if (isPast && !params.allowSurvivorship) {
    throw new Fault({
      code: 'refused',
      what: `a universe of today (${formatUtc(nowTsMs)}) was asked for data from ${formatUtc(firstTsMs)} on: it holds only those who survived`,
      todo: 'use "universe.mode": "historical", or say --allow-survivorship (universe.allowSurvivorship), which is stamped on everything made of it',
    })
  }
  const { ranked, reasons } = rankedToday(ticker, nowTsMs, params, info)
  const symbols = ranked.slice(0, params.size)
  ranked.slice(params.size).forEach(({ symbol }, i) => {
    reasons.push({
      symbol,
      reason: `rank ${params.size + i + 1} of ${ranked.length} by volume, ${params.size} are taken`,
    })
  })
  if (isPast) log('survivorship: this universe of today stands for the past; nothing made of it is a fair backtest')
  const gap = isPast ? liveGapOf(inputs, { ...params, datesTsMs: [firstTsMs] }, info) : undefined
  if (gap !== undefined) log(survivorshipText(gap))
  return {
    symbols: symbols.map((entry) => ({ ...entry, active: [{ fromTsMs: firstTsMs }] })).sort(byName),
    rejected: reasons.sort(byName),
    selection: {
      mode: 'live',
      ...ruleParts(params),
      dates: [{ tsMs: firstTsMs, symbols: symbols.map(({ symbol }) => symbol) }],
      hasSurvivorship: isPast,
      gone: [],
      ...(gap === undefined ? {} : { survivorshipGap: gap }),
    },
  }
}

/** Everybody the rules let in today, the largest first, and a reason for everybody else. */
function rankedToday(
  ticker: FileSet,
  nowTsMs: number,
  params: UniverseParams,
  { tradable, rejected }: ExchangeInfo,
): { ranked: ListedSymbol[]; reasons: RejectedSymbol[] } {
  const volumes = parseTicker(ticker.read('ticker.json'))
  const reasons: RejectedSymbol[] = [...rejected]
  const ranked: ListedSymbol[] = []
  for (const entry of tradable) {
    const volume = volumes.get(entry.symbol) ?? 0
    const ageDays = Math.floor((nowTsMs - entry.onboardTsMs) / DAY_MS)
    const reason = params.deny.includes(entry.symbol)
      ? 'it is on the deny list'
      : ageDays < params.minAgeDays
        ? `it is ${ageDays} days old, and ${params.minAgeDays} are asked for`
        : volume < params.minQuoteVolumeUsd
          ? `it turned over ${Math.round(volume)} USDT in 24 hours, and ${params.minQuoteVolumeUsd} are asked for`
          : undefined
    if (reason === undefined) ranked.push({ ...entry, rulesFrom: 'snapshot', quoteVolumeUsdDaily: volume })
    else reasons.push({ symbol: entry.symbol, reason })
  }
  ranked.sort((a, b) => b.quoteVolumeUsdDaily! - a.quoteVolumeUsdDaily! || byName(a, b))
  return { ranked, reasons }
}

/** One reason a symbol: the first that was found. */
function withoutRepeats(rejected: readonly RejectedSymbol[]): RejectedSymbol[] {
  const first = new Map<string, RejectedSymbol>()
  for (const one of rejected) if (!first.has(one.symbol)) first.set(one.symbol, one)
  return [...first.values()].sort(byName)
}

const ruleParts = ({ size, minQuoteVolumeUsd, minAgeDays, lookbackDays }: UniverseParams) => ({
  size,
  minQuoteVolumeUsd,
  minAgeDays,
  lookbackDays,
})

const lacks = (what: string, mode: string): Fault =>
  new Fault({ code: 'usage', what: `a ${mode} universe needs ${what}`, todo: 'wire it where the task is placed' })
