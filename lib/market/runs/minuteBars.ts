import type { BarSeries, MarkSeries } from '../../backtest/market.ts'
import { pow10 } from '../../backtest/scaled.ts'
import { lowerBound } from '../../minute/bars.ts'
import { int64Words } from '../../tables/columnChecks.ts'
import { minuteTable } from '../../tables/minute.ts'
import { pickColumns } from '../../tables/schema.ts'
import type { TableOf } from '../../tables/table.ts'
import { type BigInts, bigsToFloat64, cutBigs, isWide } from '../../tables/wideInts.ts'

/** What the backtest engine reads of the minutes: a third of the table's columns. */
export const barTable = pickColumns(minuteTable, [
  'symbol',
  'openTsMs',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'count',
  'markOpen',
  'markHigh',
  'markLow',
  'mark',
])
export type BarRows = TableOf<typeof barTable>

const storedDecimals = 8

/** One symbol's bars that open before `toMs`, out of pieces in whatever order. The pieces stay as they are: others read
 *  the same memory. */
export function barSeries(
  pieces: readonly BarRows[],
  digits: { readonly pxDecimals: number; readonly qtyDecimals: number },
  toMs: number,
): BarSeries {
  const parts = pieces
    .map(({ columns }) => ({ columns, rows: lowerBound(columns.openTsMs, toMs) }))
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => a.columns.openTsMs[0]! - b.columns.openTsMs[0]!)
  const rowCount = parts.reduce((sum, { rows }) => sum + rows, 0)
  type Fill = (columns: BarRows['columns'], rows: number, all: Float64Array, at: number) => void
  const joined = (fill: Fill): Float64Array => {
    const all = new Float64Array(rowCount)
    let at = 0
    for (const { columns, rows } of parts) {
      fill(columns, rows, all, at)
      at += rows
    }
    return all
  }
  const { pxDecimals, qtyDecimals } = digits
  const px = (name: 'open' | 'high' | 'low' | 'close') =>
    joined((columns, rows, all, at) => fillUnits(columns[name], rows, pxDecimals, all, at))
  const markPx = (name: 'markOpen' | 'markHigh' | 'markLow' | 'mark') =>
    joined((columns, rows, all, at) => {
      const { values, valid } = columns[name]
      fillUnits(values, rows, pxDecimals, all, at)
      // Bytes are searched at once; where every mark is there, as nearly always, no row has to be looked at.
      for (let row = valid.indexOf(0); row >= 0 && row < rows; row = valid.indexOf(0, row + 1)) {
        all[at + row] = Number.NaN
      }
    })
  const hasMark = parts.some(({ columns, rows }) => columns.mark.valid.subarray(0, rows).includes(1))
  const mark = (): MarkSeries => ({
    openPx: markPx('markOpen'),
    highPx: markPx('markHigh'),
    lowPx: markPx('markLow'),
    closePx: markPx('mark'),
  })
  return {
    openTsMs: joined((columns, rows, all, at) => all.set(columns.openTsMs.subarray(0, rows), at)),
    openPx: px('open'),
    highPx: px('high'),
    lowPx: px('low'),
    closePx: px('close'),
    volumeQty: joined((columns, rows, all, at) => fillUnits(columns.volume, rows, qtyDecimals, all, at)),
    tradeCount: joined((columns, rows, all, at) => all.set(columns.count.subarray(0, rows), at)),
    ...(hasMark ? { mark: mark() } : {}),
  }
}

/** The bars whose prices can be right, and how many were left out. What QA calls unsound it masks; a bar at price zero or
 *  with its high below its low cannot even be marked at. */
export function withoutUnsound(bars: BarSeries): { bars: BarSeries; leftOut: number } {
  const { openTsMs, openPx, highPx, lowPx, closePx } = bars
  const isSound = (row: number) =>
    openPx[row]! > 0 && lowPx[row]! > 0 && highPx[row]! >= lowPx[row]! && closePx[row]! > 0
  let leftOut = 0
  for (let row = 0; row < openTsMs.length; row++) if (!isSound(row)) leftOut++
  if (leftOut === 0) return { bars, leftOut }
  const rows = Array.from(openTsMs.keys()).filter(isSound)
  const pick = (values: ArrayLike<number>) => Float64Array.from(rows, (row) => values[row]!)
  const { mark } = bars
  const sound: BarSeries = {
    openTsMs: pick(openTsMs),
    openPx: pick(openPx),
    highPx: pick(highPx),
    lowPx: pick(lowPx),
    closePx: pick(closePx),
    volumeQty: pick(bars.volumeQty),
    tradeCount: pick(bars.tradeCount),
    ...(mark === undefined
      ? {}
      : {
          mark: {
            openPx: pick(mark.openPx),
            highPx: pick(mark.highPx),
            lowPx: pick(mark.lowPx),
            closePx: pick(mark.closePx),
          },
        }),
  }
  return { bars: sound, leftOut }
}

/** Stored decimals as whole units of an instrument, into rows `at` and following. */
function fillUnits(stored: BigInts, rows: number, decimals: number, target: Float64Array, at: number): void {
  const scale = pow10(storedDecimals - decimals)
  if (isWide(stored)) {
    const units = bigsToFloat64(cutBigs(stored, 0, rows))
    for (let row = 0; row < rows; row++) target[at + row] = scale === 1 ? units[row]! : Math.round(units[row]! / scale)
    return
  }
  const words = int64Words(stored)
  // Whole numbers over a power of ten: one correctly rounded division, exact wherever the instrument's grid holds it.
  for (let row = 0; row < rows; row++) {
    const units = words[2 * row + 1]! * 4294967296 + (words[2 * row]! >>> 0)
    target[at + row] = scale === 1 ? units : Math.round(units / scale)
  }
}

function unitsOf(stored: BigInt64Array, decimals: number): Float64Array {
  const units = new Float64Array(stored.length)
  fillUnits(stored, stored.length, decimals, units, 0)
  return units
}

/** The same where some are absent: NaN. */
export function presentUnits(
  { values, valid }: { readonly values: BigInt64Array; readonly valid: Uint8Array },
  decimals: number,
): Float64Array {
  const units = unitsOf(values, decimals)
  for (let row = 0; row < units.length; row++) if (valid[row] === 0) units[row] = Number.NaN
  return units
}
