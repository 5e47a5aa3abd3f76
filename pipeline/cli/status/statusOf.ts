import { type Coverage, coverageOf } from '../../../lib/market/coverage/coverage.ts'
import { formatUtc } from '../../../lib/time.ts'
import { globMatcher } from '../../engine/walk/glob.ts'
import type { Store } from '../context.ts'
import { holdingsOf } from './holdings.ts'
import type { LastPlan } from './lastPlans.ts'

/** How complete the data of one pipeline are. */
export interface StatusOf {
  readonly pipeline: string
  readonly run: string
  readonly outcome: string
  /** What the run looked from, and the venue's present as the plan knew it. */
  readonly asOfMs: number
  readonly nowTsMs: number
  readonly series: readonly Coverage[]
}

export function statusOf(store: Store, last: LastPlan, symbols: readonly string[]): StatusOf {
  const { pipeline, run, outcome, asOfMs, plan } = last
  const params = (last.params ?? {}) as { fromTsMs?: number; toTsMs?: number; hasApi?: boolean }
  const isWanted = symbols.length === 0 ? () => true : globMatcher(symbols)
  const kept = Object.fromEntries(
    Object.entries(plan).map(([name, parts]) => [
      name,
      Array.isArray(parts) ? parts.filter(({ symbol }) => isWanted(symbol, symbol)) : parts,
    ]),
  ) as LastPlan['plan']
  const wished = {
    fromTsMs: params.fromTsMs ?? Number.POSITIVE_INFINITY,
    toTsMs: params.toTsMs ?? Number.NEGATIVE_INFINITY,
    hasApi: params.hasApi ?? true,
  }
  const series = coverageOf(kept, wished, holdingsOf(store, last))
  return { pipeline, run, outcome, asOfMs, nowTsMs: plan.nowTsMs, series }
}

/** Whether anything is missing that a run may fetch. */
export const hasWork = ({ series }: StatusOf): boolean =>
  series.some(({ gaps }) => gaps.some(({ why }) => why === 'notFetched' || why === 'failed'))

export function statusJson(status: StatusOf): object {
  const { pipeline, run, outcome, asOfMs, nowTsMs, series } = status
  return {
    pipeline,
    run,
    outcome,
    asOf: formatUtc(asOfMs),
    dataAsOf: formatUtc(nowTsMs),
    hasWork: hasWork(status),
    series: series.map(({ gaps, interval, months, ...one }) => ({
      ...one,
      interval: interval ?? null,
      months: months.map(({ worst, ...month }) => ({ ...month, worst: worst ?? null })),
      gaps: gaps.map(({ fromTsMs, toTsMs, rows, why, note }) => ({
        from: formatUtc(fromTsMs),
        to: formatUtc(toTsMs),
        rows: rows ?? null,
        why,
        note: note ?? null,
      })),
    })),
  }
}
