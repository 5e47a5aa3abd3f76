import { orderKinds, outcomes, reasons } from '../backtest/orders.ts'
import { formatScaledShort } from '../decimal.ts'
import type { BacktestRun } from '../market/runs/backtestFiles.ts'
import type { SweepSummary, WalkForward } from '../sweep/outputs.ts'
import { formatUtc, HOUR_MS } from '../time.ts'
import type { Position } from './positions.ts'

/** The fills for a spreadsheet: exact decimals, an empty cell where there is no value. */
export function fillsCsv({ result }: BacktestRun): string {
  const { fills, symbols, instruments, cashDecimals } = result
  const head =
    'timeUtc,symbol,orderId,kind,outcome,reason,flags,isMaker,decisionUtc,activeUtc,wantedQty,qty,positionQty,limitPx,stopPx,referencePx,fillPx,feeUsdt,slippageUsdt'
  const lines = Array.from({ length: fills.rows }, (_, i) => {
    const { pxDecimals, qtyDecimals } = instruments[fills.symbol[i]!]!
    const px = (units: number): string => exact(units, pxDecimals)
    const qty = (units: number): string => exact(units, qtyDecimals)
    return [
      formatUtc(fills.tsMs[i]!),
      cell(symbols[fills.symbol[i]!]!),
      fills.orderId[i]!,
      orderKinds[fills.kind[i]!]!,
      outcomes[fills.outcome[i]!]!,
      reasons[fills.reason[i]!]!,
      fills.flags[i]!,
      fills.isMaker[i]!,
      formatUtc(fills.decisionTsMs[i]!),
      formatUtc(fills.activeTsMs[i]!),
      qty(fills.wantedQty[i]!),
      qty(fills.qty[i]!),
      qty(fills.positionQty[i]!),
      px(fills.limitPx[i]!),
      px(fills.stopPx[i]!),
      px(fills.referencePx[i]!),
      px(fills.fillPx[i]!),
      exact(fills.fee[i]!, cashDecimals),
      exact(fills.slippage[i]!, cashDecimals),
    ].join(',')
  })
  return `${[head, ...lines].join('\n')}\n`
}

/** Round trips. Money is rounded to cents of a cent; see positions.ts for what it counts. */
export function positionsCsv(positions: readonly Position[]): string {
  const money = (usdt: number): string => exact(Math.round(usdt * 1e4), 4)
  const lines = positions.map((position) =>
    [
      cell(position.symbol),
      position.side,
      formatUtc(position.openedTsMs),
      Number.isNaN(position.closedTsMs) ? '' : formatUtc(position.closedTsMs),
      exact(Math.round((position.heldMs / HOUR_MS) * 100), 2),
      position.fills,
      exact(position.qty, position.qtyDecimals),
      money(position.pnlUsdt),
      money(position.feesUsdt),
      money(position.worstUsdt),
      money(position.bestUsdt),
    ].join(','),
  )
  const head = 'symbol,side,openedUtc,closedUtc,heldHours,fills,qty,pnlUsdt,feesUsdt,worstUsdt,bestUsdt'
  return `${[head, ...lines].join('\n')}\n`
}

/** Parts are cumulative since the start. */
export function equityCsv({ result }: BacktestRun): string {
  const { equity, cashDecimals } = result
  const columns = [
    'equity',
    'cash',
    'gross',
    'net',
    'pricePnl',
    'slippage',
    'fees',
    'funding',
    'liquidationFees',
  ] as const
  const lines = Array.from({ length: equity.rows }, (_, i) =>
    [formatUtc(equity.tsMs[i]!), ...columns.map((name) => exact(equity[name][i]!, cashDecimals))].join(','),
  )
  return `${[['timeUtc', ...columns.map((name) => `${name}Usdt`)].join(','), ...lines].join('\n')}\n`
}

const blank = (value: number | string | boolean | null): string => (value === null ? '' : String(value))

/** All points of a sweep, in the order of their params. */
export function sweepCsv({ params, points }: SweepSummary): string {
  const figures = [
    'totalReturn',
    'annualReturn',
    'sharpe',
    'sharpeError',
    'dailySharpe',
    'maxDrawdown',
    'turnover',
    'fees',
    'slippage',
    'fills',
    'deflated',
    'outcome',
  ] as const
  const head = [...params.map(({ name }) => cell(name)), ...figures]
  const lines = points.map((point) =>
    [...params.map(({ name }) => valueCell(point.values[name])), ...figures.map((name) => blank(point[name]))].join(
      ',',
    ),
  )
  return `${[head.join(','), ...lines].join('\n')}\n`
}

/** The tested days: the fold each belongs to, the midnight that ends it, and its return. */
export function walkForwardCsv({ folds, daily }: WalkForward): string {
  const lines = daily.closeTsMs.map((tsMs, i) => {
    const fold = folds.find(({ test }) => tsMs > test.fromMs && tsMs <= test.toMs)!
    return [fold.fold, formatUtc(tsMs), daily.returns[i]!].join(',')
  })
  return `${['fold,closeUtc,return', ...lines].join('\n')}\n`
}

const exact = (units: number, decimals: number): string =>
  Number.isNaN(units) ? '' : formatScaledShort(units, decimals)

/** A number stays one, a negative one too: only a text is led by an apostrophe. */
const valueCell = (value: unknown): string => (typeof value === 'number' ? String(value) : cell(String(value)))

/** A name that could be read as a formula or end its cell is quoted, and led by an apostrophe. */
export function cell(text: string): string {
  if (/^[\w.-]+$/.test(text) && !/^[-]/.test(text)) return text
  const led = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${led.replaceAll('"', '""')}"`
}
