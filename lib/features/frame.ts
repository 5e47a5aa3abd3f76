import assert from 'node:assert/strict'

/** One symbol's minutes on a dense grid: row i opens at startTsMs + i * intervalMs and is known one interval later. A
 *  minute that is missing is a row of NaN. */
export interface Frame {
  readonly symbol: string
  readonly intervalMs: number
  readonly startTsMs: number
  readonly rows: number
  readonly columns: Readonly<Record<string, Float64Array>>
  readonly series: Readonly<Record<string, Series>>
}

/** What happens beside the grid, such as funding settlements: entries in rising order of when they were known. */
export interface Series {
  readonly knownAtMs: Float64Array
  readonly fields: Readonly<Record<string, Float64Array>>
}

/** Rows with their stamps, laid on the dense grid from `startTsMs` on. Rows off the grid are a fault of the caller. */
export function onGrid(
  rows: { openTsMs: Float64Array; columns: Readonly<Record<string, Float64Array>> },
  grid: { startTsMs: number; intervalMs: number; rows: number },
): Record<string, Float64Array> {
  const result: Record<string, Float64Array> = {}
  for (const name of Object.keys(rows.columns)) result[name] = new Float64Array(grid.rows).fill(NaN)
  for (let i = 0; i < rows.openTsMs.length; i++) {
    const place = (rows.openTsMs[i]! - grid.startTsMs) / grid.intervalMs
    assert.ok(Number.isInteger(place), `row ${i} opens off the grid`)
    if (place < 0 || place >= grid.rows) continue
    for (const name of Object.keys(rows.columns)) result[name]![place] = rows.columns[name]![i]!
  }
  return result
}

/** Settlements as a series: the rate, the hours since the settlement before it (the interval it paid for) and the rate
 *  as if paid each 8 hours, so that symbols with 1h, 4h and 8h intervals compare. Stamps must be snapped already. */
export function fundingSeries(settlements: {
  tsMs: Float64Array
  rate: Float64Array
  /** Where the venue says the interval, it is believed; else the distance to the settlement before counts. */
  intervalHours?: Float64Array
}): Series {
  const { tsMs, rate } = settlements
  const intervalHours = new Float64Array(tsMs.length)
  for (let i = 0; i < tsMs.length; i++) {
    const said = settlements.intervalHours?.[i] ?? NaN
    const since = i === 0 ? NaN : (tsMs[i]! - tsMs[i - 1]!) / 3_600_000
    // A gap of a day is missing data, not a long interval.
    intervalHours[i] = said > 0 ? said : since <= 8 ? since : NaN
  }
  const rate8h = rate.map((value, i) => (value * 8) / intervalHours[i]!)
  return { knownAtMs: tsMs, fields: { rate, intervalHours, rate8h } }
}
