import type { SlippageModel } from './config.ts'
import type { BarSeries } from './market.ts'

/** By how much a taker's fill is worse than the reference, in units of price and not rounded yet. The impact looks only
 *  at bars before `row`: the volume of the bar that fills is not known at its open. */
export function slippagePx(
  model: SlippageModel,
  order: { symbol: string; qty: number; referencePx: number; tickPx: number },
  bars: BarSeries,
  row: number,
): number {
  switch (model.model) {
    case 'fixedBps':
      return (order.referencePx * model.bps) / 1e4
    case 'halfSpread': {
      const spreadBps = model.bySymbol[order.symbol] ?? model.spreadBps
      return Math.max(order.tickPx, (order.referencePx * spreadBps) / 1e4) / 2
    }
    case 'sqrtImpact': {
      const { volatility, volumeQty } = recentBars(bars, row, model.lookbackBars)
      const share = volumeQty > 0 ? Math.abs(order.qty) / volumeQty : 1
      const impact = model.coefficient * volatility * Math.sqrt(share)
      return order.referencePx * Math.max(impact, model.minBps / 1e4)
    }
  }
}

/** Standard deviation of a bar's return (about zero) and mean volume, over the last bars before `row`. */
function recentBars(bars: BarSeries, row: number, lookback: number): { volatility: number; volumeQty: number } {
  const from = Math.max(1, row - lookback)
  let squares = 0
  let volume = 0
  for (let i = from; i < row; i++) {
    const change = bars.closePx[i]! / bars.closePx[i - 1]! - 1
    squares += change * change
    volume += bars.volumeQty[i]!
  }
  const count = row - from
  // Nothing is known on a symbol's first bars: assume a volatile, empty market rather than a free one.
  if (count < 1) return { volatility: 0.05, volumeQty: 0 }
  return { volatility: Math.sqrt(squares / count), volumeQty: volume / count }
}
