import assert from 'node:assert/strict'

import { eventRanks } from './eventOrder.ts'
import type { ReplayStream } from './replayStream.ts'

/** About so many events are put in order at a time: enough to pay for the search of the window's ends, few enough to
 *  stay in the cache. It shapes no output. */
const windowEvents = 1 << 13

/** Puts the events of sorted streams in order, a window of time after the other. Within a window a stable radix sort by
 *  instant does the merging; since streams are laid down by rank and source, ties come out right by themselves, but for
 *  sequences that interleave across sources, which are put right afterwards. A heap over streams needs four to eight
 *  unpredictable branches an event, and was three times slower on fifty symbols. */
export class MergeWindow {
  /** Events of the window, and the stream of each. A stream's own events keep their order, so rows need no telling. */
  count = 0
  stream = new Int32Array(0)
  #streams: readonly ReplayStream[]
  /** Streams by rank, then name. */
  #layOrder: Int32Array
  /** The event laid down as number n of this window: its stream, and (by stream) what to add to n for its row. */
  #laidStream = new Int32Array(0)
  #rowOffset: Int32Array
  #order = new Uint32Array(0)
  #hasSequences: boolean
  #ranks: Int32Array
  #ends: Int32Array
  /** First row of each stream that no window has taken yet. */
  #starts: Int32Array
  #spanMs = 1 << 16
  #keys = new Uint32Array(0)
  #keysOther = new Uint32Array(0)
  #orderOther = new Uint32Array(0)
  #counts = new Int32Array(1 << digitBits)

  constructor(streams: readonly ReplayStream[], fromRows: ArrayLike<number>) {
    this.#streams = streams
    this.#ranks = Int32Array.from(streams, (stream) => eventRanks[stream.class])
    this.#layOrder = Int32Array.from(streams.keys()).sort((a, b) => this.#ranks[a]! - this.#ranks[b]! || a - b)
    this.#hasSequences = streams.some((stream) => stream.sequence !== undefined)
    this.#ends = new Int32Array(streams.length)
    this.#starts = Int32Array.from(fromRows)
    this.#rowOffset = new Int32Array(streams.length)
  }

  /** Puts the next window in order; false when nothing is left. */
  advance(): boolean {
    let startMs = Infinity
    for (let s = 0; s < this.#streams.length; s++) {
      const tsMs = this.#streams[s]!.knownAtMs[this.#starts[s]!]
      if (tsMs !== undefined && tsMs < startMs) startMs = tsMs
    }
    if (startMs === Infinity) return false
    let total = this.#findEnds(startMs + this.#spanMs)
    while (total > windowEvents * 2 && this.#spanMs > 1) {
      this.#spanMs = this.#spanMs >> 1
      total = this.#findEnds(startMs + this.#spanMs)
    }
    this.#reserve(total)
    this.#layDown(startMs)
    this.#sort(total)
    this.#orderSequences(total)
    const [stream, laidStream, order] = [this.stream, this.#laidStream, this.#order]
    for (let i = 0; i < total; i++) stream[i] = laidStream[order[i]!]!
    this.count = total
    // Two digits of the radix sort carry 22 bits of milliseconds; only sparse streams are worth a third.
    const isWorthMore = this.#spanMs < 1 << (2 * digitBits) || (total < windowEvents / 16 && this.#spanMs < 1 << 30)
    if (total < windowEvents / 2 && isWorthMore) this.#spanMs *= 2
    return true
  }

  #findEnds(endMs: number): number {
    let total = 0
    for (let s = 0; s < this.#streams.length; s++) {
      const known = this.#streams[s]!.knownAtMs
      const start = this.#starts[s]!
      // Doubling steps, then bisection: cheap for the few rows that a window takes of a long stream.
      let step = 1
      while (start + step < known.length && known[start + step]! < endMs) step *= 2
      let low = start
      let high = Math.min(known.length, start + step)
      while (low < high) {
        const middle = (low + high) >> 1
        if (known[middle]! < endMs) low = middle + 1
        else high = middle
      }
      this.#ends[s] = low
      total += low - start
    }
    return total
  }

  #layDown(startMs: number): void {
    const [keys, laidStream] = [this.#keys, this.#laidStream]
    let n = 0
    for (const s of this.#layOrder) {
      const { knownAtMs, sequence } = this.#streams[s]!
      const [start, end] = [this.#starts[s]!, this.#ends[s]!]
      this.#rowOffset[s] = start - n
      laidStream.fill(s, n, n + end - start)
      let before = start === 0 ? startMs : knownAtMs[start - 1]!
      for (let row = start; row < end; row++) {
        const tsMs = knownAtMs[row]!
        if (tsMs <= before && (tsMs < before || (row > 0 && sequence && sequence[row]! < sequence[row - 1]!))) {
          assert.fail(`${this.#streams[s]!.source} steps backward at row ${row}`)
        }
        before = tsMs
        keys[n++] = tsMs - startMs
      }
      this.#starts[s] = end
    }
  }

  /** Least significant digit first; instants are whole milliseconds (or microseconds), so no digit is lost. */
  #sort(total: number): void {
    const counts = this.#counts
    // Nothing has moved before the first digit: the event in place i is the one laid down as number i.
    let isMoved = false
    for (let shift = 0; shift < 32 && this.#spanMs > 1 << shift; shift += digitBits) {
      const [keys, keysOther, order, orderOther] = [this.#keys, this.#keysOther, this.#order, this.#orderOther]
      counts.fill(0)
      for (let i = 0; i < total; i++) counts[(keys[i]! >>> shift) & digitMask]!++
      let position = 0
      for (let digit = 0; digit < counts.length; digit++) {
        const here = counts[digit]!
        counts[digit] = position
        position += here
      }
      for (let i = 0; i < total; i++) {
        const key = keys[i]!
        const to = counts[(key >>> shift) & digitMask]!++
        keysOther[to] = key
        orderOther[to] = isMoved ? order[i]! : i
      }
      isMoved = true
      this.#keys = keysOther
      this.#keysOther = keys
      this.#order = orderOther
      this.#orderOther = order
    }
    // All at one instant: they stay as they were laid down.
    if (!isMoved) for (let i = 0; i < total; i++) this.#order[i] = i
  }

  /** Two sources at one instant and rank: the whole tie is ordered by sequence, then as laid, which is by source and row. */
  #orderSequences(total: number): void {
    if (!this.#hasSequences) return
    const [keys, order, laidStream, ranks] = [this.#keys, this.#order, this.#laidStream, this.#ranks]
    for (let i = 1; i < total; i++) {
      const key = keys[i]!
      if (key !== keys[i - 1]!) continue
      const here = laidStream[order[i]!]!
      const before = laidStream[order[i - 1]!]!
      const rank = ranks[here]!
      if (here === before || rank !== ranks[before]!) continue
      const isTied = (k: number) => keys[k] === key && ranks[laidStream[order[k]!]!] === rank
      let from = i - 1
      while (from > 0 && isTied(from - 1)) from--
      let to = i + 1
      while (to < total && isTied(to)) to++
      order.subarray(from, to).sort((a, b) => this.#sequenceOf(a) - this.#sequenceOf(b) || a - b)
      i = to
    }
  }

  #sequenceOf(laid: number): number {
    const s = this.#laidStream[laid]!
    return this.#streams[s]!.sequence?.[laid + this.#rowOffset[s]!] ?? 0
  }

  #reserve(total: number): void {
    if (this.#order.length >= total) return
    const size = total + windowEvents
    this.stream = new Int32Array(size)
    this.#laidStream = new Int32Array(size)
    this.#keys = new Uint32Array(size)
    this.#keysOther = new Uint32Array(size)
    this.#order = new Uint32Array(size)
    this.#orderOther = new Uint32Array(size)
  }
}

const digitBits = 11
const digitMask = (1 << digitBits) - 1
