import { fillFlags } from '../../../../lib/backtest/orders.ts'
import type { Bar } from './account.ts'
import { max, min, sign } from './exact.ts'
import type { Order, Touch } from './story.ts'

/** The part that reduces the position. */
export const reducing = (qty: bigint, position: bigint): bigint =>
  sign(qty) * sign(position) < 0 ? (qty > 0n ? min(qty, -position) : max(qty, -position)) : 0n

/** Of all sequences in which a bar may have touched orders, the one that leaves least at its close. Beyond six orders,
 *  only those with all of a kind together. */
export function worstSequence(touched: Touch[], held: bigint, close: bigint): Touch[] {
  if (touched.length < 2) return touched
  const leaves = (sequence: Touch[]): bigint => {
    let [position, cash] = [held, 0n]
    for (const { order, reference } of sequence) {
      const qty = order.reduceOnly ? reducing(order.left, position) : order.left
      position += qty
      cash -= qty * reference
    }
    return cash + position * close
  }
  const isStop = (t: Touch) => t.order.stop !== undefined
  const [stops, limits] = [touched.filter(isStop), touched.filter((t) => !isStop(t))]
  const kinds = [
    [...stops, ...limits],
    [...limits, ...stops],
  ]
  const many = [...kinds, ...kinds.map((way) => way.toReversed())]
  const ways = [touched, ...(touched.length > 6 ? many : sequencesOf(touched))]
  const least = ways.reduce((worse, way) => (leaves(way) < leaves(worse) ? way : worse))
  const matters = (stops.length > 0 && limits.length > 0) || ways.some((way) => leaves(way) !== leaves(touched))
  return matters ? least.map((t) => ({ ...t, flags: t.flags | fillFlags.bothTouched })) : least
}

const sequencesOf = (rest: Touch[]): Touch[][] =>
  rest.length === 0 ? [[]] : rest.flatMap((t) => sequencesOf(rest.filter((u) => u !== t)).map((way) => [t, ...way]))

/** Orders that rest, and that a bar's range reached: a stop by a touch, a limit by a trade through its price. */
export const reached = (orders: readonly Order[], bar: Bar): Touch[] =>
  orders
    .filter(({ rested, triggered, left, limit, stop }) => {
      if (!rested || triggered) return false
      if (limit !== undefined) return left > 0n ? bar.low < limit : bar.high > limit
      return stop !== undefined && (left > 0n ? bar.high >= stop : bar.low <= stop)
    })
    .map((order) => ({
      order,
      reference: (order.limit ?? order.stop)!,
      isMaker: order.limit !== undefined,
      flags: 0,
    }))
