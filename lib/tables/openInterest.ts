import { tableArtifact } from '../artifact.ts'
import { decimal, defineTable, f64, tsMs, utf8 } from './schema.ts'

/** Open interest as sampled. The stamp is the instant it was measured at, whichever end of its five minutes the venue
 *  names the row by: whoever reads the venue's file puts that right. */
export const openInterestTable = defineTable({
  name: 'openInterest',
  version: 1,
  columns: {
    symbol: utf8(),
    tsMs: tsMs(),
    openInterest: decimal(8, 18, { unit: 'base' }),
    /** A valuation: that of the largest contract outgrows a decimal of 18 digits with eight behind the point. */
    openInterestValue: f64({ unit: 'quote' }),
  },
  sortKey: ['symbol', 'tsMs'],
})
export const openInterest = tableArtifact(openInterestTable)
