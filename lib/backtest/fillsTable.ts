import type { Order, Outcome, Reason } from './orders.ts'
import { orderKinds, outcomes, reasons } from './orders.ts'

/** Every order's story, a row for each thing that happened to it, in the order in which it happened. */
export interface FillsTable {
  readonly rows: number
  readonly orderId: Int32Array
  /** Index into the run's sorted symbols. */
  readonly symbol: Int32Array
  /** Indices into orderKinds, outcomes and reasons. */
  readonly kind: Uint8Array
  readonly outcome: Uint8Array
  readonly reason: Uint8Array
  readonly flags: Uint16Array
  readonly isMaker: Uint8Array
  readonly decisionTsMs: Float64Array
  readonly activeTsMs: Float64Array
  /** When it was booked, and from when the strategy could know. */
  readonly tsMs: Float64Array
  /** The bar that filled it; NaN for rows without a fill and for forced exits. */
  readonly barOpenTsMs: Float64Array
  readonly wantedQty: Float64Array
  /** What this row filled, or what a rejection or cancellation left unfilled as 0. */
  readonly qty: Float64Array
  readonly positionQty: Float64Array
  readonly limitPx: Float64Array
  readonly stopPx: Float64Array
  readonly referencePx: Float64Array
  readonly fillPx: Float64Array
  /** In cash, negative as costs are. What a liquidation costs beside its price is not here: see EquityParts. */
  readonly fee: Float64Array
  readonly slippage: Float64Array
  /** Of the filling bar's traded quantity; NaN where no bar filled it. */
  readonly volumeShare: Float64Array
}

export interface FillDetails {
  readonly tsMs: number
  readonly barOpenTsMs: number
  readonly qty: number
  readonly positionQty: number
  readonly referencePx: number
  readonly fillPx: number
  readonly isMaker: boolean
  /** What this fill rests on, beside what the order does. */
  readonly flags: number
  readonly fee: number
  readonly volumeShare: number
}

/** Rows come one at a time and their number is not known. They are kept in blocks, which hold a stretch of every column
 *  and fit the processor's cache while they are filled; columns are made once, at the end. */
export class FillsRecorder {
  #rows = 0
  #blocks: Float64Array[] = []

  fill(order: Order, fill: FillDetails, reason: Reason = 'none'): void {
    const outcome = order.remainingQty === 0 ? 'filled' : 'partial'
    const slippage = fill.qty * (fill.referencePx - fill.fillPx)
    this.#add(order, outcome, reason, fill, slippage)
  }

  /** The end of an order, or of what is left of it, without a fill. */
  end(order: Order, outcome: Exclude<Outcome, 'filled' | 'partial'>, reason: Reason, tsMs: number, heldQty: number) {
    this.#add(order, outcome, reason, { ...noFill, tsMs, positionQty: heldQty }, 0)
  }

  #add(order: Order, outcome: Outcome, reason: Reason, fill: FillDetails, slippage: number): void {
    const row = this.#rows++ % blockRows
    if (row === 0) this.#blocks.push(new Float64Array(blockRows * width))
    const block = this.#blocks[this.#blocks.length - 1]!
    // In the order of `columns`.
    block[row] = order.id
    block[row + blockRows] = order.symbol
    block[row + 2 * blockRows] = kindIndex[order.kind]
    block[row + 3 * blockRows] = outcomeIndex[outcome]
    block[row + 4 * blockRows] = reasonIndex[reason]
    block[row + 5 * blockRows] = order.flags | fill.flags
    block[row + 6 * blockRows] = fill.isMaker ? 1 : 0
    block[row + 7 * blockRows] = order.decisionTsMs
    block[row + 8 * blockRows] = order.activeTsMs
    block[row + 9 * blockRows] = fill.tsMs
    block[row + 10 * blockRows] = fill.barOpenTsMs
    block[row + 11 * blockRows] = order.wantedQty
    block[row + 12 * blockRows] = fill.qty
    block[row + 13 * blockRows] = fill.positionQty
    block[row + 14 * blockRows] = order.limitPx
    block[row + 15 * blockRows] = order.stopPx
    block[row + 16 * blockRows] = fill.referencePx
    block[row + 17 * blockRows] = fill.fillPx
    block[row + 18 * blockRows] = fill.fee === 0 ? 0 : -fill.fee
    block[row + 19 * blockRows] = slippage === 0 ? 0 : slippage
    block[row + 20 * blockRows] = fill.volumeShare
  }

  table(): FillsTable {
    const rows = this.#rows
    const table = {
      rows,
      orderId: new Int32Array(rows),
      symbol: new Int32Array(rows),
      kind: new Uint8Array(rows),
      outcome: new Uint8Array(rows),
      reason: new Uint8Array(rows),
      flags: new Uint16Array(rows),
      isMaker: new Uint8Array(rows),
      decisionTsMs: new Float64Array(rows),
      activeTsMs: new Float64Array(rows),
      tsMs: new Float64Array(rows),
      barOpenTsMs: new Float64Array(rows),
      wantedQty: new Float64Array(rows),
      qty: new Float64Array(rows),
      positionQty: new Float64Array(rows),
      limitPx: new Float64Array(rows),
      stopPx: new Float64Array(rows),
      referencePx: new Float64Array(rows),
      fillPx: new Float64Array(rows),
      fee: new Float64Array(rows),
      slippage: new Float64Array(rows),
      volumeShare: new Float64Array(rows),
    }
    for (let b = 0; b < this.#blocks.length; b++) {
      const from = b * blockRows
      const count = Math.min(blockRows, rows - from)
      for (let c = 0; c < width; c++) {
        table[columns[c]!].set(this.#blocks[b]!.subarray(c * blockRows, c * blockRows + count), from)
      }
    }
    return table
  }
}

const columns = [
  'orderId',
  'symbol',
  'kind',
  'outcome',
  'reason',
  'flags',
  'isMaker',
  'decisionTsMs',
  'activeTsMs',
  'tsMs',
  'barOpenTsMs',
  'wantedQty',
  'qty',
  'positionQty',
  'limitPx',
  'stopPx',
  'referencePx',
  'fillPx',
  'fee',
  'slippage',
  'volumeShare',
] as const
const width = columns.length

/** No power of two: columns at such distances would share a few lines of the cache. */
const blockRows = 1000

const indexed = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>
const kindIndex = indexed(orderKinds)
const outcomeIndex = indexed(outcomes)
const reasonIndex = indexed(reasons)

const noFill: FillDetails = {
  tsMs: Number.NaN,
  barOpenTsMs: Number.NaN,
  qty: 0,
  positionQty: 0,
  referencePx: Number.NaN,
  fillPx: Number.NaN,
  isMaker: false,
  flags: 0,
  fee: 0,
  volumeShare: Number.NaN,
}
