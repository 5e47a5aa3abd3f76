import { createRng } from '../rng.ts'
import type { BacktestConfig } from './config.ts'
import { durationMs } from './duration.ts'
import { type BacktestResult, runBacktest } from './engine.ts'
import { foretellingColumns } from './foretelling.ts'
import { recordingIntents } from './intents.ts'
import {
  type Difference,
  type FutureChoice,
  firstDifference,
  type MarketPart,
  marketParts,
  otherMarket,
  withOtherFuture,
} from './lookahead.ts'
import type { MarketInput } from './market.ts'
import type { Strategy } from './strategy.ts'

/**
 * What a strategy was caught at:
 *  - `looksAhead`: with another future it decided otherwise before that future began;
 *  - `remembers`: on the same data it decided otherwise when run again, so something outlives a run;
 *  - `bringsData`: on prices drawn wholly anew it took the same sides at the same instants, so it decides by what it brings
 *    along, be it a table of prices in its file or the calendar;
 *  - `columnForetells`: a column it declares goes along with returns that come after it was known, as nothing honest does.
 */
export interface StrategyLeak {
  readonly kind: 'looksAhead' | 'remembers' | 'bringsData' | 'columnForetells'
  /** The first instant at which it shows. */
  readonly tsMs: number
  /** Everything known after this instant was drawn anew. */
  readonly cutTsMs: number
  readonly symbol?: string
  /** The part of the market, or the declared column, whose future it knew. */
  readonly column?: string
  readonly says: string
}

export interface StrategyCheck {
  readonly cutsTsMs: readonly number[]
  readonly decisions: number
  readonly fills: number
  readonly leaks: readonly StrategyLeak[]
}

/** Tries a strategy against the future it must not know, on the data it is used on. It cannot prove that there is no leak:
 *  it tries `cuts` instants of decision, drawn from the seed, and stops at the first leak of each kind. */
export function checkStrategy<Params, State>(
  request: {
    readonly market: MarketInput
    readonly strategy: Strategy<Params, State>
    readonly params: Params
    readonly config: BacktestConfig
    readonly fromMs: number
    readonly toMs: number
  },
  options: { readonly cuts: number; readonly seed: string; readonly allowsCalendar: boolean },
): StrategyCheck {
  const { market, strategy, fromMs, toMs, config } = request
  const run = (input: MarketInput, changes: { toMs?: number; config?: BacktestConfig } = {}) =>
    runBacktest({ ...request, market: input, ...changes })
  const base = run(market)
  const cutsTsMs = cutsOf(fromMs, toMs, durationMs(strategy.decisionEvery), options)
  const leaks: StrategyLeak[] = []

  const again = firstDifference(base, run(market), toMs)
  if (again !== undefined) {
    const says = `run again on the same data it decides otherwise: ${again.what}`
    leaks.push({ kind: 'remembers', ...placeOf(again), cutTsMs: toMs, says })
  } else {
    // A strategy that is another one in each run would fail these two as well, and neither would tell anything.
    leaks.push(...aheadOf(base, cutsTsMs))
    if (!options.allowsCalendar) leaks.push(...broughtAlong())
  }
  leaks.push(
    ...foretellingColumns(market).map(
      ({ column, symbol, bars, correlation }): StrategyLeak => ({
        kind: 'columnForetells',
        column,
        symbol,
        tsMs: fromMs,
        cutTsMs: toMs,
        says: `its rank correlation with the return of the next ${bars} bars is ${correlation.toFixed(2)}`,
      }),
    ),
  )
  return { cutsTsMs, decisions: base.counts.decisions, fills: base.fills.rows, leaks }

  function aheadOf(known: BacktestResult, cuts: readonly number[]): StrategyLeak[] {
    for (const cutTsMs of cuts) {
      const differs = (choice: FutureChoice, draw = 0): Difference | undefined => {
        const other = withOtherFuture(market, cutTsMs, createRng(options.seed, 'future', cutTsMs, draw), choice)
        return firstDifference(known, run(other, { toMs: Math.min(toMs, cutTsMs + market.intervalMs) }), cutTsMs)
      }
      const found = differs({})
      if (found === undefined) continue
      const part = partOf(differs)
      const symbol = symbolOf(differs, typeof part === 'object' ? [part] : undefined)
      const column = part === undefined ? undefined : typeof part === 'object' ? part.column : part
      return [
        {
          kind: 'looksAhead',
          tsMs: found.tsMs,
          ...(symbol === undefined ? {} : { symbol }),
          ...(column === undefined ? {} : { column }),
          cutTsMs,
          says: `with another future it decides otherwise${found.symbol === undefined ? '' : ` on ${found.symbol}`}: ${found.what}`,
        },
      ]
    }
    return []
  }

  /** Whose future it is: the first part that makes the difference by itself, in one of a few draws. */
  function partOf(differs: Differs): MarketPart | undefined {
    const columns = (strategy.columns ?? []).map((column) => ({ column }))
    return [...columns, ...marketParts].find((part) =>
      [1, 2, 3, 4].some((draw) => differs({ parts: [part] }, draw) !== undefined),
    )
  }

  /** Halves the symbols while one half makes the difference by itself. A price alone moves too little to be sure of it:
   *  unless it is a column, the whole future of a symbol is drawn anew. */
  function symbolOf(differs: Differs, parts: readonly MarketPart[] | undefined): string | undefined {
    const whose = parts === undefined ? {} : { parts }
    let names = market.symbols.map(({ instrument }) => instrument.symbol)
    while (names.length > 1) {
      const middle = names.length >> 1
      const half = [names.slice(0, middle), names.slice(middle)].find((some) =>
        [1, 2, 3, 4].some((draw) => differs({ symbols: new Set(some), ...whose }, draw) !== undefined),
      )
      if (half === undefined) return undefined
      names = half
    }
    return names[0]
  }

  function broughtAlong(): StrategyLeak[] {
    const turnsOn = (input: MarketInput, changes: Partial<BacktestConfig> = {}): string[] => {
      const turns: string[] = []
      const recording = recordingIntents(strategy, turns)
      runBacktest({ ...request, market: input, strategy: recording, config: { ...config, ...changes } })
      return turns
    }
    const here = turnsOn(market)
    if (here.length < turnsMin) return []
    const other = otherMarket(market, createRng(options.seed, 'other market'))
    const there = new Set(turnsOn(other, { seed: config.seed + 1 }))
    const same = here.filter((turn) => there.has(turn)).length
    if (same < 0.9 * Math.max(here.length, there.size)) return []
    const says = `on wholly other prices it wants the same sides at the same instants, ${same} times of ${here.length}`
    return [{ kind: 'bringsData', tsMs: fromMs, cutTsMs: fromMs, says }]
  }
}

type Differs = (choice: FutureChoice, draw?: number) => Difference | undefined

/** Fewer changes of side than these may agree by chance, or be the one purchase of a buy and hold. */
const turnsMin = 10

const placeOf = ({ tsMs, symbol }: Difference) => ({ tsMs, ...(symbol === undefined ? {} : { symbol }) })

/** Instants of decision: what a strategy peeks at is most often the very next bar, and only a cut right there shows it. */
function cutsOf(
  fromMs: number,
  toMs: number,
  everyMs: number,
  { cuts, seed }: { cuts: number; seed: string },
): number[] {
  const rng = createRng(seed, 'cuts')
  const first = Math.ceil((fromMs + 1) / everyMs)
  const count = Math.max(1, Math.ceil(toMs / everyMs) - first)
  const chosen = Array.from({ length: cuts }, () => (first + rng.below(count)) * everyMs)
  return [...new Set(chosen)].sort((a, b) => a - b)
}
