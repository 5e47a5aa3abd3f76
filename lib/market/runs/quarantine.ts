import type { TimeSpan } from '../../backtest/market.ts'
import { Fault } from '../../fault.ts'
import type { QaDay, QaReport } from '../../tables/qa.ts'
import { DAY_MS, dayStart } from '../../time.ts'

/** When orders are to stay away from a symbol, in the order of time: masks of reports that follow each other are one where
 *  they meet. Under the policy `tag` there are no masks. */
export function quarantineSpans(reports: readonly QaReport[], symbol: string): TimeSpan[] {
  const masks = reports
    .filter((report) => report.symbol === symbol)
    .flatMap((report) => report.masks)
    .sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
  const spans: { fromMs: number; toMs: number }[] = []
  for (const { fromMs, toMs } of masks) {
    const last = spans.at(-1)
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs)
    else spans.push({ fromMs, toMs })
  }
  return spans
}

/** A day that QA rejected ends the run: whoever chose that policy wants no number that was made on such a day. */
export function assertNothingRejected(reports: readonly QaReport[], symbol: string, within: TimeSpan): void {
  for (const report of reports) {
    if (report.symbol !== symbol) continue
    for (const day of report.days) {
      const startMs = dayStart(day.day)
      if (day.status !== 'rejected' || startMs + DAY_MS <= within.fromMs || startMs >= within.toMs) continue
      throw new Fault({
        code: 'failed',
        what: `QA rejects ${day.day} of ${symbol}: ${badBars(day)}`,
        where: symbol,
        todo: 'choose days without it, leave the symbol out of the universe, or set the QA policy to "quarantine", which keeps orders away from such stretches instead',
        details: { symbol, day: day.day, metrics: day.metrics },
      })
    }
  }
}

function badBars({ metrics }: QaDay): string {
  const counts = [
    [metrics.missingBars, 'missing'],
    [metrics.outageBars, 'in an outage'],
    [metrics.unsoundBars, 'unsound'],
    [metrics.staleBars, 'stale'],
    [metrics.deviatingBars, 'far from the index'],
    [metrics.lostTrades, 'trades lost'],
  ] as const
  const said = counts.filter(([count]) => count > 0).map(([count, says]) => `${count} ${says}`)
  return `${said.join(', ')} (of ${metrics.expectedBars} bars)`
}
