import { Fault } from '../fault.ts'
import type { fundingTable } from '../tables/funding.ts'
import type { TableOf } from '../tables/table.ts'
import { formatUtc, HOUR_MS } from '../time.ts'

/** Settlements of one symbol at the instants they were due, ascending. */
export interface Settlements {
  readonly tsMs: Float64Array
  readonly rate: BigInt64Array
  /** Of the period it paid for; NaN where nothing tells. */
  readonly intervalHours: Float64Array
}

/** What is stored in whatever pieces, of one symbol. Where the venue does not say how long a period was, the distance to
 *  the settlement before does, up to the longest there is: a gap of a day is missing data and no long period. */
export function joinSettlements(tables: readonly TableOf<typeof fundingTable>[], symbol: string): Settlements {
  const rows = tables
    .filter(({ rowCount, columns }) => rowCount > 0 && columns.symbol[0] === symbol)
    .flatMap(({ columns }) =>
      Array.from(columns.settledTsMs, (tsMs, i) => ({
        tsMs,
        rate: columns.rate[i]!,
        hours: columns.intervalHours.valid[i] === 1 ? columns.intervalHours.values[i]! : Number.NaN,
      })),
    )
    .sort((a, b) => a.tsMs - b.tsMs)
  for (let i = 1; i < rows.length; i++) {
    if (rows[i]!.tsMs > rows[i - 1]!.tsMs) continue
    throw new Fault({ code: 'failed', what: `funding settles twice at ${formatUtc(rows[i]!.tsMs)}`, where: symbol })
  }
  return {
    tsMs: Float64Array.from(rows, ({ tsMs }) => tsMs),
    rate: BigInt64Array.from(rows, ({ rate }) => rate),
    intervalHours: Float64Array.from(rows, ({ hours, tsMs }, i) => {
      const sinceHours = i === 0 ? Number.NaN : (tsMs - rows[i - 1]!.tsMs) / HOUR_MS
      return Number.isNaN(hours) && sinceHours <= 8 ? sinceHours : hours
    }),
  }
}
