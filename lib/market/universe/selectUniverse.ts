import { Fault } from '../../fault.ts'
import type { klineTable } from '../../tables/klines.ts'
import { sliceTable, type TableOf } from '../../tables/table.ts'
import { bigAt, pickBigs } from '../../tables/wideInts.ts'
import { DAY_MS, formatUtc, type TsMs } from '../../time.ts'
import { inferRules } from './inferRules.ts'
import type { ListedSymbol, RejectedSymbol } from './universe.ts'

type Daily = TableOf<typeof klineTable>

export type SelectionRules = {
  /** Dates from which on a choice holds, ascending. */
  readonly datesTsMs: readonly TsMs[]
  readonly size: number
  readonly minQuoteVolumeUsd: number
  readonly minAgeDays: number
  readonly lookbackDays: number
  /** For contracts whose rules nobody tells any more. */
  readonly minNotional: string
}

/** Members from a date on, best first, each with its mean quote volume a day before it. */
export type Choice = {
  readonly tsMs: TsMs
  readonly members: readonly { readonly symbol: string; readonly volume: number }[]
}

export type Selection = {
  readonly symbols: readonly ListedSymbol[]
  readonly rejected: readonly RejectedSymbol[]
  readonly dates: readonly Choice[]
  readonly gone: readonly string[]
}

/**
 * The largest by volume before each date, of everybody who was there, whatever became of them. Only bars that closed
 * before a date count for it: what came after changes nothing.
 */
export function selectUniverse(
  names: readonly string[],
  daily: readonly Daily[],
  listed: readonly ListedSymbol[],
  rules: SelectionRules,
): Selection {
  const bySymbol = new Map<string, Daily[]>(names.map((name) => [name, []]))
  for (const table of daily) for (const part of partsOf(table)) bySymbol.get(part.columns.symbol[0]!)?.push(part)
  const known = new Map(listed.map((entry) => [entry.symbol, entry]))
  const reasons = new Map<string, string>()
  const chosen = new Map<string, Chosen>()
  const dates = rules.datesTsMs.map((tsMs, i) => {
    const ranked: { symbol: string; volume: number }[] = []
    for (const [symbol, tables] of bySymbol) {
      const judged = judge(tables, known.get(symbol), tsMs, rules)
      if (typeof judged === 'string') reasons.set(symbol, judged)
      else ranked.push({ symbol, volume: judged })
    }
    ranked.sort((a, b) => b.volume - a.volume || (a.symbol < b.symbol ? -1 : 1))
    for (const { symbol, volume } of ranked.slice(0, rules.size)) {
      const one = chosen.get(symbol) ?? { volume, active: [] }
      chosen.set(symbol, { ...one, active: lengthened(one.active, tsMs, rules.datesTsMs[i + 1]) })
    }
    ranked.slice(rules.size).forEach(({ symbol, volume }, i) => {
      reasons.set(
        symbol,
        `rank ${rules.size + i + 1} of ${ranked.length} by volume (${usd(volume)} a day), ${rules.size} are taken`,
      )
    })
    return { tsMs, members: ranked.slice(0, rules.size) }
  })
  const symbols = [...chosen].map(([symbol, { volume, active }]) => ({
    ...described(symbol, bySymbol.get(symbol)!, known.get(symbol), rules),
    quoteVolumeUsdDaily: volume,
    active,
  }))
  return {
    symbols: symbols.sort((a, b) => (a.symbol < b.symbol ? -1 : 1)),
    rejected: [...reasons].filter(([symbol]) => !chosen.has(symbol)).map(([symbol, reason]) => ({ symbol, reason })),
    dates,
    gone: [...chosen.keys()].filter((symbol) => !known.has(symbol)).sort(),
  }
}

/** A table's rows stand in the order of its symbols. */
function partsOf(table: Daily): Daily[] {
  const { symbol } = table.columns
  const parts: Daily[] = []
  for (let from = 0; from < table.rowCount; ) {
    let to = from + 1
    while (to < table.rowCount && symbol[to] === symbol[from]) to++
    parts.push(sliceTable(table, from, to))
    from = to
  }
  return parts
}

type Stretches = NonNullable<ListedSymbol['active']>
type Chosen = { readonly volume: number; readonly active: Stretches }

/** A member that stays for another date has one stretch, and not two. */
function lengthened(active: Stretches, fromTsMs: TsMs, nextTsMs: TsMs | undefined): Stretches {
  const last = active.at(-1)
  const stays = last?.toTsMs === fromTsMs
  const stretch = {
    fromTsMs: stays ? last.fromTsMs : fromTsMs,
    ...(nextTsMs === undefined ? {} : { toTsMs: nextTsMs }),
  }
  return [...(stays ? active.slice(0, -1) : active), stretch]
}

const usd = (volume: number): string => `${String(Math.round(volume)).replace(/\B(?=(\d{3})+$)/g, ',')} USDT`

/** Mean quote volume a day before a date, or the reason why the symbol cannot be chosen then. */
function judge(
  tables: readonly Daily[],
  listed: ListedSymbol | undefined,
  tsMs: TsMs,
  { lookbackDays, minQuoteVolumeUsd, minAgeDays }: SelectionRules,
): number | string {
  const from = tsMs - lookbackDays * DAY_MS
  let sum = 0n
  let days = 0
  let firstTsMs = listed?.onboardTsMs ?? Number.POSITIVE_INFINITY
  let lastClose: number | undefined
  let isFrozen = true
  for (const { columns, rowCount } of tables) {
    for (let row = 0; row < rowCount; row++) {
      firstTsMs = Math.min(firstTsMs, columns.openTsMs[row]!)
      if (columns.openTsMs[row]! < from || columns.closeTsMs[row]! >= tsMs) continue
      sum += bigAt(columns.quoteVolume, row)
      days++
      if (columns.count[row]! > 0) isFrozen = false
      lastClose = Math.max(lastClose ?? 0, columns.closeTsMs[row]!)
    }
  }
  const when = formatUtc(tsMs).slice(0, 10)
  if (days === 0) return `it has no bars in the ${lookbackDays} days before ${when}`
  if (isFrozen) return `its price stood still before ${when}: nobody traded it`
  // The last day has to be there: a symbol whose bars ended is gone.
  if (lastClose! < tsMs - DAY_MS) return `its bars ended before ${when}`
  const ageDays = Math.floor((tsMs - firstTsMs) / DAY_MS)
  if (ageDays < minAgeDays) return `it is ${ageDays} days old on ${when}, and ${minAgeDays} are asked for`
  const mean = Number(sum) / 1e8 / days
  return mean < minQuoteVolumeUsd
    ? `it turns over ${usd(mean)} a day, and ${usd(minQuoteVolumeUsd)} are asked for`
    : mean
}

/** What is known of a contract. A list of today may mean another one by the same name: names are given anew. */
function described(
  symbol: string,
  tables: readonly Daily[],
  listed: ListedSymbol | undefined,
  { minNotional, datesTsMs }: SelectionRules,
): ListedSymbol {
  const columns = tables.map((table) => closedBefore(table, datesTsMs.at(-1)!))
  const onboardTsMs = columns.reduce(
    (first, { openTsMs }) => Math.min(first, openTsMs[0] ?? first),
    Number.POSITIVE_INFINITY,
  )
  // A bar opens on the day, and the listing may say a later hour of it.
  if (listed !== undefined && listed.onboardTsMs < onboardTsMs + DAY_MS) return { ...listed, rulesFrom: 'snapshot' }
  const prices = columns.flatMap(({ open, high, low, close }) => [open, high, low, close])
  const inferred = inferRules(
    prices,
    columns.map(({ volume }) => volume),
  )
  if (inferred === undefined) {
    throw new Fault({
      code: 'failed',
      what: 'its tick and step cannot be told from its data',
      where: symbol,
      todo: 'put it on the deny list',
    })
  }
  return { symbol, ...inferred, minNotional, rulesFrom: 'inferred', onboardTsMs }
}

/** What nobody could have known at the last date tells nothing, of rules as of members. */
function closedBefore({ columns, rowCount }: Daily, tsMs: TsMs) {
  const rows = Array.from({ length: rowCount }, (_, row) => row).filter((row) => columns.closeTsMs[row]! < tsMs)
  const prices = (column: BigInt64Array) => BigInt64Array.from(rows, (row) => column[row]!)
  const { open, high, low, close, openTsMs, volume } = columns
  return {
    openTsMs: Float64Array.from(rows, (row) => openTsMs[row]!),
    open: prices(open),
    high: prices(high),
    low: prices(low),
    close: prices(close),
    volume: pickBigs(volume, rows),
  }
}
