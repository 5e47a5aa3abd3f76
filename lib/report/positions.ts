import { pow10 } from '../backtest/scaled.ts'
import type { BacktestRun } from '../market/runs/backtestFiles.ts'
import type { HeldRanges } from './heldRanges.ts'
import type { PriceSeries } from './view.ts'

/** A position from the fill that opened it to the one that closed it, whatever was added and taken off between. */
export interface Position {
  readonly symbol: string
  readonly side: 'long' | 'short'
  readonly openedTsMs: number
  /** NaN where it was still held when the run ended; it is then worth the last close. */
  readonly closedTsMs: number
  /** Up to the end of the run where it was not closed. */
  readonly heldMs: number
  readonly fills: number
  /** In units of the instrument, at its largest. */
  readonly qty: number
  readonly qtyDecimals: number
  /** At the prices of its fills, with fees and without funding, which is paid by the symbol; NaN where it is open and has
   *  no close. */
  readonly pnlUsdt: number
  readonly feesUsdt: number
  /** The least and the most it had gained at a low or a high of the bars it was held through, and at its end; NaN where
   *  there are no prices. */
  readonly worstUsdt: number
  readonly bestUsdt: number
}

/** Round trips, in the order in which they were opened. A fill that turns a position around ends one and begins another. */
export function positionsOf(
  { request, result }: BacktestRun,
  prices: readonly PriceSeries[],
  held: HeldRanges,
): Position[] {
  const { fills, symbols, instruments, cashDecimals } = result
  const usdt = 1 / pow10(cashDecimals)
  const found: Position[] = []
  const rowsOf = symbols.map((): number[] => [])
  for (let row = 0; row < fills.rows; row++) if (fills.qty[row] !== 0) rowsOf[fills.symbol[row]!]!.push(row)
  symbols.forEach((symbol, s) => {
    const { qtyDecimals } = instruments[s]!
    const series = prices.find((one) => one.symbol === symbol)
    const ranges = held.of(symbol)
    const worthOf = ({ cash, fees, held }: OpenPosition, px: number): number =>
      (cash + fees) * usdt + (held / pow10(qtyDecimals)) * px
    let open: OpenPosition | undefined
    const end = (one: OpenPosition, tsMs: number, worth: number): void => {
      if (series !== undefined) see(one, worth)
      const { side, openedTsMs, fees, qty, worst, best } = one
      const heldMs = (Number.isNaN(tsMs) ? request.toMs : tsMs) - openedTsMs
      found.push({
        ...{ symbol, side, openedTsMs, closedTsMs: tsMs, heldMs, fills: one.fills, qty, qtyDecimals },
        ...{ pnlUsdt: worth, feesUsdt: fees * usdt, worstUsdt: worst, bestUsdt: best },
      })
    }
    rowsOf[s]!.forEach((row, i) => {
      const [tsMs, qty, after] = [fills.tsMs[row]!, fills.qty[row]!, fills.positionQty[row]!]
      const before = after - qty
      const turns = before * after < 0
      const closing = before === 0 ? 0 : turns ? -before : qty
      const fee = fills.fee[row]!
      const closingFee = turns ? Math.round((fee * closing) / qty) : before === 0 ? 0 : fee
      if (open !== undefined && closing !== 0) {
        trade(open, closing, fills.fillPx[row]!, closingFee)
        if (open.held === 0) {
          end(open, tsMs, worthOf(open, 0))
          open = undefined
        }
      }
      if (before === 0 || turns) {
        open = opened(after > 0 ? 'long' : 'short', tsMs)
        trade(open, after, fills.fillPx[row]!, fee - closingFee)
      }
      if (open === undefined) return
      const { low, high } = ranges[i]!
      see(open, worthOf(open, low))
      see(open, worthOf(open, high))
    })
    if (open !== undefined) end(open, Number.NaN, worthOf(open, lastClose(series, request.toMs)))
  })
  return found.sort((a, b) => a.openedTsMs - b.openedTsMs || (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0))
}

interface OpenPosition {
  readonly side: Position['side']
  readonly openedTsMs: number
  /** Signed units held now, what buying and selling them brought in units of cash, and the fees of that. */
  held: number
  cash: number
  fees: number
  fills: number
  qty: number
  worst: number
  best: number
}

const opened = (side: Position['side'], openedTsMs: number): OpenPosition => ({
  ...{ side, openedTsMs, held: 0, cash: 0, fees: 0, fills: 0, qty: 0 },
  ...{ worst: Number.NaN, best: Number.NaN },
})

function see(position: OpenPosition, worth: number): void {
  if (Number.isNaN(worth)) return
  if (!(worth >= position.worst)) position.worst = worth
  if (!(worth <= position.best)) position.best = worth
}

function trade(position: OpenPosition, qty: number, px: number, fee: number): void {
  position.held += qty
  position.cash -= qty * px
  position.fees += fee
  position.fills++
  position.qty = Math.max(position.qty, Math.abs(position.held))
}

function lastClose(series: PriceSeries | undefined, untilMs: number): number {
  const last = series?.tsMs.findLastIndex((tsMs) => tsMs <= untilMs) ?? -1
  return last < 0 ? Number.NaN : series!.close[last]!
}
