import type { Finding, QaReport } from '../../../../lib/tables/qa.ts'
import { DAY_MS, dayOf, HOUR_MS, MINUTE_MS } from '../../../../lib/time.ts'

export const qualityStartMs = Date.UTC(2024, 0, 1)

/** Reports of some symbols: an outage that all share on the second day, and outliers of their own. */
export function sampleQuality({ symbols = ['AUSDT', 'BUSDT', 'CUSDT'], days = 40, multiple = 30.25 } = {}): QaReport[] {
  return symbols.map((symbol, s) => ({
    symbol,
    policy: 'quarantine',
    intervalMs: MINUTE_MS,
    fromMs: qualityStartMs,
    toMs: qualityStartMs + days * DAY_MS,
    carried: [],
    days: Array.from({ length: days }, (_, i) => dayOfSample(i, s, multiple)),
    masks: [
      {
        fromMs: qualityStartMs + DAY_MS + MINUTE_MS,
        toMs: qualityStartMs + DAY_MS + HOUR_MS + MINUTE_MS,
        action: 'quarantine',
        because: ['outage'],
      },
    ],
  }))
}

function dayOfSample(i: number, s: number, worst: number): QaReport['days'][number] {
  const fromMs = qualityStartMs + i * DAY_MS
  const stretch = (kind: Finding['kind'], toMs: number, more: Partial<Finding> = {}): Finding => ({
    kind,
    fromMs,
    toMs,
    knownAtMs: fromMs + MINUTE_MS,
    bars: (toMs - fromMs) / MINUTE_MS,
    ...more,
  })
  const isOutage = i === 1
  const isOutlier = i % 7 === s + 3
  return {
    day: dayOf(fromMs),
    knownAtMs: fromMs + DAY_MS,
    status: isOutage ? 'quarantined' : isOutlier ? 'tagged' : 'ok',
    metrics: {
      expectedBars: 1440,
      presentBars: 1440,
      missingBars: 0,
      quietBars: i % 3,
      outageBars: isOutage ? 60 : 0,
      unsoundBars: 0,
      staleBars: 0,
      deviatingBars: 0,
      lostTrades: 0,
      differingBars: 0,
      outlierBars: isOutlier ? 1 : 0,
      maskedBars: isOutage ? 60 : 0,
      quoteVolume: 1e6 + i,
    },
    findings: [
      ...(isOutage ? [stretch('outage', fromMs + HOUR_MS)] : []),
      ...(isOutlier ? [stretch('returnOutlier', fromMs + MINUTE_MS, { worst })] : []),
    ],
  }
}
