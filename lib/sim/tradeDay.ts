import assert from 'node:assert/strict'
import { createRng, type Rng } from '../rng.ts'
import { MINUTE_MS, type TsMs } from '../time.ts'
import { aggregatesOf, type BarDay, type Recipes } from './barDay.ts'
import type { Instrument } from './instrument.ts'

/** Trades in venue order, one row each. Rows with the same `order` are one taker order: one aggregate trade. */
export type Trades = {
  readonly rows: number
  readonly tsMs: Float64Array
  readonly pxTicks: Int32Array
  readonly qtyLots: Float64Array
  /** 1 where the buyer was the maker: a taker sell. */
  readonly buyerIsMaker: Uint8Array
  /** Number of the taker order within these trades, from 0. */
  readonly order: Int32Array
}

/** Scratch for one minute's taker orders, reused from minute to minute. */
type Orders = {
  key: Float64Array
  px: Int32Array
  lots: Float64Array
  sell: Uint8Array
}

/** Fills minutes [fromMinute, toMinute) of a day with trades that add up to its bars to the last digit. */
export function tradesOf(
  seed: number | string,
  instrument: Instrument,
  d: number,
  dayStartTsMs: TsMs,
  bars: BarDay,
  recipes: Recipes,
  fromMinute: number,
  toMinute: number,
): Trades {
  let rows = 0
  let widest = 0
  for (let i = fromMinute; i < toMinute; i++) {
    rows += bars.count[i]!
    widest = Math.max(widest, bars.count[i]!)
  }
  const trades: Trades = {
    rows,
    tsMs: new Float64Array(rows),
    pxTicks: new Int32Array(rows),
    qtyLots: new Float64Array(rows),
    buyerIsMaker: new Uint8Array(rows),
    order: new Int32Array(rows),
  }
  const orders: Orders = {
    key: new Float64Array(widest),
    px: new Int32Array(widest),
    lots: new Float64Array(widest),
    sell: new Uint8Array(widest),
  }
  let row = 0
  let order = 0
  for (let i = fromMinute; i < toMinute; i++) {
    if (bars.count[i] === 0) continue
    // A stream for each minute, so that any minute can be made without the ones before it.
    const rng = createRng(seed, 'trades', instrument.spec.market, instrument.spec.symbol, d, i)
    const placed = placeOrders(rng, bars, recipes, i, orders)
    fillOrders(rng, trades, row, order, bars.count[i]!, placed, dayStartTsMs + i * MINUTE_MS, orders)
    row += bars.count[i]!
    order += placed
  }
  return trades
}

const ORDER_SLOTS = 65536

/** Puts the minute's taker orders in `orders`, keyed by time. Returns how many there are. */
function placeOrders(rng: Rng, bars: BarDay, recipes: Recipes, i: number, orders: Orders): number {
  const aggregates = aggregatesOf(bars.count[i]!)
  assert.ok(aggregates < ORDER_SLOTS)
  const open = bars.open[i]!
  const high = bars.high[i]!
  const low = bars.low[i]!
  const close = bars.close[i]!
  const { px, lots, sell, key } = orders
  const lastSlot = aggregates - 1
  const lastMs = aggregates === 1 ? Math.floor(rng.uniform() * MINUTE_MS) : 59_000 + rng.below(1000)
  const put = (slot: number, price: number, quantity: number, isSell: number, ms: number) => {
    px[slot] = price
    lots[slot] = quantity
    sell[slot] = isSell
    key[slot] = ms * ORDER_SLOTS + slot
  }
  put(lastSlot, close, recipes.lastLots[i]!, recipes.sides[i]! & 2 ? 0 : 1, lastMs)
  if (aggregates === 1) return 1

  const firstMs = rng.below(Math.max(1, Math.floor(20_000 / aggregates)))
  put(0, open, recipes.firstLots[i]!, recipes.sides[i]! & 1 ? 0 : 1, firstMs)
  // The minute walks from open to one extreme, to the other, to close; a rising one visits its low first.
  const rising = close > open
  const turns = {
    firstPx: rising ? low : high,
    secondPx: rising ? high : low,
    firstMs: 10_000 + rng.below(15_000),
    secondMs: 32_000 + rng.below(16_000),
  }
  let slot = 1
  if (recipes.highLots[i]! > 0) put(slot++, high, recipes.highLots[i]!, 0, rising ? turns.secondMs : turns.firstMs)
  if (recipes.lowLots[i]! > 0) put(slot++, low, recipes.lowLots[i]!, 1, rising ? turns.firstMs : turns.secondMs)

  const bulkStart = slot
  slot = bulkOrders(
    rng,
    orders,
    slot,
    recipes.bulkBuys[i]!,
    recipes.bulkBuyLots[i]!,
    recipes.bulkBuyRise[i]!,
    low,
    high,
    0,
  )
  slot = bulkOrders(
    rng,
    orders,
    slot,
    recipes.bulkSells[i]!,
    recipes.bulkSellLots[i]!,
    recipes.bulkSellRise[i]!,
    low,
    high,
    1,
  )
  for (let s = bulkStart; s < slot; s++) {
    const ms = passingTime(rng, px[s]!, open, close, turns, firstMs, lastMs)
    key[s] = ms * ORDER_SLOTS + s
  }
  return aggregates
}

/** Orders of one side: `count` of them, `lots` in all, Σ lots × (price - low) = rise, prices within [low, high]. */
function bulkOrders(
  rng: Rng,
  orders: Orders,
  start: number,
  count: number,
  lots: number,
  rise: number,
  low: number,
  high: number,
  isSell: number,
): number {
  if (count === 0) return start
  const { px, sell } = orders
  const level = Math.floor(rise / lots)
  const above = rise - level * lots
  // All at low + level would fall short by `above`: exactly that many lots trade one tick higher.
  const least = Math.max(above === 0 ? 0 : 1, count - (lots - above))
  const most = Math.min(above === 0 ? 0 : count - 1, above)
  const upper = Math.max(least, Math.min(most, Math.round((count * above) / lots)))
  pairedLots(rng, orders.lots, start, upper, above)
  pairedLots(rng, orders.lots, start + upper, count - upper, lots - above)
  for (let s = start; s < start + count; s++) {
    px[s] = low + level + (s < start + upper ? 1 : 0)
    sell[s] = isSell
  }
  spreadPairs(rng, orders, start, upper, low, high)
  spreadPairs(rng, orders, start + upper, count - upper, low, high)
  return start + count
}

/** `count` quantities that add up to `total`, in neighbouring pairs of equal size as far as that goes. */
function pairedLots(rng: Rng, lots: Float64Array, start: number, count: number, total: number): void {
  if (count === 0) return
  const pairs = (count + 1) >> 1
  const extra = total - count
  let weights = 0
  for (let p = 0; p < pairs; p++) {
    const u = rng.bits() / 4294967296
    weights += 0.05 + u * u * u
    lots[start + p] = weights
  }
  let given = 0
  // From the back, because the running weights lie in the slots that the pairs are about to take.
  for (let p = pairs - 1; p >= 0; p--) {
    const before = p === 0 ? 0 : Math.floor((extra * lots[start + p - 1]!) / weights)
    const share = extra - given - before
    given += share
    const at = start + 2 * p
    if (at + 1 < start + count) {
      const half = Math.floor(share / 2)
      lots[at] = 1 + share - half
      lots[at + 1] = 1 + half
    } else {
      lots[at] = 1 + share
    }
  }
}

/** Moves the two orders of a pair apart by as many ticks up as down. Equal quantities, so turnover stays. */
function spreadPairs(rng: Rng, orders: Orders, start: number, count: number, low: number, high: number): void {
  const { px, lots } = orders
  for (let s = start; s + 1 < start + count; s += 2) {
    if (lots[s] !== lots[s + 1]) continue
    const room = Math.min(px[s]! - low, high - px[s]!)
    if (room <= 0) continue
    const u = rng.bits() / 4294967296
    const apart = Math.floor((room + 1) * u * u)
    px[s]! += apart
    px[s + 1]! -= apart
  }
}

type Turns = { firstPx: number; secondPx: number; firstMs: number; secondMs: number }

/** A time at which the minute's walk passes the price. */
function passingTime(
  rng: Rng,
  price: number,
  open: number,
  close: number,
  turns: Turns,
  firstMs: number,
  lastMs: number,
): number {
  const u = rng.bits() / 4294967296
  let fromPx = turns.firstPx
  let toPx = turns.secondPx
  let fromMs = turns.firstMs
  let toMs = turns.secondMs
  if (u < 0.3 && between(price, open, turns.firstPx)) {
    fromPx = open
    toPx = turns.firstPx
    fromMs = firstMs
    toMs = turns.firstMs
  } else if (u > 0.65 && between(price, turns.secondPx, close)) {
    fromPx = turns.secondPx
    toPx = close
    fromMs = turns.secondMs
    toMs = lastMs
  }
  const v = rng.bits() / 4294967296
  const progress = toPx === fromPx ? v : Math.min(1, Math.max(0, (price - fromPx + v - 0.5) / (toPx - fromPx)))
  const ms = Math.floor(fromMs + (toMs - fromMs) * progress)
  return Math.max(firstMs, Math.min(lastMs, ms))
}

const between = (x: number, a: number, b: number): boolean => (x >= a && x <= b) || (x >= b && x <= a)

/** Writes the minute's trades: each order in time order, split among its makers. */
function fillOrders(
  rng: Rng,
  trades: Trades,
  firstRow: number,
  firstOrder: number,
  count: number,
  placed: number,
  minuteTsMs: TsMs,
  orders: Orders,
): void {
  const sorted = orders.key.subarray(0, placed).sort()
  let splits = count - placed
  let room = -placed
  for (let s = 0; s < placed; s++) room += orders.lots[s]!
  let row = firstRow
  for (let k = 0; k < placed; k++) {
    const slot = sorted[k]! % ORDER_SLOTS
    const ms = (sorted[k]! - slot) / ORDER_SLOTS
    let left = orders.lots[slot]!
    room -= left - 1
    // At least what the orders to come cannot take, at most what this one can; in between as chance has it.
    const must = Math.max(0, splits - room)
    const can = Math.min(splits, left - 1)
    const fair = splits === 0 ? 0 : Math.floor((splits / (placed - k)) * 2 * (rng.bits() / 4294967296) + 0.5)
    const extra = Math.max(must, Math.min(can, fair))
    splits -= extra
    for (let part = extra; part >= 0; part--) {
      const lots = part === 0 ? left : 1 + Math.floor((left - part - 1) * (rng.bits() / 4294967296) * (1 / part))
      left -= lots
      trades.tsMs[row] = minuteTsMs + ms
      trades.pxTicks[row] = orders.px[slot]!
      trades.qtyLots[row] = lots
      trades.buyerIsMaker[row] = orders.sell[slot]!
      trades.order[row] = firstOrder + k
      row++
    }
  }
  assert.equal(row, firstRow + count)
}

/** Taker orders of some minutes, from their trade counts alone. */
export function ordersOver(count: Int32Array): number {
  let orders = 0
  for (const trades of count) orders += aggregatesOf(trades)
  return orders
}
