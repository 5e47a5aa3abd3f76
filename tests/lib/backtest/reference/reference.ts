import { snapSettlementTsMs } from '../../../../lib/backtest/market.ts'
import type { OrderKind, Outcome, Reason } from '../../../../lib/backtest/orders.ts'
import { fillFlags } from '../../../../lib/backtest/orders.ts'
import type { Account, Bar, Holding } from './account.ts'
import { curveRow, equityOf, feeBps, feeOf, openAccount, trade } from './account.ts'
import type { Fraction } from './exact.ts'
import {
  abs,
  ceil,
  decimal,
  fine,
  floor,
  isLess,
  max,
  min,
  nearest,
  per,
  plus,
  sign,
  times,
  truncate,
  whole,
} from './exact.ts'
import { isWithinRisk, limited } from './limited.ts'
import { affordable, firstBreach, isBeyondMargin, isolatedMargin, markAt, spentPx, surplusOf } from './margin.ts'
import { reached, reducing, worstSequence } from './sequences.ts'
import { takerPx } from './slipped.ts'
import type { Action, CurveRow, Order, Request, Row, Touch } from './story.ts'

/** The portfolio backtest once more, from its rules alone: exact, slow, one loop over instants. */
export function referenceRun({ market, config, fromMs, toMs, decisionEveryMs, script, onFunding }: Request) {
  const account = openAccount(market, config)
  const { holdings } = account
  const rows: Row[] = []
  const curve: CurveRow[] = []
  const asked: (Order | undefined)[] = []
  let open: Order[] = []
  let lastId = 0
  let nowMs = 0
  let peak = equityOf(account)
  let outcome: 'completed' | 'drawdownStop' | 'ruined' = 'completed'
  const volumeLeft = new Map<Holding, bigint>()

  const isQuarantined = (h: Holding, atMs = nowMs) =>
    (h.input.quarantine ?? []).some(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)

  // ---- the story of orders

  function write(o: Order, what: Outcome, reason: Reason, fill?: Partial<Row>): void {
    const blank = { isMaker: false, barOpenTsMs: Number.NaN, qty: 0n, reference: undefined, fill: undefined, fee: 0n }
    const { id, kind, flags, decisionTsMs, activeTsMs, wanted, limit, stop } = o
    const order = { id, symbol: o.h.name, kind, flags, decisionTsMs, activeTsMs, wanted, limit, stop }
    rows.push({ ...order, outcome: what, reason, tsMs: nowMs, position: o.h.position, slippage: 0n, ...blank, ...fill })
  }
  function end(o: Order, what: Outcome, reason: Reason): void {
    open = open.filter((other) => other !== o)
    write(o, what, reason)
  }
  const endAll = (of: (o: Order) => boolean, what: Outcome, reason: Reason) => {
    for (const h of holdings) for (const o of open.filter((o) => o.h === h && of(o))) end(o, what, reason)
  }
  function makeOrder(h: Holding, kind: OrderKind, wanted: bigint, more: Partial<Order> = {}): Order {
    const at = { decisionTsMs: nowMs, activeTsMs: nowMs + config.latencyMs }
    const state = { rested: false, triggered: false, flags: 0, fromTarget: false, reduceOnly: false }
    const prices = { limit: undefined, stop: undefined }
    return { id: ++lastId, h, kind, wanted, left: wanted, ...prices, ...at, ...state, ...more }
  }

  // ---- fills

  type Fill = { qty: bigint; fill: bigint; reference: bigint; isMaker?: boolean; barOpenTsMs?: number; flags?: number }
  function book(o: Order, made: Fill, feeRateBps: number): void {
    const { qty, fill, reference } = made
    const { h } = o
    const fee = feeOf(qty * fill, feeRateBps)
    trade(account, h, qty, fill, reference)
    account.cash -= fee
    h.fees -= fee
    o.left -= qty
    const reason = o.kind === 'liquidation' ? 'liquidated' : o.kind === 'delisting' ? 'delisted' : 'none'
    const slippage = qty * (reference - fill)
    write(o, o.left === 0n ? 'filled' : 'partial', reason, { ...made, fee: -fee, slippage })
    if (o.left === 0n) open = open.filter((other) => other !== o)
  }

  /** Fills what the bar, the reduce-only rule and the margin let through. */
  function execute({ order: o, reference, isMaker, flags }: Touch, bar: Bar): void {
    const { h } = o
    // What was matched before it may have ended it.
    if (!open.includes(o)) return
    const isBuy = o.left > 0n
    let qty = o.left
    const mayAdd = h.isMember && !o.reduceOnly
    if (!mayAdd) {
      qty = reducing(qty, h.position)
      const isWaiting = o.kind !== 'market' && open.some((e) => e.h === h && !e.reduceOnly && e.left > 0n !== isBuy)
      if (qty === 0n && o.reduceOnly && isWaiting) return
      if (qty === 0n) {
        end(o, 'cancelled', o.reduceOnly ? 'nothingToReduce' : 'notInUniverse')
        return
      }
    }
    o.triggered = o.kind === 'stop'
    const isClipped = qty !== o.left
    const cap = volumeLeft.get(h)!
    const isCapped = abs(qty) > cap
    if (isCapped) qty = isBuy ? cap : -cap
    // Where nothing gets through there is no row, and the next one tells of it.
    if (qty === 0n) o.flags |= fillFlags.volumeCapped
    if (qty === 0n) return
    const fillPx = isMaker ? reference : takerPx(config, o, { bar, reference, qty })
    const rateBps = feeBps(config, nowMs, isMaker)
    if (reducing(qty, h.position) !== 0n && isBeyondMargin(account, h, fillPx, rateBps)) {
      exit(h, 'liquidation', fillPx, rateBps, fillFlags.gapped)
      return
    }
    const wanted = qty
    if (qty !== reducing(qty, h.position)) qty = affordable(account, h, qty, fillPx, rateBps)
    const isShort = qty !== wanted
    if (qty !== 0n) {
      volumeLeft.set(h, cap - abs(qty))
      const limits = (isCapped ? fillFlags.volumeCapped : 0) | (isShort ? fillFlags.marginClipped : 0)
      book(
        o,
        { qty, fill: fillPx, reference, isMaker, barOpenTsMs: bar.openTsMs, flags: o.flags | flags | limits },
        rateBps,
      )
      o.flags &= ~fillFlags.volumeCapped
    }
    if (o.left === 0n) return
    if (isShort) end(o, 'cancelled', 'insufficientMargin')
    else if (isClipped && !isCapped) end(o, 'cancelled', o.reduceOnly ? 'nothingToReduce' : 'notInUniverse')
  }

  function atOpen(h: Holding, bar: Bar): void {
    volumeLeft.set(h, floor(times(whole(bar.volume), decimal(config.volumeShareMax)), h.step))
    if (isQuarantined(h) || bar.trades === 0 || h.isGone) return
    for (const o of open.filter((o) => o.h === h)) {
      const isSameInstant = bar.openTsMs < o.activeTsMs
      if (isSameInstant && !(config.latencyMs < market.intervalMs && o.decisionTsMs === bar.openTsMs)) continue
      const early = isSameInstant ? fillFlags.sameInstantOpen : 0
      const px = bar.open
      const isBuy = o.left > 0n
      const [limit, stop] = [o.limit, o.triggered ? undefined : o.stop]
      const { rested } = o
      o.rested = true
      if (limit !== undefined && (isBuy ? px < limit : px > limit)) {
        execute(
          { order: o, reference: rested ? limit : px, isMaker: rested, flags: rested ? fillFlags.gapped : early },
          bar,
        )
      } else if (stop !== undefined && (isBuy ? px >= stop : px <= stop)) {
        execute({ order: o, reference: px, isMaker: false, flags: early | (px === stop ? 0 : fillFlags.gapped) }, bar)
      } else if (limit === undefined && stop === undefined) {
        execute({ order: o, reference: px, isMaker: false, flags: early }, bar)
      }
    }
  }

  function touches(h: Holding, bar: Bar): Touch[] {
    if (isQuarantined(h, bar.openTsMs) || bar.trades === 0 || h.isGone) return []
    return reached(
      open.filter((o) => o.h === h),
      bar,
    )
  }

  function inRange(h: Holding, bar: Bar): void {
    for (const touch of worstSequence(touches(h, bar), h.position, bar.close)) {
      execute(touch, bar)
    }
  }

  // ---- margin

  /** The stops that a bar reached on its way to where margin is used up. */
  function fillStopsBefore(h: Holding, px: bigint): boolean {
    const bar = closingNow(h)
    if (bar === undefined) return false
    const held = h.position
    const isBefore = ({ order: o, reference }: Touch) =>
      o.stop !== undefined && (held > 0n ? o.left < 0n && reference > px : o.left > 0n && reference < px)
    const nearer = (a: Touch, b: Touch) => sign(a.reference - b.reference) * (held > 0n ? -1 : 1)
    for (const touch of touches(h, bar).filter(isBefore).sort(nearer)) execute(touch, bar)
    return h.position !== held
  }

  /** Judges what stands for itself: the account, or each isolated position. */
  function liquidate(stopsFirst: boolean): void {
    const held = holdings.filter((h) => h.position !== 0n)
    if (config.marginMode === 'cross') liquidateOne(held, stopsFirst)
    else for (const h of held) liquidateOne([h], stopsFirst)
  }

  function liquidateOne(all: Holding[], stopsFirst: boolean): void {
    const held = all.filter((h) => h.position !== 0n)
    const at = (h: Holding, step: bigint) => markAt(h, closingNow(h), step)
    const step = firstBreach((k) => surplusOf(account, held, (h) => at(h, k), nowMs))
    if (held.length === 0 || step === undefined) return
    const breach = held.map((h) => [h, at(h, step)] as const)
    const stopped = breach.filter(([h, px]) => stopsFirst && fillStopsBefore(h, px))
    if (stopped.length > 0) liquidateOne(all, stopsFirst)
    for (const [h, breachPx] of stopped.length > 0 ? [] : breach) {
      let px = breachPx
      let feeMax: bigint | undefined
      if (config.marginMode === 'isolated') {
        const side = h.position > 0n ? max : min
        px = side(breachPx, spentPx(account, h))
        feeMax = max(0n, isolatedMargin(account, h) + h.position * px - h.entry)
      }
      const whole = feeOf(h.position * px, config.liquidationFeeBps)
      exit(h, 'liquidation', px, 0, step === 0n ? fillFlags.gapped : 0)
      const fee = feeMax === undefined ? whole : min(whole, feeMax)
      account.cash -= fee
      h.liquidationFees -= fee
    }
  }

  /** Closes a position from outside. */
  function exit(h: Holding, kind: 'liquidation' | 'delisting', px: bigint, feeRateBps: number, flags: number): void {
    endAll((o) => o.h === h, 'cancelled', kind === 'liquidation' ? 'liquidated' : 'delisted')
    if (h.position === 0n) return
    if (isBeyondMargin(account, h, px, feeRateBps)) {
      px = spentPx(account, h)
      feeRateBps = 0
    }
    const o = makeOrder(h, kind, -h.position, { activeTsMs: nowMs, flags: fillFlags.forced | flags })
    book(o, { qty: -h.position, fill: px, reference: px }, feeRateBps)
  }

  // ---- decisions

  function objection(o: Order): Reason | undefined {
    const { h } = o
    const notional = abs(o.wanted) * (o.limit ?? o.stop ?? h.mark ?? 0n)
    const reduces = o.reduceOnly || abs(reducing(o.wanted, h.position)) === abs(o.wanted)
    if (isQuarantined(h)) return 'quarantine'
    if (h.isGone) return 'delisted'
    if (h.mark === undefined) return 'noPrice'
    if (o.wanted === 0n) return 'belowMinimum'
    if (reduces) return undefined
    if (!h.isMember) return 'notInUniverse'
    if (notional < BigInt(h.input.instrument.minNotionalCash)) return 'belowMinimum'
    return isWithinRisk(account, o, open) ? undefined : 'riskLimit'
  }
  function setWeights(asked: Map<Holding, number>): void {
    const { weights, isClipped } = limited(account, asked)
    for (const h of holdings) {
      const weight = weights.get(h)
      if (weight !== undefined) setTarget(h, weight, isClipped ? fillFlags.riskClipped : 0)
    }
  }

  function setTarget(h: Holding, weight: Fraction, flags: number): void {
    for (const o of open.filter((o) => o.h === h && o.fromTarget)) end(o, 'cancelled', 'replaced')
    const send = (qty: bigint, reject?: Reason): void => {
      const reduceOnly = qty !== 0n && qty === reducing(qty, h.position)
      const o = makeOrder(h, 'market', qty, { fromTarget: true, reduceOnly, flags })
      if (reject === undefined) open.push(o)
      else write(o, 'rejected', reject)
    }
    const isOpening = h.position === 0n && weight.over !== 0n
    if (h.mark === undefined) {
      if (isOpening) send(0n, 'noPrice')
      return
    }
    const wanted = truncate(per(times(weight, whole(equityOf(account))), whole(h.mark)), h.step)
    const minimum = BigInt(h.input.instrument.minNotionalCash)
    const barred = isQuarantined(h) ? 'quarantine' : h.isGone ? 'delisted' : h.isMember ? undefined : 'notInUniverse'
    // One that may not be opened may still be reduced: the target is held between zero and the position.
    const target = barred === undefined ? wanted : -reducing(-wanted, h.position)
    const qty = target - h.position
    const reduces = qty === reducing(qty, h.position)
    if (qty === 0n) {
      if (isOpening) send(wanted, barred ?? 'belowMinimum')
    } else if (isQuarantined(h)) send(qty, 'quarantine')
    else if (reduces || abs(qty) * h.mark >= minimum) send(qty)
    else if (isOpening) send(qty, 'belowMinimum')
    const cut = wanted - target
    if (barred !== undefined && h.position - qty !== 0n && cut !== 0n && abs(cut) * h.mark >= minimum) send(cut, barred)
  }

  function decide(actions: readonly Action[]): void {
    let weights: Map<Holding, number> | undefined
    const named = (symbol: string) => holdings.find((h) => h.name === symbol)!
    for (const action of actions) {
      if ('order' in action) {
        const { symbol, qty, kind = 'market', price, reduceOnly = false } = action.order
        const h = named(symbol)
        const { qtyDecimals, pxDecimals } = h.input.instrument
        const wanted = truncate(fine(times(decimal(qty), whole(10n ** BigInt(qtyDecimals)))), h.step)
        const at = price === undefined ? undefined : fine(times(decimal(price), whole(10n ** BigInt(pxDecimals))))
        // A limit in its owner's favour, a stop against it.
        const px = at && (qty > 0 === (kind === 'limit') ? floor(at, h.tick) : ceil(at, h.tick))
        const o = makeOrder(h, kind, wanted, { reduceOnly, [kind === 'stop' ? 'stop' : 'limit']: px })
        asked.push(o)
        const reason = objection(o)
        if (reason === undefined) open.push(o)
        else write(o, 'rejected', reason)
      } else if ('cancel' in action) {
        endAll((o) => o === asked[action.cancel], 'cancelled', 'strategy')
      } else if ('cancelAll' in action) {
        endAll((o) => action.cancelAll === undefined || o.h.name === action.cancelAll, 'cancelled', 'strategy')
      } else {
        weights ??= new Map()
        if (action.othersToZero) {
          weights.clear()
          for (const h of holdings) if (h.mark !== undefined && !h.isGone) weights.set(h, 0)
        }
        for (const [symbol, weight] of Object.entries(action.weights)) weights.set(named(symbol), weight)
      }
    }
    if (weights) setWeights(weights)
  }

  // ---- one instant after the other

  const closingNow = (h: Holding): Bar | undefined => h.bars.find((bar) => bar.closeTsMs === nowMs)
  const instants = new Set<number>()
  for (const { bars, input } of holdings) {
    for (const bar of bars) instants.add(bar.openTsMs).add(bar.closeTsMs)
    for (const tsMs of input.funding?.tsMs ?? []) instants.add(snapSettlementTsMs(tsMs))
  }
  for (const { tsMs } of market.universe ?? []) instants.add(tsMs)

  function leave(h: Holding, flags: number): void {
    h.isGone = true
    const last = h.bars.filter((bar) => bar.closeTsMs <= nowMs && bar.trades > 0).at(-1)
    exit(h, 'delisting', last?.mark.close ?? h.mark ?? 0n, feeBps(config, nowMs, false), flags)
  }

  function record(tsMs = nowMs): void {
    if (tsMs >= fromMs && curve.at(-1)?.tsMs !== tsMs) curve.push(curveRow(account, tsMs))
  }

  record(fromMs)
  for (nowMs of [...instants].filter((tsMs) => tsMs <= toMs).sort((a, b) => a - b)) {
    // What the bars ending now did to the orders in them.
    if (holdings.some((h) => h.position !== 0n && closingNow(h) && touches(h, closingNow(h)!).length > 0))
      liquidate(true)
    for (const h of holdings) if (closingNow(h)) inRange(h, closingNow(h)!)
    for (const h of holdings) h.mark = closingNow(h)?.mark.close ?? h.mark
    let isSettling = false
    for (const h of holdings) {
      const { tsMs, rateE18, markPx } = h.input.funding ?? { tsMs: [], rateE18: [], markPx: [] }
      const i = Array.from(tsMs).findIndex((at) => snapSettlementTsMs(at) === nowMs)
      if (i < 0 || h.isGone) continue
      isSettling = true
      if (h.position === 0n) continue
      const px = Number.isNaN(markPx[i]!) ? h.mark! : BigInt(markPx[i]!)
      const got = nearest({ over: -h.position * px * rateE18[i]!, under: 10n ** 18n })
      account.cash += got
      h.funding += got
      h.heldFunding += got
    }
    liquidate(false)
    if (equityOf(account) <= 0n) {
      outcome = 'ruined'
      for (const h of holdings) exit(h, 'liquidation', h.mark ?? 0n, feeBps(config, nowMs, false), 0)
      record()
      break
    }
    for (const change of market.universe ?? []) {
      if (change.tsMs === nowMs) for (const h of holdings) h.isMember = change.symbols.includes(h.name)
    }
    for (const h of holdings) {
      if (h.isGone) continue
      if ((h.input.delistTsMs ?? Infinity) <= nowMs) leave(h, 0)
      else if ((h.bars.at(-1)?.closeTsMs ?? -Infinity) < nowMs) leave(h, fillFlags.dataEnded)
    }
    record()
    if (nowMs >= toMs) break
    if (nowMs >= fromMs && outcome === 'completed') {
      const equity = equityOf(account)
      peak = max(peak, equity)
      const drawdown = config.risk.drawdownMax
      if (drawdown !== undefined && !isLess(times(whole(peak), plus(whole(1n), decimal(-drawdown))), whole(equity))) {
        outcome = 'drawdownStop'
        endAll(() => true, 'cancelled', 'drawdownStop')
        for (const h of holdings) {
          const flags = fillFlags.forced
          if (h.position !== 0n) open.push(makeOrder(h, 'market', -h.position, { flags, reduceOnly: true }))
        }
      } else {
        const atBar = holdings.some(closingNow) && nowMs % decisionEveryMs === 0 ? script.get(nowMs) : []
        decide([...((isSettling && onFunding.get(nowMs)) || []), ...(atBar ?? [])])
      }
    }
    for (const h of holdings) {
      const bar = h.bars.find(({ openTsMs }) => openTsMs === nowMs)
      if (bar) atOpen(h, bar)
    }
  }
  endAll(() => true, 'expired', 'runEnd')
  record(Math.max(fromMs, nowMs))
  return { rows, curve, outcome, account: account satisfies Account }
}
