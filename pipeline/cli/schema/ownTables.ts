import { equityTable, fillsTable } from '../../../lib/market/runs/backtestFiles.ts'
import { eventTable } from '../../../lib/tables/events.ts'
import { fundingTable } from '../../../lib/tables/funding.ts'
import { klineTable } from '../../../lib/tables/klines.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { openInterestTable } from '../../../lib/tables/openInterest.ts'
import { indexKlines, markKlines, premiumKlines } from '../../../lib/tables/priceKlines.ts'
import { defineTable, type TableSchema, tsMs } from '../../../lib/tables/schema.ts'
import { spotAggTradeTable, spotTradeTable } from '../../../lib/tables/spotTrades.ts'
import { takerVolumeTable } from '../../../lib/tables/takerVolume.ts'
import { aggTradeTable, tradeTable } from '../../../lib/tables/trades.ts'
import { venueMetricsTable } from '../../../lib/tables/venueMetrics.ts'

/** A table that tickpipe itself declares. */
export interface OwnTable {
  readonly schema: TableSchema
  /** The artifact type whose files hold it, where it is no table artifact itself. */
  readonly inside?: { readonly artifact: string; readonly file: string }
}

/** Instruments have digits of their own, so those of a stored file may be fewer. */
const digits = { cash: 8, px: 8, qty: 8 }

const featureTable = defineTable({
  name: 'features',
  version: 1,
  doc: 'The features of one group for one symbol: beside openTsMs a column of doubles for each feature, null where it has no value. A row is known one interval after openTsMs.',
  columns: { openTsMs: tsMs() },
  sortKey: ['openTsMs'],
})

export const ownTables: readonly OwnTable[] = [
  ...[
    aggTradeTable,
    eventTable,
    fundingTable,
    indexKlines.schema,
    klineTable,
    markKlines.schema,
    minuteTable,
    openInterestTable,
    premiumKlines.schema,
    spotAggTradeTable,
    spotTradeTable,
    takerVolumeTable,
    tradeTable,
    venueMetricsTable,
  ].map((schema) => ({ schema })),
  { schema: equityTable(digits), inside: { artifact: 'backtestRun', file: 'equity.parquet' } },
  { schema: fillsTable(digits), inside: { artifact: 'backtestRun', file: 'fills.parquet' } },
  { schema: featureTable, inside: { artifact: 'features', file: '<symbol>.parquet' } },
]
