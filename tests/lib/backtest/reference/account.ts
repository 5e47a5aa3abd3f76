import type { BacktestConfig } from '../../../../lib/backtest/config.ts'
import type { MarketInput, SymbolInput } from '../../../../lib/backtest/market.ts'
import { abs, decimal, floor, nearest, times, whole } from './exact.ts'
import type { CurveRow } from './story.ts'

export interface Bar {
  openTsMs: number
  closeTsMs: number
  open: bigint
  high: bigint
  low: bigint
  close: bigint
  volume: bigint
  trades: number
  mark: { open: bigint; high: bigint; low: bigint; close: bigint }
}

/** One symbol: what the market does to it, and what the account has of it. */
export interface Holding {
  input: SymbolInput
  name: string
  index: number
  tick: bigint
  step: bigint
  bars: Bar[]
  closedBars: number
  isMember: boolean
  isGone: boolean
  position: bigint
  mark: bigint | undefined
  /** Paid for what is held, at fill prices. */
  entry: bigint
  /** What settlements brought what is held. */
  heldFunding: bigint
  atReference: bigint
  slippage: bigint
  fees: bigint
  funding: bigint
  liquidationFees: bigint
}

export interface Account {
  config: BacktestConfig
  cash: bigint
  holdings: Holding[]
}

const bps = decimal(0.0001)
export const rateOf = (value: number) => times(decimal(value), bps)
const units = (usdt: number, config: BacktestConfig): bigint =>
  nearest(times(decimal(usdt), whole(10n ** BigInt(config.cashDecimals))))

export function openAccount(market: MarketInput, config: BacktestConfig): Account {
  const sorted = [...market.symbols].sort((a, b) => (a.instrument.symbol < b.instrument.symbol ? -1 : 1))
  const holdings = sorted.map((input, index): Holding => {
    const { bars } = input
    const rows = Array.from(bars.openTsMs, (openTsMs, i): Bar => {
      const [open, high, low, close] = [bars.openPx, bars.highPx, bars.lowPx, bars.closePx].map((c) => BigInt(c[i]!))
      const traded = { open: open!, high: high!, low: low!, close: close! }
      const { mark } = bars
      const hasMark = mark !== undefined && !Number.isNaN(mark.closePx[i]!)
      return {
        openTsMs,
        closeTsMs: openTsMs + market.intervalMs,
        ...traded,
        volume: BigInt(bars.volumeQty[i]!),
        trades: bars.tradeCount[i]!,
        mark: hasMark
          ? {
              open: BigInt(mark.openPx[i]!),
              high: BigInt(mark.highPx[i]!),
              low: BigInt(mark.lowPx[i]!),
              close: BigInt(mark.closePx[i]!),
            }
          : traded,
      }
    })
    return {
      input,
      name: input.instrument.symbol,
      index,
      tick: BigInt(input.instrument.tickPx),
      step: BigInt(input.instrument.stepQty),
      bars: rows,
      closedBars: 0,
      isMember: market.universe === undefined,
      isGone: false,
      position: 0n,
      mark: undefined,
      ...{ entry: 0n, heldFunding: 0n, atReference: 0n, slippage: 0n, fees: 0n, funding: 0n, liquidationFees: 0n },
    }
  })
  return { config, cash: units(config.capitalUsdt, config), holdings }
}

export const worthOf = (h: Holding): bigint => h.position * (h.mark ?? 0n)
export const sumOf = (account: Account, of: (h: Holding) => bigint): bigint =>
  account.holdings.reduce((sum, h) => sum + of(h), 0n)
export const equityOf = (account: Account): bigint => account.cash + sumOf(account, worthOf)
export const grossOf = (account: Account): bigint => sumOf(account, (h) => abs(worthOf(h)))

const dated = <Entry extends { from: string }>(entries: readonly Entry[], tsMs: number): Entry =>
  entries
    .filter(({ from }) => Date.parse(from) <= tsMs)
    .sort((a, b) => (a.from < b.from ? -1 : 1))
    .at(-1)!

export function feeBps(config: BacktestConfig, tsMs: number, isMaker: boolean): number {
  const tier = dated(config.fees, tsMs).tiers[config.feeTier]!
  return isMaker ? tier.makerBps : tier.takerBps
}

export const feeOf = (notional: bigint, ofBps: number): bigint => nearest(times(whole(abs(notional)), rateOf(ofBps)))

/** Cash pays the notional and the fee; what was worse than the reference is slippage. */
export function trade(account: Account, h: Holding, qty: bigint, fillPx: bigint, referencePx: bigint): void {
  const before = h.position
  const after = before + qty
  const isReduced = after !== 0n && after > 0n === before > 0n
  // Halves go up, here alone.
  const share = (of: bigint): bigint => floor({ over: 2n * of * abs(after) + abs(before), under: 2n * abs(before) })
  if (before === 0n || before > 0n === qty > 0n) h.entry += qty * fillPx
  else h.entry = isReduced ? share(h.entry) : after * fillPx
  if (before !== 0n && before > 0n !== qty > 0n) h.heldFunding = isReduced ? share(h.heldFunding) : 0n
  account.cash -= qty * fillPx
  h.position = after
  h.atReference -= qty * referencePx
  h.slippage += qty * (referencePx - fillPx)
}

export function curveRow(account: Account, tsMs: number): CurveRow {
  return {
    tsMs,
    equity: equityOf(account),
    cash: account.cash,
    gross: grossOf(account),
    net: sumOf(account, worthOf),
    pricePnl: sumOf(account, (h) => h.atReference + worthOf(h)),
    slippage: sumOf(account, (h) => h.slippage),
    fees: sumOf(account, (h) => h.fees),
    funding: sumOf(account, (h) => h.funding),
    liquidationFees: sumOf(account, (h) => h.liquidationFees),
  }
}

/** What the venue wants to see behind a notional: each level's rate on the part within the level. */
export function maintenanceOf(account: Account, h: Holding, px: bigint, tsMs: number): bigint {
  const { config } = account
  const own = config.brackets.filter((b) => b.symbol === h.name && Date.parse(b.from) <= tsMs)
  const { levels } = dated(own.length > 0 ? own : config.brackets.filter((b) => b.symbol === undefined), tsMs)
  const notional = abs(h.position * px)
  // rate * notional - amount, the amounts such that the margin has no step.
  let amount = 0n
  let rate = rateOf(levels[0]!.maintenanceBps)
  for (let i = 1; i < levels.length; i++) {
    const border = units(levels[i - 1]!.upToUsdt!, config)
    if (notional <= border) break
    const next = rateOf(levels[i]!.maintenanceBps)
    const step = { over: next.over * rate.under - rate.over * next.under, under: next.under * rate.under }
    amount += nearest(times(whole(border), step))
    rate = next
  }
  return nearest(times(whole(notional), rate)) - amount
}
