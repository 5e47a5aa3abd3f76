import type { FileSet } from '../artifact.ts'
import { Fault } from '../fault.ts'
import type { coarseKlineTable } from '../tables/coarseKlines.ts'
import type { TableOf } from '../tables/table.ts'
import { DAY_MS, formatUtc } from '../time.ts'
import { type ExchangeInfo, parseExchangeInfo } from '../venues/exchangeInfo.ts'
import { presentOf } from './presentOf.ts'
import { type SelectionRules, selectUniverse } from './selectUniverse.ts'
import type { ListedSymbol, RejectedSymbol } from './universe.ts'
import { parseTicker } from './universeTicker.ts'

export type UniverseInputs = {
  readonly exchangeInfo?: FileSet | undefined
  readonly ticker?: FileSet | undefined
  readonly present?: FileSet | undefined
  readonly candidates?: { symbols: { symbol: string }[]; rejected: RejectedSymbol[] } | undefined
  readonly daily?: readonly TableOf<typeof coarseKlineTable>[] | undefined
}

export type UniverseParams = SelectionRules & {
  readonly mode: 'listed' | 'historical' | 'live'
  readonly symbols: readonly string[]
  readonly deny: readonly string[]
  readonly allowSurvivorship: boolean
}

type Universe = {
  symbols: ListedSymbol[]
  rejected: RejectedSymbol[]
  selection?: {
    mode: 'historical' | 'live'
    size: number
    minQuoteVolumeUsd: number
    minAgeDays: number
    lookbackDays: number
    dates: { tsMs: number; symbols: string[] }[]
    hasSurvivorship: boolean
    gone: string[]
  }
}

export function buildUniverseOf(inputs: UniverseInputs, params: UniverseParams, log: (line: string) => void): Universe {
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
        .map((symbol) => ({ symbol, reason: 'the venue does not list it' })),
    ],
  }
}

/** Without an API nobody says what the rules are: the finest grid stands in, and the entry says so. */
function unchecked({ symbols, datesTsMs, minNotional }: UniverseParams): Universe {
  const grid = '0.00000001'
  return {
    symbols: [...symbols].sort().map((symbol) => ({
      symbol,
      tickSize: grid,
      stepSize: grid,
      minNotional,
      rulesFrom: 'config',
      onboardTsMs: datesTsMs[0] ?? 0,
    })),
    rejected: [],
  }
}

function historical(
  { candidates, daily }: UniverseInputs,
  params: UniverseParams,
  info: ExchangeInfo | undefined,
  log: (line: string) => void,
): Universe {
  if (candidates === undefined || daily === undefined)
    throw lacks("the archive's symbols and their daily bars", params.mode)
  const foreign = info?.foreign ?? []
  const others = new Set(foreign.map(({ symbol }) => symbol))
  const names = candidates.symbols.map(({ symbol }) => symbol).filter((symbol) => !others.has(symbol))
  const chosen = selectUniverse(names, daily, info?.tradable ?? [], params)
  const { gone } = chosen
  if (gone.length > 0) {
    log(
      `survivorship: ${gone.length} of ${chosen.symbols.length} members are not tradable any more: ${gone.join(', ')}`,
    )
  }
  return {
    symbols: [...chosen.symbols],
    rejected: withoutRepeats([...candidates.rejected, ...foreign, ...chosen.rejected]),
    selection: {
      mode: 'historical',
      ...ruleParts(params),
      dates: [...chosen.dates],
      hasSurvivorship: false,
      gone: [...gone],
    },
  }
}

function live(
  { ticker, present }: UniverseInputs,
  params: UniverseParams,
  { tradable, rejected }: ExchangeInfo,
  log: (line: string) => void,
): Universe {
  if (ticker === undefined || present === undefined) throw lacks('the ticker and the present', params.mode)
  const nowTsMs = presentOf(present)
  const firstTsMs = params.datesTsMs[0] ?? nowTsMs
  const isPast = firstTsMs < nowTsMs - DAY_MS
  if (isPast && !params.allowSurvivorship) {
    throw new Fault({
      code: 'refused',
      what: `a universe of today (${formatUtc(nowTsMs)}) was asked for data from ${formatUtc(firstTsMs)} on: it holds only those who survived`,
      todo: 'use "universe.mode": "historical", or set universe.allowSurvivorship, which is stamped on everything made of it',
    })
  }
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
  const symbols = ranked.slice(0, params.size)
  ranked.slice(params.size).forEach(({ symbol }, i) => {
    reasons.push({
      symbol,
      reason: `rank ${params.size + i + 1} of ${ranked.length} by volume, ${params.size} are taken`,
    })
  })
  if (isPast) log('survivorship: this universe of today stands for the past; nothing made of it is a fair backtest')
  return {
    symbols: [...symbols].sort(byName),
    rejected: reasons.sort(byName),
    selection: {
      mode: 'live',
      ...ruleParts(params),
      dates: [{ tsMs: firstTsMs, symbols: symbols.map(({ symbol }) => symbol) }],
      hasSurvivorship: isPast,
      gone: [],
    },
  }
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
