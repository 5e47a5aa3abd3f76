import { tableArtifact } from '../artifact.ts'
import { decimal, defineTable, f64, nullable, tsMs, utf8, wideDecimal } from './schema.ts'

const ratio = (doc: string) => nullable(decimal(8, 18, { unit: 'long / short', doc }))

/** The venue's five-minute statistics. Rows are named by the start of their five minutes, whichever end the file used. */
export const venueMetricsTable = defineTable({
  name: 'venueMetrics',
  version: 2,
  columns: {
    symbol: utf8(),
    fromTsMs: tsMs({ doc: 'start of the five minutes; stocks are taken at their end, the taker ratio covers them' }),
    openInterest: nullable(wideDecimal(8, { unit: 'base' })),
    openInterestValue: f64({ unit: 'quote', doc: 'missing where it was not published' }),
    topAccountsRatio: ratio('by accounts, top traders'),
    topPositionsRatio: ratio('by positions, top traders'),
    allAccountsRatio: ratio('by accounts, everybody'),
    takerVolumeRatio: nullable(decimal(8, 18, { unit: 'buy / sell' })),
  },
  sortKey: ['symbol', 'fromTsMs'],
})
export const venueMetrics = tableArtifact(venueMetricsTable)
