import { formatScaled } from '../../decimal.ts'
import { createRng } from '../../rng.ts'
import { DAY_MS, dayStart, formatUtc, type TsMs } from '../../time.ts'
import type { Instrument } from '../instrument.ts'
import type { Market } from '../market.ts'
import { FIVE_MINUTES_MS, openInterestLots, openInterestValue, ratiosAt, ratioText, takerLots } from '../positions.ts'
import type { TextWriter } from './textWriter.ts'

/** From here on a row is named by the start of its five minutes, before by their end. */
export const metricsStartLabelFrom = dayStart('2026-06-25')

const metricsHeader =
  'create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,count_long_short_ratio,sum_taker_long_short_vol_ratio\n'

/** The day's 288 rows, labelled as the venue did at that time, in the venue's order: not quite by time. */
export function writeMetrics(writer: TextWriter, market: Market, instrument: Instrument, dayTsMs: TsMs): void {
  writer.text(metricsHeader)
  const byStart = dayTsMs >= metricsStartLabelFrom
  const rows: string[] = []
  const { symbol, onboardTsMs, delistTsMs } = instrument.spec
  for (let step = 0; step < DAY_MS / FIVE_MINUTES_MS; step++) {
    const fromTsMs = dayTsMs + step * FIVE_MINUTES_MS
    const toTsMs = fromTsMs + FIVE_MINUTES_MS
    if (fromTsMs < onboardTsMs || toTsMs > Math.min(delistTsMs ?? toTsMs, market.nowTsMs)) continue
    const lots = openInterestLots(market, instrument, toTsMs)
    const ratios = ratiosAt(market, instrument, toTsMs)
    const taker = takerLots(market, instrument, fromTsMs, toTsMs)
    const stamp = formatUtc(byStart ? fromTsMs : toTsMs)
    rows.push(
      [
        `${stamp.slice(0, 10)} ${stamp.slice(11, 19)}`,
        symbol,
        formatScaled(lots * instrument.lotUnit, instrument.qtyDecimals),
        openInterestValue(market, instrument, lots, toTsMs),
        formatScaled(ratios.topAccounts, 8),
        formatScaled(ratios.topPositions, 8),
        formatScaled(ratios.allAccounts, 8),
        ratioText(taker.buy, taker.sell, 8),
      ].join(','),
    )
  }
  const rng = createRng(market.config.seed, 'metrics order', symbol, dayTsMs)
  for (let i = 0; i + 1 < rows.length; i++) {
    if (rng.below(8) === 0) [rows[i], rows[i + 1]] = [rows[i + 1]!, rows[i]!]
  }
  for (const row of rows) writer.text(`${row}\n`)
}
