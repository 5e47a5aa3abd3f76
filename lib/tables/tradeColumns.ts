import { bool, type Columns, decimal, i64 } from './schema.ts'

// What trades of every market have in common; they differ in how finely the venue stamps them.

const price = decimal(8, 18, { unit: 'quote' })
const qty = decimal(8, 18, { unit: 'base' })
const isBuyerMaker = bool({ doc: 'true: the taker sold' })

/** What a file of single trades says besides: price times quantity. */
export const quoteQty = decimal(8, 18, { unit: 'quote' })

// @__NO_SIDE_EFFECTS__
export const singleTrade = <const T extends Columns>(time: T) => ({
  tradeId: i64({ doc: "the venue's own, rising by one" }),
  price,
  qty,
  ...time,
  isBuyerMaker,
})

// @__NO_SIDE_EFFECTS__
export const aggregateTrade = <const T extends Columns>(time: T) => ({
  aggTradeId: i64(),
  price,
  qty,
  firstTradeId: i64(),
  lastTradeId: i64(),
  ...time,
  isBuyerMaker,
})
