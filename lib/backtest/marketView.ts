import { rowAgo } from './lookback.ts'
import type { MarketInput, SymbolInput, TimeSpan } from './market.ts'

/** The market as it is known at one instant: cursors into the input that only move forward. The engine moves them; the
 *  strategy's context reads behind them. */
export class MarketView {
  readonly input: MarketInput
  readonly symbols: readonly SymbolInput[]
  readonly names: readonly string[]
  readonly indexOf: ReadonlyMap<string, number>
  nowMs = Number.NEGATIVE_INFINITY
  /** The last bar that has closed, -1 before the first. */
  readonly closedRow: Int32Array
  readonly isMember: Uint8Array
  readonly isGone: Uint8Array
  readonly isQuarantined: Uint8Array
  #columnRow: Int32Array
  #quarantineNext: Int32Array
  #quarantineCount: number
  #columnCount: number

  constructor(input: MarketInput) {
    const count = input.symbols.length
    this.input = input
    this.symbols = input.symbols
    this.names = input.symbols.map((s) => s.instrument.symbol)
    this.indexOf = new Map(this.names.map((name, index) => [name, index]))
    this.closedRow = new Int32Array(count).fill(-1)
    this.isMember = new Uint8Array(count).fill(input.universe === undefined ? 1 : 0)
    this.isGone = new Uint8Array(count)
    this.isQuarantined = new Uint8Array(count)
    this.#columnRow = new Int32Array(count).fill(-1)
    this.#quarantineNext = new Int32Array(count)
    this.#quarantineCount = input.symbols.filter((s) => (s.quarantine?.length ?? 0) > 0).length
    this.#columnCount = input.symbols.filter((s) => s.columns !== undefined).length
  }

  /** Masks and columns follow the clock by themselves; bars and membership move with their events. */
  advance(nowMs: number): void {
    this.nowMs = nowMs
    if (this.#quarantineCount > 0) {
      for (let s = 0; s < this.symbols.length; s++) this.#advanceQuarantine(s, this.symbols[s]!.quarantine)
    }
    if (this.#columnCount > 0) {
      for (let s = 0; s < this.symbols.length; s++) {
        const known = this.symbols[s]!.columns?.knownAtMs
        if (known === undefined) continue
        let row = this.#columnRow[s]!
        while (row + 1 < known.length && known[row + 1]! <= nowMs) row++
        this.#columnRow[s] = row
      }
    }
  }

  /** May be opened or added to now. */
  isTradable(symbol: number): boolean {
    return this.isMember[symbol] === 1 && this.isGone[symbol] === 0 && this.isQuarantined[symbol] === 0
  }

  /** The mark at the close of the last bar up to `row` in which something traded: what a delisted position is worth. NaN
   *  where nothing ever did. */
  tradedMarkPx(symbol: number, row: number): number {
    const { bars } = this.symbols[symbol]!
    let traded = row
    while (traded >= 0 && !(bars.tradeCount[traded]! > 0)) traded--
    if (traded < 0) return Number.NaN
    const markPx = bars.mark === undefined ? Number.NaN : bars.mark.closePx[traded]!
    return Number.isNaN(markPx) ? bars.closePx[traded]! : markPx
  }

  /** A feature as it is known now, `lag` rows back: NaN without such a row, or where the newest row is too old. */
  columnValue(symbol: number, name: string, lag: number): number {
    const columns = this.symbols[symbol]!.columns
    const row = this.#columnRow[symbol]!
    if (columns === undefined || row - lag < 0) return Number.NaN
    if (this.nowMs - columns.knownAtMs[row]! > columns.maxAgeMs) return Number.NaN
    return columns.values[name]?.[row - lag] ?? Number.NaN
  }

  /** What `columnValue` would have said so long ago. */
  columnValueAgo(symbol: number, name: string, backMs: number): number {
    const columns = this.symbols[symbol]!.columns
    if (columns === undefined) return Number.NaN
    const { knownAtMs, maxAgeMs, values } = columns
    const thenMs = this.nowMs - backMs
    const row = rowAgo(knownAtMs, this.#columnRow[symbol]!, thenMs, { backMs, stepMs: this.input.intervalMs })
    if (row < 0 || thenMs - knownAtMs[row]! > maxAgeMs) return Number.NaN
    return values[name]?.[row] ?? Number.NaN
  }

  #advanceQuarantine(symbol: number, spans: readonly TimeSpan[] | undefined): void {
    if (spans === undefined) return
    let next = this.#quarantineNext[symbol]!
    while (next < spans.length && spans[next]!.toMs <= this.nowMs) next++
    this.#quarantineNext[symbol] = next
    this.isQuarantined[symbol] = next < spans.length && spans[next]!.fromMs <= this.nowMs ? 1 : 0
  }
}
