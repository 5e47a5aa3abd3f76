import { tableArtifact } from '../artifact.ts'
import { bool, decimal, defineTable, f64, i32, nullable, tsMs, utf8, wideDecimal } from './schema.ts'

const px = (doc: string) => nullable(decimal(8, 18, { unit: 'quote', doc }))

/**
 * One symbol's bars with all that was known of it when they closed. Every later task reads this table and nothing closer
 * to the venue. A bar the venue does not have is a missing row, and what is optional is null where it is absent: nothing
 * is filled forward in silence.
 *
 * With `close` the row's open plus one interval, which is when the row is known:
 *  - `state` is `traded` where count > 0, else `quiet`, and `outage` from the row on with which bars without a trade have
 *    lasted `outageMs`. A gap has no row.
 *  - `stalenessMs` = close - end of the last bar with a trade; one day where that is longer or none is known.
 *  - `indexDeviation` = |mark - index| / index.
 *  - `dataOk` = the bar is sound (0 < low <= open, close <= high; nothing traded is no volume and one price; takers bought
 *    no more than was traded) and `stalenessMs` <= `stalenessMaxMs` and not `indexDeviation` > `indexDeviationMax` and
 *    `lostTrades` = 0.
 */
export const minuteTable = defineTable({
  name: 'minute',
  version: 2,
  columns: {
    symbol: utf8(),
    openTsMs: tsMs({ doc: 'when the bar opens; the row is known one interval later' }),
    open: decimal(8, 18, { unit: 'quote' }),
    high: decimal(8, 18, { unit: 'quote' }),
    low: decimal(8, 18, { unit: 'quote' }),
    close: decimal(8, 18, { unit: 'quote' }),
    volume: wideDecimal(8, { unit: 'base' }),
    quoteVolume: wideDecimal(8, { unit: 'quote' }),
    count: i32({ unit: 'trades' }),
    takerBuyVolume: wideDecimal(8, { unit: 'base' }),
    takerSellVolume: wideDecimal(8, { unit: 'base' }),
    takerBuyQuoteVolume: wideDecimal(8, { unit: 'quote' }),
    takerSellQuoteVolume: wideDecimal(8, { unit: 'quote' }),
    vwap: f64({ unit: 'quote', doc: 'quote volume over volume; missing where nothing traded' }),
    markOpen: px('mark price over the same bar'),
    markHigh: px('see markOpen'),
    markLow: px('see markOpen'),
    mark: px('mark price at the close'),
    index: px('index price at the close'),
    premium: nullable(decimal(8, 18, { doc: 'premium index at the close, as a share' })),
    basis: f64({ doc: 'mark / index - 1' }),
    fundingTsMs: nullable(tsMs({ doc: 'last settlement by the close, at most a day old, on the minute it was due' })),
    fundingRate: nullable(decimal(18, 18, { doc: 'the rate it settled at' })),
    fundingIntervalHours: nullable(i32({ unit: 'h', doc: 'the period it paid for' })),
    fundingEstimate: f64({ doc: "the venue's formula over the premiums of the running period up to the close" }),
    openInterest: nullable(wideDecimal(8, { unit: 'base', doc: 'last sample by the close that is young enough' })),
    openInterestAgeMs: f64({ unit: 'ms' }),
    spotQuoteVolume: nullable(wideDecimal(8, { unit: 'quote', doc: "of the coin's spot pair" })),
    spotTakerBuyQuoteVolume: nullable(wideDecimal(8, { unit: 'quote' })),
    state: utf8({ doc: 'traded, quiet or outage' }),
    stalenessMs: f64({ unit: 'ms' }),
    indexDeviation: f64(),
    lostTrades: i32({
      doc: 'of bars made of trades: what the venue counts more, or ids jumped over before a trade of it',
    }),
    differs: nullable(bool({ doc: 'true where a second source of bars says something else' })),
    dataOk: bool(),
  },
  sortKey: ['symbol', 'openTsMs'],
})
export const minute = tableArtifact(minuteTable)
