import type { BacktestConfig } from '../../../../lib/backtest/config.ts'
import type { Bar, Holding } from './account.ts'
import { rateOf } from './account.ts'
import type { Fraction } from './exact.ts'
import { abs, ceil, decimal, floor, isLess, max, min, plus, times, whole } from './exact.ts'
import type { Order } from './story.ts'

/** By how much a taker pays more than the reference, not rounded yet. Only the impact knows a root, and so floats. */
function slippedBy({ slippage }: BacktestConfig, h: Holding, bar: Bar, reference: bigint, qty: bigint): Fraction {
  const at = whole(reference)
  if (slippage.model === 'fixedBps') return times(at, rateOf(slippage.bps))
  if (slippage.model === 'halfSpread') {
    const half = times(times(at, rateOf(slippage.bySymbol[h.name] ?? slippage.spreadBps)), decimal(0.5))
    const halfTick = times(whole(h.tick), decimal(0.5))
    return isLess(half, halfTick) ? halfTick : half
  }
  const row = h.bars.indexOf(bar)
  const first = Math.max(1, row - slippage.lookbackBars)
  const last = h.bars.slice(first, row)
  const least = rateOf(slippage.minBps)
  const atLeast = (impact: number) => times(at, isLess(decimal(impact), least) ? least : decimal(impact))
  // On its first bars a symbol is taken for volatile and empty.
  if (last.length === 0) return atLeast(slippage.coefficient * 0.05)
  const returns = last.map((one, i) => Number(one.close) / Number(h.bars[first + i - 1]!.close) - 1)
  const variance = returns.reduce((sum, r) => sum + r * r, 0) / returns.length
  const volume = last.reduce((sum, one) => sum + Number(one.volume), 0) / last.length
  const share = volume > 0 ? Number(abs(qty)) / volume : 1
  return atLeast(slippage.coefficient * Math.sqrt(variance) * Math.sqrt(share))
}

/** What a taker pays: slipped and rounded to the tick against it, and never worse than a limit's price. */
export function takerPx(config: BacktestConfig, o: Order, fill: { bar: Bar; reference: bigint; qty: bigint }): bigint {
  const { h, limit } = o
  const isBuy = o.left > 0n
  const slip = slippedBy(config, h, fill.bar, fill.reference, fill.qty)
  const worse = plus(whole(fill.reference), isBuy ? slip : { over: -slip.over, under: slip.under })
  const px = max(h.tick, isBuy ? ceil(worse, h.tick) : floor(worse, h.tick))
  return limit === undefined ? px : isBuy ? min(px, limit) : max(px, limit)
}
