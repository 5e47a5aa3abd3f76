import { Fault } from '../fault.ts'
import type { Rng } from '../rng.ts'
import { formatUtc, MINUTE_MS } from '../time.ts'
import { ClosePrices } from './closePrices.ts'
import { CloseWindow } from './closeWindow.ts'
import type { Decisions } from './decisions.ts'
import { type Duration, durationMs, isDuration } from './duration.ts'
import { fromUnits } from './instrument.ts'
import type { Ledger } from './ledger.ts'
import { type Lookback, rowAgo } from './lookback.ts'
import type { MarketView } from './marketView.ts'
import { pow10 } from './scaled.ts'
import type { Bar, OrderRequest, Position, Strategy, StrategyContext } from './strategy.ts'
import { TargetWeights } from './targets.ts'

export interface LogLine {
  readonly tsMs: number
  readonly message: string
}

/** A strategy that logs in every bar of a year should not take the machine with it. */
const logLinesMax = 20_000

/** The strategy's window on the run. All state is private to the class, so that what is not a method is out of reach. */
export class RunContext<Params, State> implements StrategyContext<Params, State> {
  readonly params: Params
  readonly state: State
  readonly #name: string
  readonly #declared: ReadonlySet<string>
  readonly #market: MarketView
  readonly #ledger: Ledger
  readonly #cashScale: number
  readonly #rng: Rng
  readonly #takeOrderId: () => number
  readonly #closePrices: ClosePrices
  readonly #logLines: LogLine[] = []
  readonly #spansMs = new Map<string, number>()
  #lastSpan: string | undefined
  #lastSpanMs = Number.NaN
  readonly #windows = new Map<string, CloseWindow[]>()
  #lastWindowSpan: string | undefined
  #lastWindows: CloseWindow[] = []
  #decisions: Decisions
  /** Not undefined, which is what a strategy asks about by mistake. */
  #lastSymbol: string | null = null
  #lastIndex = -1
  /** The row last found for a span: a strategy that asks for a close so long ago asks for the closes since then, too. */
  #agoSymbol = -1
  #agoSpanMs = Number.NaN
  #agoAtMs = Number.NaN
  #agoRow = -1
  #symbolsAtMs = Number.NaN
  #symbols: readonly string[] = []

  constructor(run: {
    strategy: Strategy<Params, State>
    params: Params
    market: MarketView
    ledger: Ledger
    cashDecimals: number
    rng: Rng
    takeOrderId: () => number
  }) {
    this.params = run.params
    this.state = run.strategy.initialState?.(run.params) as State
    this.#name = run.strategy.name
    this.#declared = new Set(run.strategy.columns)
    this.#market = run.market
    this.#closePrices = new ClosePrices(run.market)
    this.#decisions = noDecisions(run.market)
    this.#ledger = run.ledger
    this.#cashScale = pow10(run.cashDecimals)
    this.#rng = run.rng
    this.#takeOrderId = run.takeOrderId
  }

  /** For the engine alone, which holds the class; strategies are given the interface. Undefined where nothing was asked. */
  static takeDecisions<P, S>(context: RunContext<P, S>): Decisions | undefined {
    const taken = context.#decisions
    if (taken.actions.length === 0 && taken.weights.symbols.length === 0) return undefined
    context.#decisions = noDecisions(context.#market)
    return taken
  }

  static logOf<P, S>(context: RunContext<P, S>): readonly LogLine[] {
    return context.#logLines
  }

  get nowMs(): number {
    return this.#market.nowMs
  }

  get equityUsdt(): number {
    return this.#ledger.equity / this.#cashScale
  }

  get symbols(): readonly string[] {
    if (this.#symbolsAtMs !== this.#market.nowMs) {
      if (!this.#areSymbolsCurrent()) {
        this.#symbols = Object.freeze(this.#market.names.filter((_, s) => this.#isOffered(s)))
      }
      this.#symbolsAtMs = this.#market.nowMs
    }
    return this.#symbols
  }

  #isOffered(s: number): boolean {
    return this.#market.isTradable(s) && this.#market.closedRow[s]! >= 0
  }

  /** They change now and then, and are asked for at every decision: the list is made when it changed. */
  #areSymbolsCurrent(): boolean {
    const { names } = this.#market
    let count = 0
    for (let s = 0; s < names.length; s++) {
      if (this.#isOffered(s) && this.#symbols[count++] !== names[s]) return false
    }
    return count === this.#symbols.length
  }

  bar(symbol: string, lag: Lookback = 0): Bar | undefined {
    const s = this.#index(symbol)
    const row = this.#row(s, symbol, lag)
    if (row < 0) return undefined
    const { bars, instrument } = this.#market.symbols[s]!
    const { pxDecimals, qtyDecimals } = instrument
    return {
      openTsMs: bars.openTsMs[row]!,
      open: fromUnits(bars.openPx[row]!, pxDecimals),
      high: fromUnits(bars.highPx[row]!, pxDecimals),
      low: fromUnits(bars.lowPx[row]!, pxDecimals),
      close: fromUnits(bars.closePx[row]!, pxDecimals),
      volume: fromUnits(bars.volumeQty[row]!, qtyDecimals),
      tradeCount: bars.tradeCount[row]!,
    }
  }

  close(symbol: string, lag: Lookback = 0): number {
    const s = this.#index(symbol)
    const row = this.#row(s, symbol, lag)
    return row < 0 ? Number.NaN : this.#closePrices.at(s, row)
  }

  closes(symbol: string, span: Lookback): number[] {
    const s = this.#index(symbol)
    const end = this.#market.closedRow[s]! + 1
    if (this.#isSpan(span)) return this.#closePrices.window(s, this.#row(s, symbol, span) + 1, end)
    if (!(Number.isInteger(span) && span >= 0)) this.#fail(`asked for ${span} closes`, symbol)
    return this.#closePrices.window(s, Math.max(0, end - span), end)
  }

  closesTogether(symbols: readonly string[], span: Duration): number[][] {
    // A list of our own: one that comes with a `map` of its own would be handed more than closes.
    return this.#closePrices.together(
      [...symbols].map((symbol) => {
        const s = this.#index(symbol)
        this.#checkSpan(symbol, span)
        return { s, after: this.#row(s, symbol, span), last: this.#market.closedRow[s]! }
      }),
    )
  }

  mean(symbol: string, span: Duration): number {
    return this.#window(symbol, span).mean()
  }

  deviation(symbol: string, span: Duration): number {
    const window = this.#window(symbol, span)
    if (window.rows === 1) {
      this.#fail(
        `asked for the deviation of ${span}, which is a single bar`,
        symbol,
        'look further back, or choose finer bars',
      )
    }
    return window.deviation()
  }

  column(symbol: string, name: string, lag: Lookback = 0): number {
    const s = this.#index(symbol)
    if (!this.#declared.has(name)) {
      this.#fail(
        `reads column "${name}", which it does not declare in "columns"`,
        symbol,
        `add "${name}" to its columns`,
      )
    }
    if (this.#isSpan(lag)) return this.#market.columnValueAgo(s, name, this.#spanMs(symbol, lag))
    this.#checkLag(symbol, lag)
    return this.#market.columnValue(s, name, lag)
  }

  position(symbol: string): Position {
    const s = this.#index(symbol)
    const qty = this.#ledger.positionQty[s]!
    if (qty === 0) return flat
    const { qtyDecimals, pxDecimals } = this.#market.symbols[s]!.instrument
    const notional = qty * this.#ledger.markPx[s]!
    return {
      qty: fromUnits(qty, qtyDecimals),
      notionalUsdt: notional / this.#cashScale,
      weight: notional / this.#ledger.equity,
      entryPrice: this.#ledger.entryCash[s]! / qty / pow10(pxDecimals),
    }
  }

  setWeights(weights: Readonly<Record<string, number>>): void {
    this.#decisions.weights.clear()
    for (let s = 0; s < this.#market.symbols.length; s++) {
      // Zero for everything held; a waiting order of an older target is replaced by the same way.
      if (this.#market.closedRow[s]! >= 0 && this.#market.isGone[s] === 0) this.#decisions.weights.set(s, 0)
    }
    for (const symbol of Object.keys(weights)) this.setWeight(symbol, weights[symbol]!)
  }

  setWeight(symbol: string, weight: number): void {
    const s = this.#index(symbol)
    if (typeof weight !== 'number' || !Number.isFinite(weight)) this.#fail(`gave the weight ${weight}`, symbol, finite)
    this.#decisions.weights.set(s, weight)
  }

  order(request: OrderRequest): number {
    const s = this.#index(request.symbol)
    const { qty, price } = request
    const kind = request.kind ?? 'market'
    if (!Number.isFinite(qty) || qty === 0) this.#fail(`ordered the quantity ${qty}`, request.symbol, finite)
    if (kind !== 'market' && kind !== 'limit' && kind !== 'stop')
      this.#fail(`ordered a "${kind}"`, request.symbol, 'a kind is market, limit or stop')
    if (kind !== 'market' && !(price !== undefined && price > 0 && Number.isFinite(price))) {
      this.#fail(`ordered a ${kind} at the price ${price}`, request.symbol, 'give it a price above zero')
    }
    const id = this.#takeOrderId()
    this.#decisions.actions.push({ kind: 'order', id, symbol: s, request: { ...request } })
    return id
  }

  cancel(orderId: number): void {
    this.#decisions.actions.push({ kind: 'cancel', orderId })
  }

  cancelAll(symbol?: string): void {
    const s = symbol === undefined ? undefined : this.#index(symbol)
    this.#decisions.actions.push({ kind: 'cancelAll', symbol: s })
  }

  random(): number {
    return this.#rng.uniform()
  }

  log(message: string): void {
    if (this.#logLines.length > logLinesMax) return
    const isLast = this.#logLines.length === logLinesMax
    const text = isLast ? `the log ends here: a run keeps ${logLinesMax} lines` : String(message)
    this.#logLines.push({ tsMs: this.#market.nowMs, message: text })
  }

  #index(symbol: string): number {
    // Mostly it is the symbol that was asked about last, or the one after it.
    if (symbol === this.#lastSymbol) return this.#lastIndex
    const { names, indexOf } = this.#market
    const next = this.#lastIndex + 1
    const isNext = next < names.length && names[next] === symbol
    const index = isNext ? next : indexOf.get(symbol)
    if (index === undefined) this.#fail(`named the unknown symbol "${symbol}"`, symbol)
    this.#lastSymbol = symbol
    this.#lastIndex = index
    return index
  }

  /** Of so many rows before the last closed bar, or of the last bar that had closed so long ago. */
  #row(s: number, symbol: string, lag: Lookback): number {
    const last = this.#market.closedRow[s]!
    if (!this.#isSpan(lag)) {
      this.#checkLag(symbol, lag)
      return last - lag
    }
    const { nowMs } = this.#market
    const backMs = this.#spanMs(symbol, lag)
    if (s !== this.#agoSymbol || nowMs !== this.#agoAtMs || backMs !== this.#agoSpanMs) {
      const stepMs = this.#market.input.intervalMs
      const { openTsMs } = this.#market.symbols[s]!.bars
      this.#agoRow = rowAgo(openTsMs, last, nowMs - backMs - stepMs, { backMs, stepMs })
      this.#agoSymbol = s
      this.#agoSpanMs = backMs
      this.#agoAtMs = nowMs
    }
    return this.#agoRow
  }

  /** A strategy asks for the same few spans over and over: what their text says is read once. */
  #isSpan(lookback: Lookback): lookback is Duration {
    if (typeof lookback !== 'string') return false
    return lookback === this.#lastSpan || this.#spansMs.has(lookback) || isDuration(lookback)
  }

  #window(symbol: string, span: Duration): CloseWindow {
    const s = this.#index(symbol)
    if (span !== this.#lastWindowSpan) {
      this.#checkSpan(symbol, span)
      let windows = this.#windows.get(span)
      if (windows === undefined) this.#windows.set(span, (windows = []))
      this.#lastWindowSpan = span
      this.#lastWindows = windows
    }
    return (this.#lastWindows[s] ??= new CloseWindow(this.#market, s, this.#spanMs(symbol, span)))
  }

  #spanMs(symbol: string, span: string): number {
    if (span !== this.#lastSpan) {
      this.#lastSpanMs = this.#spansMs.get(span) ?? this.#readSpan(symbol, span)
      this.#lastSpan = span
    }
    return this.#lastSpanMs
  }

  #readSpan(symbol: string, span: string): number {
    const ms = durationMs(span)
    const { intervalMs } = this.#market.input
    if (ms % intervalMs !== 0) {
      const todo = `look back by a multiple of ${intervalMs / MINUTE_MS} minutes, or choose finer bars`
      this.#fail(
        `looks back ${span}, which is no whole number of bars of ${intervalMs / MINUTE_MS} minutes`,
        symbol,
        todo,
      )
    }
    this.#spansMs.set(span, ms)
    return ms
  }

  #checkSpan(symbol: string, span: Duration): void {
    if (!this.#isSpan(span)) this.#fail(`asked for the closes of ${span}`, symbol, "give a time such as '72h'")
  }

  #checkLag(symbol: string, lag: number): void {
    if (!(Number.isInteger(lag) && lag >= 0)) {
      this.#fail(`asked for lag ${lag}: a lag is a whole number of bars or a time such as '4h', back from now`, symbol)
    }
  }

  #fail(
    what: string,
    symbol: string,
    todo = 'correct the strategy; ctx.symbols lists what can be traded at each instant',
  ): never {
    throw new Fault({
      code: 'failed',
      what: `the strategy ${what}`,
      where: `strategy ${this.#name}, ${formatUtc(this.nowMs)}, ${symbol}`,
      todo,
      details: { strategy: this.#name, tsMs: this.nowMs, symbol },
    })
  }
}

const finite = 'test for NaN first: closes and columns are NaN where there is no history yet'

const noDecisions = ({ symbols }: MarketView): Decisions => ({
  actions: [],
  weights: new TargetWeights(symbols.length),
})

const flat: Position = Object.freeze({ qty: 0, notionalUsdt: 0, weight: 0, entryPrice: Number.NaN })
