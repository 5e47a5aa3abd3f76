import { daysBetween, type Interval, monthStart, nextMonth } from '../../../lib/time.ts'
import { fetchFundingMonth } from '../../../tasks/ingest/funding/fetchFundingMonth.ts'
import { ingestFunding } from '../../../tasks/ingest/funding/ingestFunding.ts'
import { fetchBars } from '../../../tasks/ingest/klines/fetchBars.ts'
import { ingestIndexKlines } from '../../../tasks/ingest/klines/ingestIndexKlines.ts'
import { ingestKlines } from '../../../tasks/ingest/klines/ingestKlines.ts'
import { ingestMarkKlines } from '../../../tasks/ingest/klines/ingestMarkKlines.ts'
import { ingestPremiumKlines } from '../../../tasks/ingest/klines/ingestPremiumKlines.ts'
import { fetchMetrics } from '../../../tasks/ingest/metrics/fetchMetrics.ts'
import { ingestOpenInterest } from '../../../tasks/ingest/openInterest/ingestOpenInterest.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'

type Kind = 'klines' | 'markPriceKlines' | 'indexPriceKlines' | 'premiumIndexKlines'

/** Tables of whole months out of the venue's archive, each placed when it is first asked for: two months of minutes share
 *  the archive of the month between them. */
export function monthlyArchives(graph: Graph, choice: { venue: 'sim' | 'binance'; interval: Interval }) {
  const { venue, interval } = choice
  const placed = new Map<string, NodeHandle>()
  const once = <H extends NodeHandle>(key: readonly string[], place: () => H): H => {
    const id = key.join(',')
    const known = placed.get(id)
    if (known !== undefined) return known as H
    const made = place()
    placed.set(id, made)
    return made
  }
  const rangeOf = (period: string) => ({ fromTsMs: monthStart(period), toTsMs: monthStart(nextMonth(period)) })
  const bars = (market: 'usdm' | 'spot', kind: Kind, symbol: string, period: string) => {
    const series = { market, kind, symbol, interval }
    const at = [market, kind, symbol, interval, period]
    const raw = once(['raw', ...at], () => graph.add(fetchBars, { at, params: { venue, ...series, period } }))
    return { at, params: { ...series, ...rangeOf(period) }, inputs: { raw: [raw] } }
  }
  const klines = (market: 'usdm' | 'spot', symbol: string, period: string) =>
    once(['klines', market, symbol, period], () => graph.add(ingestKlines, bars(market, 'klines', symbol, period)))
  return {
    klines: (symbol: string, period: string) => klines('usdm', symbol, period),
    /** The coin's pair on spot: contracts on a thousand of a coin are named so, and the coin is not. */
    spot: (symbol: string, period: string) => klines('spot', symbol.replace(/^1000/, ''), period),
    mark: (symbol: string, period: string) =>
      once(['mark', symbol, period], () =>
        graph.add(ingestMarkKlines, bars('usdm', 'markPriceKlines', symbol, period)),
      ),
    index: (symbol: string, period: string) =>
      once(['index', symbol, period], () =>
        graph.add(ingestIndexKlines, bars('usdm', 'indexPriceKlines', symbol, period)),
      ),
    premium: (symbol: string, period: string) =>
      once(['premium', symbol, period], () =>
        graph.add(ingestPremiumKlines, bars('usdm', 'premiumIndexKlines', symbol, period)),
      ),
    /** The venue's statistics come by day. */
    openInterest: (symbol: string, period: string) =>
      once(['openInterest', symbol, period], () => {
        const { fromTsMs, toTsMs } = rangeOf(period)
        const metrics = daysBetween(fromTsMs, toTsMs).map((day) =>
          graph.add(fetchMetrics, { at: [symbol, day], params: { venue, symbol, period: day } }),
        )
        const params = { symbol, fromTsMs, toTsMs }
        return graph.add(ingestOpenInterest, { at: [symbol, period], params, inputs: { metrics } })
      }),
    funding: (symbol: string, period: string) =>
      once(['funding', symbol, period], () => {
        const at = [symbol, period]
        const raw = graph.add(fetchFundingMonth, { at, params: { venue, symbol, period } })
        return graph.add(ingestFunding, { at, params: { symbol, ...rangeOf(period) }, inputs: { raw: [raw] } })
      }),
  }
}
