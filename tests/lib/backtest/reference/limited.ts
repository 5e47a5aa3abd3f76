import type { Account, Holding } from './account.ts'
import { equityOf, grossOf, sumOf, worthOf } from './account.ts'
import { abs, decimal, type Fraction, isLess, least, per, plus, sign, times, whole } from './exact.ts'
import type { Order } from './story.ts'

/** The weights that the risk limits allow: each within its symbol's limit, then all set ones scaled by one factor until gross
 *  and net fit beside what the other positions keep. */
export function limited(account: Account, asked: ReadonlyMap<Holding, number>) {
  const { config, holdings } = account
  const equity = whole(equityOf(account))
  const { grossMax, netMax, symbolMax } = config.risk
  const weights = new Map<Holding, Fraction>()
  const size = (w: Fraction): Fraction => ({ over: abs(w.over), under: w.under })
  const none = whole(0n)
  let isClipped = false
  for (const [h, weight] of asked) {
    const w = decimal(weight)
    const clipped = symbolMax === undefined ? size(w) : least(size(w), decimal(symbolMax))
    isClipped ||= isLess(clipped, size(w))
    weights.set(h, { over: clipped.over * BigInt(sign(w.over)), under: clipped.under })
  }
  const kept = holdings.filter((h) => !weights.has(h)).map((h) => per(whole(worthOf(h)), equity))
  const sum = (of: Iterable<Fraction>) => [...of].reduce(plus, none)
  const negated = (w: Fraction): Fraction => ({ over: -w.over, under: w.under })
  const scale = (set: Fraction, keep: Fraction, limit: number | undefined): Fraction => {
    if (limit === undefined || set.over <= 0n) return whole(1n)
    const room = plus(decimal(limit), negated(keep))
    return room.over <= 0n ? none : least(whole(1n), per(room, set))
  }
  const net = [sum(weights.values()), sum(kept)] as const
  const k = [
    scale(sum([...weights.values()].map(size)), sum(kept.map(size)), grossMax),
    scale(net[0], net[1], netMax),
    scale(negated(net[0]), negated(net[1]), netMax),
  ].reduce(least)
  isClipped ||= isLess(k, whole(1n))
  return { weights: new Map([...weights].map(([h, weight]) => [h, times(weight, k)] as const)), isClipped }
}

/** Whether an order stays within the limits. What waits is taken at mark and as filled, whichever side it is on; the order
 *  itself at its own price. */
export function isWithinRisk(account: Account, o: Order, open: readonly Order[]): boolean {
  const { grossMax, netMax, symbolMax } = account.config.risk
  const equity = whole(equityOf(account))
  const within = (value: bigint, limit: number | undefined) =>
    limit === undefined || !isLess(times(decimal(limit), equity), whole(abs(value)))
  const total = (of: readonly Order[], each = (a: bigint) => a) =>
    of.reduce((sum, p) => sum + each(p.left * p.h.mark!), 0n)
  const waiting = open.filter((p) => !p.reduceOnly)
  const added = o.wanted * (o.limit ?? o.stop ?? o.h.mark!)
  const own = abs(worthOf(o.h) + added)
  const ownWaiting = waiting.filter((p) => p.h === o.h)
  const gross = grossOf(account) - abs(worthOf(o.h)) + own + total(waiting, abs)
  const net = sumOf(account, worthOf) + added + total(waiting)
  return within(own + total(ownWaiting, abs), symbolMax) && within(gross, grossMax) && within(net, netMax)
}
