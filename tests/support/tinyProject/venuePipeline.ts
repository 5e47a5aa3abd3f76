import { z } from 'zod'
import { monthStart, nextMonth } from '../../../lib/time.ts'
import { definePipeline } from '../../../pipeline/index.ts'
import { fetchFundingMonth } from '../../../tasks/ingest/funding/fetchFundingMonth.ts'
import { ingestFunding } from '../../../tasks/ingest/funding/ingestFunding.ts'
import { fetchBars } from '../../../tasks/ingest/klines/fetchBars.ts'
import { ingestKlines } from '../../../tasks/ingest/klines/ingestKlines.ts'

const config = z.object({
  venue: z.enum(['sim', 'binance']),
  symbols: z.array(z.string()),
  month: z.string(),
})

/** A month of hourly bars and of settlements, from whichever venue. */
export const venue = definePipeline('venue', config, (graph, { venue, symbols, month }) => {
  const range = { fromTsMs: monthStart(month), toTsMs: monthStart(nextMonth(month)) }
  const tables = symbols.flatMap((symbol) => {
    const series = { symbol, interval: '1h' as const }
    const at = [symbol, month]
    const raw = graph.add(fetchBars, { at, params: { venue, ...series, period: month } })
    const settled = graph.add(fetchFundingMonth, { at, params: { venue, symbol, period: month } })
    return [
      graph.add(ingestKlines, { at, params: { ...series, ...range }, inputs: { raw: [raw] } }),
      graph.add(ingestFunding, { at, params: { symbol, ...range }, inputs: { raw: [settled] } }),
    ]
  })
  graph.target('tables', ...tables)
})
