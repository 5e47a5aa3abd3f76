import { tableArtifact } from '../artifact.ts'
import { defineTable, f64, tsMs, utf8, wideDecimal } from './schema.ts'

/** Open interest as sampled. The stamp is the instant it was measured at, whichever end of its five minutes the venue
 *  names the row by: whoever reads the venue's file puts that right. */
export const openInterestTable = defineTable({
  name: 'openInterest',
  version: 2,
  columns: {
    symbol: utf8(),
    tsMs: tsMs(),
    openInterest: wideDecimal(8, { unit: 'base' }),
    /** A valuation and no amount of anything. */
    openInterestValue: f64({ unit: 'quote' }),
  },
  sortKey: ['symbol', 'tsMs'],
})
export const openInterest = tableArtifact(openInterestTable)
