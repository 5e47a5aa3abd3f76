import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assessQuality, type QaLimits } from '../../../lib/qa/assess.ts'
import type { DenseMinutes } from '../../../lib/qa/denseMinutes.ts'
import { joinReports } from '../../../lib/qa/joinReports.ts'
import { DAY_MS, HOUR_MS } from '../../../lib/time.ts'

const startMs = Date.UTC(2024, 0, 1)
const warmupDays = 2
const limits: QaLimits = {
  policy: 'quarantine',
  stalenessMaxMs: 2 * HOUR_MS,
  indexDeviationMax: 0.05,
  outlierMultiple: 25,
  badShareMax: 0.05,
}

/** Hours from `fromDay - 2` to `toDay`: those named are missing, the others trade at 100. */
function hoursOf(fromDay: number, toDay: number, missing: ReadonlySet<number>): DenseMinutes {
  const firstHour = (fromDay - warmupDays) * 24
  const rows = toDay * 24 - firstHour
  const column = (there: number) =>
    Float64Array.from({ length: rows }, (_, i) =>
      missing.has(firstHour + i) || firstHour + i < 0 ? Number.NaN : there,
    )
  return {
    symbol: 'A',
    startTsMs: startMs + firstHour * HOUR_MS,
    intervalMs: HOUR_MS,
    rows,
    columns: {
      close: column(100),
      quoteVolume: column(1000),
      count: column(5),
      stalenessMs: column(0),
      indexDeviation: column(0),
      lostTrades: column(0),
    },
    isOutage: new Uint8Array(rows),
    dataOk: new Uint8Array(rows).fill(1),
    differs: new Uint8Array(rows),
  }
}

const reportOf = (fromDay: number, toDay: number, missing: ReadonlySet<number>) =>
  assessQuality(hoursOf(fromDay, toDay, missing), startMs + fromDay * DAY_MS, startMs + toDay * DAY_MS, limits)

describe('reports that are joined', () => {
  test('a stretch over the border of two reports is one, from its first bar to its last', () => {
    const missing = new Set([70, 71, 72, 73, 74]) // the third day ends with hour 71
    const [joined] = joinReports([reportOf(3, 6, missing), reportOf(0, 3, missing)])
    expect(joined!.findings).toEqual([
      {
        kind: 'gap',
        fromMs: startMs + 70 * HOUR_MS,
        toMs: startMs + 75 * HOUR_MS,
        knownAtMs: startMs + 71 * HOUR_MS,
        bars: 5,
      },
    ])
    expect(joined!.masks).toHaveLength(1)
  })

  test('a stretch is told in full though it began before the first report', () => {
    const [joined] = joinReports([reportOf(3, 6, new Set([70, 71, 72]))])
    expect(joined!.findings).toMatchObject([{ fromMs: startMs + 70 * HOUR_MS, toMs: startMs + 73 * HOUR_MS }])
  })

  // Shorter than the warm-up, which is as far as a report looks back.
  test('are what one report of all the time says, wherever they are cut and in whatever order they come', () => {
    const gaps = fc.array(fc.tuple(fc.integer({ min: 1, max: 230 }), fc.integer({ min: 1, max: 11 })), { maxLength: 4 })
    fc.assert(
      fc.property(
        gaps,
        fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }),
        fc.boolean(),
        (spans, cuts, turned) => {
          const missing = new Set(spans.flatMap(([from, length]) => Array.from({ length }, (_, i) => from + i)))
          const borders = [0, ...cuts.sort((a, b) => a - b), 10]
          const pieces = borders.slice(1).map((to, i) => reportOf(borders[i]!, to, missing))
          const [whole] = joinReports([reportOf(0, 10, missing)])
          const [joined] = joinReports(turned ? pieces.toReversed() : pieces)
          expect(joined!.findings).toEqual(whole!.findings)
          expect(joined!.masks).toEqual(whole!.masks)
        },
      ),
      { seed: 5, numRuns: 300 },
    )
  })
})
