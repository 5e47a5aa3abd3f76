import type { Account, Bar, Holding } from './account.ts'
import { equityOf, feeOf, grossOf, maintenanceOf, rateOf, sumOf, worthOf } from './account.ts'
import { abs, ceil, decimal, floor, isLess, max, min, per, plus, sign, times, whole } from './exact.ts'
import { reducing } from './sequences.ts'

const walk = 65_536n

/** The mark `step` of the way from a bar's open to the side that hurts. */
export function markAt(h: Holding, bar: Bar | undefined, step: bigint): bigint {
  if (bar === undefined) return h.mark!
  const { open, low, high, close } = bar.mark
  const side = h.position > 0n ? [low, open, close].reduce(min) : [high, open, close].reduce(max)
  return floor({ over: 2n * (open * walk + (side - open) * step) + walk, under: 2n * walk })
}

/** The first step at which margin is used up. */
export function firstBreach(surplusAt: (step: bigint) => bigint): bigint | undefined {
  if (surplusAt(walk) > 0n) return undefined
  let [low, high] = [-1n, walk]
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (surplusAt(middle) <= 0n) high = middle
    else low = middle
  }
  return high
}

/** What positions leave above their maintenance margin, at marks of one's choice. */
export function surplusOf(account: Account, held: Holding[], markOf: (h: Holding) => bigint, tsMs: number): bigint {
  const backing = account.config.marginMode === 'isolated' ? ownMargins(account, held) : account.cash
  return held.reduce((left, h) => left + h.position * markOf(h) - maintenanceOf(account, h, markOf(h), tsMs), backing)
}

const ownMargins = (account: Account, held: Holding[]): bigint =>
  held.reduce((sum, h) => sum + isolatedMargin(account, h) - h.entry, 0n)

/** What an isolated position can lose: its part of the entry, and what funding brought it. */
export const isolatedMargin = ({ config }: Account, h: Holding): bigint =>
  floor(per(whole(abs(h.entry)), decimal(config.leverageMax))) + h.heldFunding

/** Where an isolated position's margin is spent, and not a unit more. */
export function spentPx(account: Account, h: Holding): bigint {
  const left = h.entry - isolatedMargin(account, h)
  const isLong = h.position > 0n
  return max(1n, isLong ? ceil({ over: left, under: h.position }) : floor({ over: -left, under: -h.position }))
}

export function isBeyondMargin(account: Account, h: Holding, px: bigint, rateBps: number): boolean {
  if (account.config.marginMode !== 'isolated' || h.position === 0n) return false
  const worth = h.position * px
  return isolatedMargin(account, h) + worth - h.entry < feeOf(worth, rateBps)
}

/** The largest part of `qty` after which gross exposure at mark is within the cap of the equity that is then left, and for
 *  which, where positions are isolated, a margin is left beside those of the others. Closing is always allowed. */
export function affordable(account: Account, h: Holding, qty: bigint, fillPx: bigint, rateBps: number): bigint {
  const { leverageMax, marginMode } = account.config
  const closing = reducing(qty, h.position)
  const isInCap = (part: bigint): boolean => {
    // The fee before it is rounded to a unit of cash, which the cap is not held to.
    const fee = times(whole(-abs(part * fillPx)), rateOf(rateBps))
    const equity = plus(whole(equityOf(account) + part * (h.mark! - fillPx)), fee)
    const gross = grossOf(account) - abs(worthOf(h)) + abs((h.position + part) * h.mark!)
    return !isLess(times(decimal(leverageMax), equity), whole(gross))
  }
  const free =
    account.cash +
    sumOf(account, (one) => {
      if (one === h && closing !== 0n) return h.position * fillPx
      return one.entry === 0n ? 0n : one.entry - isolatedMargin(account, one)
    })
  const hasMargin = (part: bigint): boolean => {
    const opened = whole(abs(part - closing) * fillPx)
    const asked = plus(per(opened, decimal(leverageMax)), times(whole(abs(part * fillPx)), rateOf(rateBps)))
    return !isLess(whole(free), asked)
  }
  const fits = (part: bigint): boolean => isInCap(part) && (marginMode === 'cross' || hasMargin(part))
  const of = (steps: bigint): bigint => steps * h.step * BigInt(sign(qty))
  let low = abs(closing) / h.step
  let high = abs(qty) / h.step + 1n
  while (high - low > 1n) {
    const middle = (low + high) / 2n
    if (fits(of(middle))) low = middle
    else high = middle
  }
  return of(low)
}
