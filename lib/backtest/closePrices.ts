import type { MarketView } from './marketView.ts'
import { pow10 } from './scaled.ts'

/** Closes as prices. Windows of them overlap nearly whole from one decision to the next: each close of a window is divided
 *  once, and the next window is a slice of a plain array, which is copied in one go. A typed array would live outside the
 *  young heap. What no window reaches back to any more is let go, so that those of all symbols fit the processor's cache. */
export class ClosePrices {
  #market: MarketView
  #scales: Float64Array
  /** By symbol: the first of row `from`. */
  #known: { readonly prices: number[]; readonly from: number; longest: number }[] = []

  constructor(market: MarketView) {
    this.#market = market
    this.#scales = Float64Array.from(market.symbols, ({ instrument }) => pow10(instrument.pxDecimals))
  }

  at(s: number, row: number): number {
    // Who asks for a window asks for its ends too: what was divided is at hand.
    const known = this.#known[s]
    const price = known === undefined || row < known.from ? undefined : known.prices[row - known.from]
    return price ?? this.#market.symbols[s]!.bars.closePx[row]! / this.#scales[s]!
  }

  window(s: number, from: number, end: number): number[] {
    let known = this.#known[s]
    if (known === undefined || from < known.from || from > known.from + known.prices.length) {
      known = this.#known[s] = { prices: [], from, longest: 0 }
    }
    if (end - from > known.longest) known.longest = end - from
    else if (known.prices.length > 4 * known.longest + 64) {
      const dropped = known.prices.length - 2 * known.longest
      known = this.#known[s] = { ...known, prices: known.prices.slice(dropped), from: known.from + dropped }
    }
    const { prices } = known
    const missing = known.from + prices.length
    if (missing < end) {
      const { closePx } = this.#market.symbols[s]!.bars
      const scale = this.#scales[s]!
      for (let row = missing; row < end; row++) prices.push(closePx[row]! / scale)
    }
    return prices.slice(from - known.from, end - known.from)
  }

  /** The closes of several symbols in the bars that all of them have, of the rows after `after` up to `last` each. */
  together(symbols: readonly { readonly s: number; readonly after: number; readonly last: number }[]): number[][] {
    const found = symbols.map((): number[] => [])
    const times = symbols.map(({ s }) => this.#market.symbols[s]!.bars.openTsMs)
    const row = symbols.map(({ after }) => Math.max(0, after + 1))
    const isThere = (i: number) => row[i]! <= symbols[i]!.last
    while (symbols.length > 0 && symbols.every((_, i) => isThere(i))) {
      let latest = times[0]![row[0]!]!
      for (let i = 1; i < symbols.length; i++) latest = Math.max(latest, times[i]![row[i]!]!)
      let isShared = true
      for (let i = 0; i < symbols.length; i++) {
        while (isThere(i) && times[i]![row[i]!]! < latest) row[i]!++
        if (!isThere(i) || times[i]![row[i]!]! !== latest) isShared = false
      }
      if (isShared) symbols.forEach(({ s }, i) => void found[i]!.push(this.at(s, row[i]!++)))
    }
    return found
  }
}
