import type { TsMs } from '../../time.ts'
import { formatsOf } from '../candles.ts'
import { MINUTES_A_DAY } from '../factorDay.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { orderMicros } from '../orderMicros.ts'
import type { TextWriter } from './textWriter.ts'

const COMMA = 44

export const tradeHeader = 'id,price,qty,quote_qty,time,is_buyer_maker\n'
export const aggTradeHeader = 'agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n'

/** A day of trades, or of the taker orders they belong to. */
export function writeTrades(
  writer: TextWriter,
  market: Market,
  instrument: Instrument,
  dayTsMs: TsMs,
  isAggregate: boolean,
  factor: number,
): void {
  const isSpot = instrument.spec.market === 'spot'
  const d = market.dayNumber(dayTsMs)
  if (d < 0) return
  const trades = market.trades(instrument, d, 0, MINUTES_A_DAY)
  const firstTrade = market.firstTradeId(instrument, d, 0)
  const firstOrder = isAggregate ? market.firstOrderId(instrument, d, 0) : 0
  const { price, lots, quote } = formatsOf(instrument, 'klines')
  const sell = isSpot ? 'True' : 'true'
  const buy = isSpot ? 'False' : 'false'
  const end = isSpot ? ',True\n' : '\n'
  const field = (value: number): void => {
    writer.int(value)
    writer.byte(COMMA)
  }
  const micros = factor === 1 ? undefined : orderMicros(market, instrument, d)
  let row = 0
  while (row < trades.rows) {
    let next = row + 1
    let qty = trades.qtyLots[row]!
    if (isAggregate) {
      while (next < trades.rows && trades.order[next] === trades.order[row]) qty += trades.qtyLots[next++]!
    }
    const px = trades.pxTicks[row]!
    field(isAggregate ? firstOrder + trades.order[row]! : firstTrade + row)
    writer.number(px, price)
    writer.byte(COMMA)
    writer.number(qty, lots)
    writer.byte(COMMA)
    if (isAggregate) {
      field(firstTrade + row)
      field(firstTrade + next - 1)
    } else {
      writer.number(px * qty, quote)
      writer.byte(COMMA)
    }
    // Trades of one taker order share their microsecond.
    field(trades.tsMs[row]! * factor + (micros?.[trades.order[row]!] ?? 0))
    writer.text(trades.buyerIsMaker[row] === 1 ? sell : buy)
    writer.text(end)
    row = next
  }
}
