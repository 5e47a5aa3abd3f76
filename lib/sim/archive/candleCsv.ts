import { nextOpen } from '../../time.ts'
import type { Candles } from '../candleRows.ts'
import type { CandleFormats } from '../candles.ts'
import type { TextWriter } from './textWriter.ts'

const COMMA = 44

export const candleHeader =
  'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n'

/** Rows of twelve columns. `factor` is 1000 where the file counts microseconds. */
export function writeCandles(out: TextWriter, candles: Candles, formats: CandleFormats, factor: number): void {
  const { rows, interval, openTsMs, open, high, low, close, count, flow } = candles
  const { price, lots, quote } = formats
  const fixedStep = interval === '1M' ? 0 : nextOpen(0, interval)
  for (let row = 0; row < rows; row++) {
    const ts = openTsMs[row]!
    out.int(ts * factor)
    out.byte(COMMA)
    out.number(open[row]!, price)
    out.byte(COMMA)
    out.number(high[row]!, price)
    out.byte(COMMA)
    out.number(low[row]!, price)
    out.byte(COMMA)
    out.number(close[row]!, price)
    out.byte(COMMA)
    if (flow === undefined) out.byte(48)
    else out.number(flow.lots[row]!, lots)
    out.byte(COMMA)
    out.int((fixedStep === 0 ? nextOpen(ts, interval) : ts + fixedStep) * factor - 1)
    out.byte(COMMA)
    if (flow === undefined) out.byte(48)
    else out.number(flow.quote[row]!, quote)
    out.byte(COMMA)
    out.int(count[row]!)
    out.byte(COMMA)
    if (flow === undefined) {
      out.text('0,0,0\n')
      continue
    }
    out.number(flow.buyLots[row]!, lots)
    out.byte(COMMA)
    out.number(flow.buyQuote[row]!, quote)
    out.text(',0\n')
  }
}
