import type { Finding, Mask, QaDay, QaReport } from '../tables/qa.ts'

/** The quality of one symbol over all its time: stretches and masks are whole again, wherever the reports were cut. */
export interface SymbolQuality {
  readonly symbol: string
  readonly policies: readonly QaReport['policy'][]
  readonly intervalMs: number
  readonly days: readonly QaDay[]
  /** In the order of their beginnings. */
  readonly findings: readonly Finding[]
  readonly masks: readonly Mask[]
}

/** One for each symbol, by name, out of reports of any pieces of time in any order. */
export function joinReports(reports: readonly QaReport[]): SymbolQuality[] {
  const bySymbol = new Map<string, QaReport[]>()
  for (const report of reports) bySymbol.set(report.symbol, [...(bySymbol.get(report.symbol) ?? []), report])
  return [...bySymbol]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([symbol, pieces]) => {
      const inOrder = pieces.toSorted((a, b) => a.fromMs - b.fromMs)
      return {
        symbol,
        policies: [...new Set(inOrder.map(({ policy }) => policy))],
        intervalMs: inOrder[0]!.intervalMs,
        days: inOrder.flatMap(({ days }) => days),
        findings: joinFindings(inOrder),
        masks: joinMasks(inOrder.flatMap(({ masks }) => masks)),
      }
    })
}

/** A stretch over a border is cut there in the report before it, and carried in the one after. */
function joinFindings(reports: readonly QaReport[]): Finding[] {
  const joined: Finding[] = []
  for (const { fromMs, intervalMs, days, carried } of reports) {
    for (const stretch of carried) {
      const cut = joined.findIndex(({ kind, toMs }) => kind === stretch.kind && toMs === fromMs)
      if (cut < 0) joined.push(stretch)
      else joined[cut] = continued(joined[cut]!, stretch, intervalMs)
    }
    joined.push(...days.flatMap(({ findings }) => findings))
  }
  return joined.sort((a, b) => a.fromMs - b.fromMs || (a.kind < b.kind ? -1 : 1))
}

function continued(before: Finding, after: Finding, intervalMs: number): Finding {
  const { worst } = before
  return {
    ...before,
    toMs: after.toMs,
    bars: before.bars + (after.toMs - before.toMs) / intervalMs,
    ...(worst === undefined ? {} : { worst: Math.max(worst, after.worst ?? worst) }),
  }
}

function joinMasks(masks: readonly Mask[]): Mask[] {
  const joined: Mask[] = []
  for (const mask of masks.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const at = joined.findIndex(({ action, toMs }) => action === mask.action && toMs === mask.fromMs)
    if (at < 0) {
      joined.push(mask)
      continue
    }
    const before = joined[at]!
    const because = [...new Set([...before.because, ...mask.because])].sort()
    joined[at] = { ...before, toMs: mask.toMs, because }
  }
  return joined
}
