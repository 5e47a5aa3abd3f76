import type { MarketInput, UniverseChange } from './market.ts'

/** Walks the market from instant to instant and says what happens at each: which row of which symbol closes, opens or
 *  settles. Bars of a run share their grid, so one pass over the symbols an instant is cheaper than any merge of single
 *  events, and symbol order within a rank is the order of the sorted symbols. */
export class MarketTimeline {
  nowMs = Number.NEGATIVE_INFINITY
  readonly startMs: number | undefined
  /** By symbol: the row concerned at `nowMs`, or -1. */
  readonly closing: Int32Array
  readonly opening: Int32Array
  readonly settling: Int32Array
  /** Whether any symbol settles at `nowMs`. */
  anySettling = false
  /** How many symbols have no row left after `nowMs`. */
  endedCount = 0
  #input: MarketInput
  /** Of the next row to open, to close, to settle; Infinity when there is none. */
  #openTsMs: Float64Array
  #closeTsMs: Float64Array
  #settleTsMs: Float64Array
  /** The earliest of the three. */
  #nextTsMs: Float64Array
  #openRow: Int32Array
  #closeRow: Int32Array
  #settleRow: Int32Array
  #universeNext = 0

  constructor(input: MarketInput) {
    const count = input.symbols.length
    this.#input = input
    this.closing = new Int32Array(count)
    this.opening = new Int32Array(count)
    this.settling = new Int32Array(count)
    this.#openRow = new Int32Array(count)
    this.#closeRow = new Int32Array(count)
    this.#settleRow = new Int32Array(count)
    this.#openTsMs = new Float64Array(count)
    this.#closeTsMs = new Float64Array(count)
    this.#settleTsMs = new Float64Array(count)
    this.#nextTsMs = new Float64Array(count)
    let startMs = Infinity
    for (let s = 0; s < count; s++) {
      const { bars, funding } = input.symbols[s]!
      this.#openTsMs[s] = bars.openTsMs[0] ?? Infinity
      this.#closeTsMs[s] = this.#openTsMs[s]! + input.intervalMs
      this.#settleTsMs[s] = funding?.tsMs[0] ?? Infinity
      this.#nextTsMs[s] = Math.min(this.#openTsMs[s]!, this.#settleTsMs[s]!)
      if (this.#closeTsMs[s] === Infinity) this.endedCount++
      startMs = Math.min(startMs, this.#openTsMs[s]!)
    }
    this.startMs = startMs === Infinity ? undefined : startMs
  }

  /** Moves to the next instant at or before `limitMs`; false when there is none. */
  next(limitMs: number): boolean {
    const { closing, opening, settling } = this
    const { symbols, intervalMs, universe } = this.#input
    const [openTsMs, closeTsMs, settleTsMs, nextTsMs] = [
      this.#openTsMs,
      this.#closeTsMs,
      this.#settleTsMs,
      this.#nextTsMs,
    ]
    const count = closing.length
    let nowMs = universe?.[this.#universeNext]?.tsMs ?? Infinity
    for (let s = 0; s < count; s++) if (nextTsMs[s]! < nowMs) nowMs = nextTsMs[s]!
    if (nowMs === Infinity || nowMs > limitMs) return false
    this.nowMs = nowMs
    this.anySettling = false
    for (let s = 0; s < count; s++) {
      closing[s] = opening[s] = settling[s] = -1
      if (nextTsMs[s] !== nowMs) continue
      const { bars, funding } = symbols[s]!
      if (closeTsMs[s] === nowMs) {
        const row = (closing[s] = this.#closeRow[s]!)
        this.#closeRow[s] = row + 1
        closeTsMs[s] = row + 1 < bars.openTsMs.length ? bars.openTsMs[row + 1]! + intervalMs : Infinity
        if (closeTsMs[s] === Infinity) this.endedCount++
      }
      if (openTsMs[s] === nowMs) {
        const row = (opening[s] = this.#openRow[s]!)
        this.#openRow[s] = row + 1
        openTsMs[s] = row + 1 < bars.openTsMs.length ? bars.openTsMs[row + 1]! : Infinity
      }
      if (settleTsMs[s] === nowMs) {
        const row = (settling[s] = this.#settleRow[s]!)
        this.anySettling = true
        this.#settleRow[s] = row + 1
        settleTsMs[s] = row + 1 < funding!.tsMs.length ? funding!.tsMs[row + 1]! : Infinity
      }
      nextTsMs[s] = Math.min(openTsMs[s]!, closeTsMs[s]!, settleTsMs[s]!)
    }
    return true
  }

  /** The last universe change that is due, if one is. */
  takeUniverse(nowMs: number): UniverseChange | undefined {
    let due: UniverseChange | undefined
    const { universe } = this.#input
    while (
      universe !== undefined &&
      this.#universeNext < universe.length &&
      universe[this.#universeNext]!.tsMs <= nowMs
    ) {
      due = universe[this.#universeNext++]
    }
    return due
  }

  /** No row is left of this symbol, and its last bar closed before now. */
  hasEnded(symbol: number): boolean {
    return this.#closeTsMs[symbol] === Infinity && this.closing[symbol]! < 0
  }
}
