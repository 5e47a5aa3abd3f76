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
  /** In cash, negative as costs are. */
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
  readonly fee: number
  readonly volumeShare: number
}

const floatColumns = [
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
const intColumns = ['orderId', 'symbol', 'kind', 'outcome', 'reason', 'flags', 'isMaker'] as const

/** Rows come one at a time and their number is not known: columns grow by doubling. */
export class FillsRecorder {
  #rows = 0
  #capacity = 1024
  #floats = floatColumns.map(() => new Float64Array(1024))
  #ints = intColumns.map(() => new Int32Array(1024))

  fill(order: Order, fill: FillDetails, reason: Reason = 'none'): void {
    const outcome = order.remainingQty === 0 ? 'filled' : 'partial'
    this.#add(order, outcome, reason, fill.tsMs, fill)
  }

  /** The end of an order, or of what is left of it, without a fill. */
  end(order: Order, outcome: Exclude<Outcome, 'filled' | 'partial'>, reason: Reason, tsMs: number, heldQty: number) {
    this.#add(order, outcome, reason, tsMs, { ...noFill, tsMs, positionQty: heldQty })
  }

  #add(order: Order, outcome: Outcome, reason: Reason, tsMs: number, fill: FillDetails): void {
    if (this.#rows === this.#capacity) this.#grow()
    const row = this.#rows++
    const isFill = outcome === 'filled' || outcome === 'partial'
    const slippage = isFill ? fill.qty * (fill.referencePx - fill.fillPx) : 0
    // Written out, in the order of the names above: a row is no list of its own that somebody has to clear away.
    const floats = this.#floats
    floats[0]![row] = order.decisionTsMs
    floats[1]![row] = order.activeTsMs
    floats[2]![row] = tsMs
    floats[3]![row] = fill.barOpenTsMs
    floats[4]![row] = order.wantedQty
    floats[5]![row] = fill.qty
    floats[6]![row] = fill.positionQty
    floats[7]![row] = order.limitPx
    floats[8]![row] = order.stopPx
    floats[9]![row] = fill.referencePx
    floats[10]![row] = fill.fillPx
    floats[11]![row] = fill.fee === 0 ? 0 : -fill.fee
    floats[12]![row] = slippage === 0 ? 0 : slippage
    floats[13]![row] = fill.volumeShare
    const ints = this.#ints
    ints[0]![row] = order.id
    ints[1]![row] = order.symbol
    ints[2]![row] = orderKinds.indexOf(order.kind)
    ints[3]![row] = outcomes.indexOf(outcome)
    ints[4]![row] = reasons.indexOf(reason)
    ints[5]![row] = order.flags
    ints[6]![row] = fill.isMaker ? 1 : 0
  }

  table(): FillsTable {
    const float = (name: (typeof floatColumns)[number]) =>
      this.#floats[floatColumns.indexOf(name)]!.slice(0, this.#rows)
    const int = (name: (typeof intColumns)[number]) => this.#ints[intColumns.indexOf(name)]!.subarray(0, this.#rows)
    return {
      rows: this.#rows,
      orderId: int('orderId').slice(),
      symbol: int('symbol').slice(),
      kind: Uint8Array.from(int('kind')),
      outcome: Uint8Array.from(int('outcome')),
      reason: Uint8Array.from(int('reason')),
      flags: Uint16Array.from(int('flags')),
      isMaker: Uint8Array.from(int('isMaker')),
      decisionTsMs: float('decisionTsMs'),
      activeTsMs: float('activeTsMs'),
      tsMs: float('tsMs'),
      barOpenTsMs: float('barOpenTsMs'),
      wantedQty: float('wantedQty'),
      qty: float('qty'),
      positionQty: float('positionQty'),
      limitPx: float('limitPx'),
      stopPx: float('stopPx'),
      referencePx: float('referencePx'),
      fillPx: float('fillPx'),
      fee: float('fee'),
      slippage: float('slippage'),
      volumeShare: float('volumeShare'),
    }
  }

  #grow(): void {
    this.#capacity *= 2
    this.#floats = this.#floats.map((old) => {
      const grown = new Float64Array(this.#capacity)
      grown.set(old)
      return grown
    })
    this.#ints = this.#ints.map((old) => {
      const grown = new Int32Array(this.#capacity)
      grown.set(old)
      return grown
    })
  }
}

const noFill: FillDetails = {
  tsMs: Number.NaN,
  barOpenTsMs: Number.NaN,
  qty: 0,
  positionQty: 0,
  referencePx: Number.NaN,
  fillPx: Number.NaN,
  isMaker: false,
  fee: 0,
  volumeShare: Number.NaN,
}
