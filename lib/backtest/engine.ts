import { Fault } from '../fault.ts'
import { createRng } from '../rng.ts'
import { formatUtc } from '../time.ts'
import { assertDone, blame } from './blame.ts'
import type { BacktestConfig } from './config.ts'
import type { LogLine } from './context.ts'
import { RunContext } from './context.ts'
import { DecisionDesk } from './decisions.ts'
import { durationMs } from './duration.ts'
import type { EquityCurve } from './equityCurve.ts'
import { EquityRecorder } from './equityCurve.ts'
import type { EventClass } from './eventOrder.ts'
import type { FillsTable } from './fillsTable.ts'
import type { Instrument } from './instrument.ts'
import type { EquityParts } from './ledger.ts'
import { Ledger } from './ledger.ts'
import { Liquidation } from './liquidation.ts'
import { BracketSchedule } from './margin.ts'
import type { MarketInput } from './market.ts'
import { nextDelistMs, orderMarket } from './market.ts'
import { MarketView } from './marketView.ts'
import { fillFlags } from './orders.ts'
import { exact, pow10 } from './scaled.ts'
import type { FundingEvent, Strategy, UniverseEvent } from './strategy.ts'
import { MarketTimeline } from './timeline.ts'
import { Venue } from './venue.ts'

export interface BacktestRequest<Params, State> {
  readonly market: MarketInput
  readonly strategy: Strategy<Params, State>
  readonly params: Params
  readonly config: BacktestConfig
  /** Decisions are taken in [fromMs, toMs); earlier rows are history the strategy may look back on. */
  readonly fromMs: number
  readonly toMs: number
  /** Told of every event after it was booked, in the order of eventOrder.ts. */
  readonly observe?: (event: BookedEvent, ledger: Ledger) => void
  /** Told of every instant before anything happens there: a run that is stuck can then say where. */
  readonly onInstant?: ((tsMs: number) => void) | undefined
}

export interface BookedEvent {
  readonly class: EventClass
  readonly tsMs: number
  /** Index of the symbol, -1 where the event is about all. */
  readonly symbol: number
  readonly row: number
}

export interface BacktestResult {
  readonly symbols: readonly string[]
  readonly instruments: readonly Instrument[]
  readonly cashDecimals: number
  readonly capitalCash: number
  /** Ruined: equity was zero or less. */
  readonly outcome: 'completed' | 'drawdownStop' | 'ruined'
  /** When the outcome was decided; the end of the run if it completed. */
  readonly outcomeTsMs: number
  readonly fills: FillsTable
  readonly equity: EquityCurve
  readonly perSymbol: readonly SymbolResult[]
  readonly log: readonly LogLine[]
  readonly counts: RunCounts
}

export interface SymbolResult extends EquityParts {
  readonly symbol: string
  readonly tradedCash: number
  readonly positionQty: number
  readonly markPx: number
}

export interface RunCounts {
  decisions: number
  liquidations: number
  /** Settlements without a published price, settled at the mark of that instant. */
  fundingAtMark: number
  /** Bars of held symbols without a mark price, marked at their close. */
  marksAtClose: number
  /** Positions closed by a delisting, and because a symbol's data simply ended. */
  delistedPositions: number
  dataEndedPositions: number
}

export function runBacktest<Params, State>(request: BacktestRequest<Params, State>): BacktestResult {
  return new Run(request).toEnd()
}

class Run<Params, State> {
  #request: BacktestRequest<Params, State>
  #config: BacktestConfig
  #market: MarketView
  #timeline: MarketTimeline
  #ledger: Ledger
  #venue: Venue
  #brackets: BracketSchedule
  #liquidation: Liquidation
  #desk: DecisionDesk
  #context: RunContext<Params, State>
  #equity: EquityRecorder
  #decisionEveryMs: number
  #peakEquity: number
  /** The next delisting that is known in advance; Infinity without one. */
  #nextDelistMs: number
  #outcome: BacktestResult['outcome'] = 'completed'
  #outcomeTsMs: number
  #counts: RunCounts = {
    decisions: 0,
    liquidations: 0,
    fundingAtMark: 0,
    marksAtClose: 0,
    delistedPositions: 0,
    dataEndedPositions: 0,
  }

  constructor(request: BacktestRequest<Params, State>) {
    const { config, strategy } = request
    if (!(request.fromMs < request.toMs)) {
      throw new Fault({
        code: 'usage',
        what: `the backtest would end (${formatUtc(request.toMs)}) before it begins (${formatUtc(request.fromMs)})`,
        where: 'backtest.range',
      })
    }
    const market = orderMarket(request.market)
    this.#request = request
    this.#config = config
    this.#market = new MarketView(market)
    this.#timeline = new MarketTimeline(market)
    if (this.#timeline.startMs === undefined || this.#timeline.startMs >= request.toMs) {
      throw new Fault({
        code: 'failed',
        what: `no symbol has a bar before ${formatUtc(request.toMs)}`,
        where: 'backtest.range',
        todo: 'choose a range that the snapshot covers, or a universe that is not empty',
      })
    }
    const capitalCash = exact(Math.round(config.capitalUsdt * pow10(config.cashDecimals)))
    const startMs = this.#timeline.startMs
    this.#ledger = new Ledger(market.symbols.length, capitalCash)
    this.#venue = new Venue(config, this.#market, this.#ledger, startMs)
    this.#brackets = new BracketSchedule(config, this.#market.names, startMs)
    this.#liquidation = new Liquidation(config, this.#market, this.#ledger, this.#venue, this.#brackets)
    this.#desk = new DecisionDesk(config, this.#market, this.#ledger, this.#venue)
    this.#context = new RunContext({
      strategy,
      params: request.params,
      market: this.#market,
      ledger: this.#ledger,
      cashDecimals: config.cashDecimals,
      rng: createRng(config.seed, 'strategy', strategy.name),
      takeOrderId: () => this.#venue.nextOrderId++,
    })
    this.#equity = new EquityRecorder(Math.max(config.equityEveryMs, market.intervalMs))
    this.#decisionEveryMs = durationMs(strategy.decisionEvery, `strategy ${strategy.name}`)
    this.#peakEquity = capitalCash
    this.#nextDelistMs = nextDelistMs(market, Number.NEGATIVE_INFINITY)
    this.#outcomeTsMs = request.toMs
  }

  toEnd(): BacktestResult {
    const { toMs, fromMs } = this.#request
    this.#equity.record(fromMs, this.#ledger)
    while (this.#timeline.next(toMs)) {
      this.#atInstant(this.#timeline.nowMs)
      if (this.#outcome === 'ruined') break
    }
    for (let s = 0; s < this.#market.symbols.length; s++) this.#venue.cancel(s, 'runEnd')
    this.#equity.record(Math.max(fromMs, this.#market.nowMs), this.#ledger)
    return this.#result()
  }

  #atInstant(nowMs: number): void {
    const { closing, opening, settling } = this.#timeline
    const symbolCount = closing.length
    const { observe, onInstant } = this.#request
    onInstant?.(nowMs)
    this.#market.advance(nowMs)
    this.#venue.fees.advance(nowMs)
    this.#brackets.advance(nowMs)
    const events: FundingEvent[] = []

    this.#liquidateBeforeOrders(closing)
    const restingCount = observe === undefined ? this.#venue.restingOrderCount : this.#venue.openOrderCount
    for (let s = 0; restingCount > 0 && s < symbolCount; s++) {
      if (closing[s]! < 0 || this.#venue.openOrders[s]!.length === 0) continue
      this.#venue.range(s, closing[s]!)
      observe?.({ class: 'resting', tsMs: nowMs, symbol: s, row: closing[s]! }, this.#ledger)
    }
    for (let s = 0; s < symbolCount; s++) {
      if (closing[s]! < 0) continue
      this.#mark(s, closing[s]!)
      observe?.({ class: 'mark', tsMs: nowMs, symbol: s, row: closing[s]! }, this.#ledger)
    }
    for (let s = 0; this.#timeline.anySettling && s < symbolCount; s++) {
      if (settling[s]! < 0) continue
      this.#settle(s, settling[s]!, events)
      observe?.({ class: 'funding', tsMs: nowMs, symbol: s, row: settling[s]! }, this.#ledger)
    }
    if (this.#liquidation.judge(closing)) {
      this.#counts.liquidations++
      observe?.({ class: 'liquidation', tsMs: nowMs, symbol: -1, row: -1 }, this.#ledger)
    }
    if (this.#ledger.equity <= 0) {
      this.#ruin(nowMs)
      return
    }

    const universe = this.#changeUniverse(nowMs)
    if (universe !== undefined) observe?.({ class: 'universe', tsMs: nowMs, symbol: -1, row: -1 }, this.#ledger)
    if (nowMs >= this.#nextDelistMs || this.#timeline.endedCount > 0) this.#leaveDelisted(nowMs, closing)

    let anyClosed = false
    for (let s = 0; s < symbolCount; s++) {
      if (closing[s]! < 0) continue
      anyClosed = true
      this.#market.closedRow[s] = closing[s]!
      observe?.({ class: 'barClose', tsMs: nowMs, symbol: s, row: closing[s]! }, this.#ledger)
    }

    if (nowMs >= this.#request.fromMs && this.#equity.isDue(nowMs)) {
      this.#equity.record(nowMs, this.#ledger, this.#ledger.audit())
    }
    if (nowMs >= this.#request.toMs) return
    if (nowMs >= this.#request.fromMs) this.#decide(nowMs, anyClosed, events, universe)

    // Nothing happens at an open where no order waits for it.
    if (this.#venue.openOrderCount === 0 && observe === undefined) return
    for (let s = 0; s < symbolCount; s++) {
      if (opening[s]! < 0 || this.#market.isGone[s] === 1) continue
      this.#venue.open(s, opening[s]!)
      observe?.({ class: 'barOpen', tsMs: nowMs, symbol: s, row: opening[s]! }, this.#ledger)
    }
  }

  /** A bar that reached a resting order and the price of a liquidation does not say which came first: the worse did, but
   *  for stops, which lie on the way there. */
  #liquidateBeforeOrders(closing: Int32Array): void {
    if (this.#venue.restingOrderCount === 0) return
    const isTouched = (row: number, s: number): boolean =>
      row >= 0 &&
      this.#venue.openOrders[s]!.length > 0 &&
      this.#ledger.positionQty[s] !== 0 &&
      this.#venue.touched(s, row).length > 0
    if (!closing.some(isTouched)) return
    const stopsBefore = (s: number, px: number): boolean =>
      closing[s]! >= 0 && this.#venue.stopsBefore(s, closing[s]!, px)
    if (!this.#liquidation.judge(closing, stopsBefore)) return
    this.#counts.liquidations++
    const { nowMs } = this.#market
    closing.forEach((row, s) => {
      if (row >= 0) this.#request.observe?.({ class: 'resting', tsMs: nowMs, symbol: s, row }, this.#ledger)
    })
  }

  #mark(s: number, row: number): void {
    const { bars } = this.#market.symbols[s]!
    let px = bars.mark === undefined ? Number.NaN : bars.mark.closePx[row]!
    if (Number.isNaN(px)) {
      px = bars.closePx[row]!
      if (this.#ledger.positionQty[s] !== 0) this.#counts.marksAtClose++
    }
    this.#ledger.mark(s, px)
  }

  #settle(s: number, index: number, events: FundingEvent[]): void {
    const { funding, instrument } = this.#market.symbols[s]!
    if (this.#market.isGone[s] === 1) return
    const isHeld = this.#ledger.positionQty[s] !== 0
    if (!isHeld && this.#request.strategy.onFunding === undefined) return
    const rateE18 = funding!.rateE18[index]!
    let received = 0
    if (isHeld) {
      let px = funding!.markPx[index]!
      if (!(px > 0)) {
        px = this.#ledger.markPx[s]!
        this.#counts.fundingAtMark++
      }
      received = this.#ledger.settleFunding(s, px, rateE18)
    }
    if (this.#request.strategy.onFunding === undefined) return
    const receivedUsdt = received / pow10(this.#config.cashDecimals)
    events.push({
      tsMs: this.#market.nowMs,
      symbol: instrument.symbol,
      rate: Number(rateE18) / 1e18,
      receivedUsdt,
    })
  }

  #changeUniverse(nowMs: number): UniverseEvent | undefined {
    const change = this.#timeline.takeUniverse(nowMs)
    if (change === undefined) return undefined
    const { names, isMember } = this.#market
    const members = new Set(change.symbols)
    const added: string[] = []
    const removed: string[] = []
    for (let s = 0; s < names.length; s++) {
      const belongs = members.has(names[s]!)
      if (belongs && isMember[s] === 0) added.push(names[s]!)
      if (!belongs && isMember[s] === 1) removed.push(names[s]!)
      isMember[s] = belongs ? 1 : 0
    }
    return { tsMs: change.tsMs, symbols: names.filter((name) => members.has(name)), added, removed }
  }

  /** A symbol that ends takes its position along: closed at the last mark that had trades, whatever frozen prices the
   *  venue went on to publish, for the taker fee. */
  #leaveDelisted(nowMs: number, closing: Int32Array): void {
    for (let s = 0; s < closing.length; s++) {
      if (this.#market.isGone[s] === 1) continue
      const { delistTsMs } = this.#market.symbols[s]!
      const isDelisted = delistTsMs !== undefined && delistTsMs <= nowMs
      if (!isDelisted && !this.#timeline.hasEnded(s)) continue
      this.#market.isGone[s] = 1
      const isHeld = this.#ledger.positionQty[s] !== 0
      const tradedPx = this.#market.tradedMarkPx(s, closing[s]! < 0 ? this.#market.closedRow[s]! : closing[s]!)
      const px = Number.isNaN(tradedPx) ? this.#ledger.markPx[s]! : tradedPx
      const flags = isDelisted ? 0 : fillFlags.dataEnded
      this.#venue.forceExit(s, px, 'delisting', 'delisted', this.#venue.fees.takerRateE8, flags)
      if (isHeld && isDelisted) this.#counts.delistedPositions++
      if (isHeld && !isDelisted) this.#counts.dataEndedPositions++
      this.#request.observe?.({ class: 'universe', tsMs: nowMs, symbol: s, row: -1 }, this.#ledger)
    }
    this.#nextDelistMs = nextDelistMs(this.#market.input, nowMs)
  }

  #decide(nowMs: number, anyClosed: boolean, funding: FundingEvent[], universe: UniverseEvent | undefined): void {
    const { strategy, observe } = this.#request
    if (this.#outcome === 'drawdownStop') return
    if (this.#isStoppedOut()) {
      this.#outcome = 'drawdownStop'
      this.#outcomeTsMs = nowMs
      for (let s = 0; s < this.#market.symbols.length; s++) {
        this.#venue.cancel(s, 'drawdownStop')
        this.#venue.submitExit(s)
      }
      return
    }
    const isDecision = anyClosed && nowMs % this.#decisionEveryMs === 0
    try {
      const ctx = this.#context
      if (strategy.onUniverse && universe) assertDone(strategy.onUniverse(ctx, universe), 'onUniverse')
      if (strategy.onFunding) for (const event of funding) assertDone(strategy.onFunding(ctx, event), 'onFunding')
      if (strategy.onBar && isDecision) {
        this.#counts.decisions++
        assertDone(strategy.onBar(ctx), 'onBar')
      }
    } catch (error) {
      throw blame(error, strategy.name, nowMs)
    }
    const decisions = RunContext.takeDecisions(this.#context)
    if (decisions === undefined) return
    this.#desk.apply(decisions)
    observe?.({ class: 'strategy', tsMs: nowMs, symbol: -1, row: -1 }, this.#ledger)
  }

  #isStoppedOut(): boolean {
    const { drawdownMax } = this.#config.risk
    const { equity } = this.#ledger
    if (equity > this.#peakEquity) this.#peakEquity = equity
    return drawdownMax !== undefined && equity <= this.#peakEquity * (1 - drawdownMax)
  }

  #ruin(nowMs: number): void {
    this.#outcome = 'ruined'
    this.#outcomeTsMs = nowMs
    for (let s = 0; s < this.#market.symbols.length; s++) {
      this.#venue.forceExit(s, this.#ledger.markPx[s]!, 'liquidation', 'liquidated', this.#venue.fees.takerRateE8, 0)
    }
  }

  #result(): BacktestResult {
    const ledger = this.#ledger
    ledger.audit()
    return {
      symbols: this.#market.names,
      instruments: this.#market.symbols.map((s) => s.instrument),
      cashDecimals: this.#config.cashDecimals,
      capitalCash: ledger.capital,
      outcome: this.#outcome,
      outcomeTsMs: this.#outcomeTsMs,
      fills: this.#venue.fills.table(),
      equity: this.#equity.curve(),
      perSymbol: this.#market.names.map((symbol, s) => ({
        symbol,
        pricePnl: ledger.pricePnl[s]!,
        slippage: ledger.slippage[s]!,
        fees: ledger.fees[s]!,
        funding: ledger.funding[s]!,
        liquidationFees: ledger.liquidationFees[s]!,
        tradedCash: ledger.tradedCash[s]!,
        positionQty: ledger.positionQty[s]!,
        markPx: ledger.markPx[s]!,
      })),
      log: RunContext.logOf(this.#context),
      counts: { ...this.#counts, liquidations: this.#counts.liquidations + this.#venue.takeoverCount },
    }
  }
}
