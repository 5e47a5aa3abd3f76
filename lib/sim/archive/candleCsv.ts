import { nextOpen } from '../../time.ts'
import type { Candles } from '../candleRows.ts'
import type { CandleFormats } from '../candles.ts'
import { NUMBER_BYTES_MOST, putInt, putNumber } from './digits.ts'
import type { TextWriter } from './textWriter.ts'

const COMMA = 44
const ZERO = 48
const NEWLINE = 10
const COLUMNS = 12
const ECHOES_A_ROW = 6

export const candleHeader =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n'

/** Rows of twelve columns. `factor` is 1000 where the file counts microseconds. */
export function writeCandles(out: TextWriter, candles: Candles, formats: CandleFormats, factor: number): void {
  const { rows, interval } = candles
  // One kind of array for all: a loop that meets several takes half as long again.
  const openTsMs = new Float64Array(candles.openTsMs)
  const open = new Float64Array(candles.open)
  const high = new Float64Array(candles.high)
  const low = new Float64Array(candles.low)
  const close = new Float64Array(candles.close)
  const count = new Float64Array(candles.count)
  const flow = candles.flow && {
    lots: new Float64Array(candles.flow.lots),
    quote: new Float64Array(candles.flow.quote),
    buyLots: new Float64Array(candles.flow.buyLots),
    buyQuote: new Float64Array(candles.flow.buyQuote),
  }
  const { price, lots, quote } = formats
  const fixedStep = interval === '1M' ? 0 : nextOpen(0, interval)
  const room = out.room(rows * COLUMNS * NUMBER_BYTES_MOST, rows * ECHOES_A_ROW * 2)
  const { view, echoes } = room
  let { at, echoCount } = room
  // Where the row above has its last price, the time of its close, and what follows.
  let closeAbove = at
  let timeAbove = at
  let tailAbove = at
  for (let row = 0; row < rows; row++) {
    const ts = openTsMs[row]!
    at = putInt(view, at, ts * factor)
    const openAt = at
    view.setUint8(at++, COMMA)
    at = putNumber(view, at, open[row]!, price)
    const highAt = at
    view.setUint8(at++, COMMA)
    at = putNumber(view, at, high[row]!, price)
    const lowAt = at
    view.setUint8(at++, COMMA)
    at = putNumber(view, at, low[row]!, price)
    const closeAt = at
    view.setUint8(at++, COMMA)
    at = putNumber(view, at, close[row]!, price)
    view.setUint8(at++, COMMA)
    at = flow === undefined ? putInt(view, at, 0) : putNumber(view, at, flow.lots[row]!, lots)
    const timeAt = at
    view.setUint8(at++, COMMA)
    at = putInt(view, at, (fixedStep === 0 ? nextOpen(ts, interval) : ts + fixedStep) * factor - 1)
    let tailAt = at
    view.setUint8(at++, COMMA)
    at = flow === undefined ? putInt(view, at, 0) : putNumber(view, at, flow.quote[row]!, quote)
    view.setUint8(at++, COMMA)
    at = putInt(view, at, count[row]!)
    view.setUint8(at++, COMMA)
    if (flow === undefined) {
      tailAt -= 4 // the 9999 of the time of close
      at = putInt(view, at, 0)
      view.setUint8(at++, COMMA)
      at = putInt(view, at, 0)
    } else {
      at = putNumber(view, at, flow.buyLots[row]!, lots)
      view.setUint8(at++, COMMA)
      at = putNumber(view, at, flow.buyQuote[row]!, quote)
      tailAt = at
    }
    view.setUint8(at++, COMMA)
    view.setUint8(at++, ZERO)
    view.setUint8(at++, NEWLINE)
    if (row > 0) {
      // A bar opens where the one above closed, or next to it; its prices are near each other. What is nearly the same in
      // all rows leads over into the time of the row below.
      echoes[echoCount] = openAt
      echoes[echoCount + 1] = closeAbove
      echoes[echoCount + 2] = highAt
      echoes[echoCount + 3] = openAt
      echoes[echoCount + 4] = lowAt
      echoes[echoCount + 5] = openAt
      echoes[echoCount + 6] = closeAt
      echoes[echoCount + 7] = highAt
      echoes[echoCount + 8] = timeAt
      echoes[echoCount + 9] = timeAbove
      echoes[echoCount + 10] = tailAt
      echoes[echoCount + 11] = tailAbove
      echoCount += 12
    }
    closeAbove = closeAt
    timeAbove = timeAt
    tailAbove = tailAt
  }
  out.wrote({ view, at, echoes, echoCount })
}
