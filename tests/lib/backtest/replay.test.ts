import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import type { EventClass } from '../../../lib/backtest/eventOrder.ts'
import { eventRanks } from '../../../lib/backtest/eventOrder.ts'
import type { ChainHash } from '../../../lib/backtest/replay.ts'
import { eventsPerBlock, Replay } from '../../../lib/backtest/replay.ts'
import type { ReplayStream } from '../../../lib/backtest/replayStream.ts'
import { createRng } from '../../../lib/rng.ts'

const sha256: ChainHash = (previous, block) => createHash('sha256').update(previous).update(block).digest()

function randomStreams(seed: number, streams: number, rowsMax: number, stepMaxMs: number): ReplayStream[] {
  const rng = createRng(seed, 'replay')
  const classes: EventClass[] = ['trade', 'trade', 'barClose', 'funding', 'mark']
  return Array.from({ length: streams }, (_, s) => {
    const rows = rng.below(rowsMax + 1)
    const knownAtMs = new Float64Array(rows)
    const sequence = new Float64Array(rows)
    let tsMs = 1_700_000_000_000
    for (let i = 0; i < rows; i++) {
      knownAtMs[i] = tsMs += rng.below(stepMaxMs + 1)
      sequence[i] = (sequence[i - 1] ?? 0) + rng.below(3)
    }
    const eventClass = classes[rng.below(classes.length)]!
    const price = Float64Array.from({ length: rows }, () => (rng.below(9) === 0 ? Number.NaN : rng.uniform()))
    const hasSequence = eventClass === 'trade' && rng.below(2) === 0
    return {
      source: `s${String(s).padStart(3, '0')}`,
      class: eventClass,
      knownAtMs,
      columns: { price },
      ...(hasSequence ? { sequence } : {}),
    }
  })
}

/** Every event of a replay as (source, row), and the digest. */
function drain(replay: Replay): { events: string[]; digest: string } {
  const events: string[] = []
  for (let block = replay.next(); block !== undefined; block = replay.next()) {
    for (let i = 0; i < block.count; i++) events.push(`${replay.streams[block.stream[i]!]!.source}:${block.row[i]}`)
  }
  return { events, digest: Buffer.from(replay.digest).toString('hex') }
}

/** The same order by one sort over everything. */
function sortedEvents(streams: readonly ReplayStream[]): string[] {
  const all = streams.flatMap((stream) =>
    Array.from(stream.knownAtMs, (tsMs, row) => ({
      stream,
      row,
      keys: [tsMs, eventRanks[stream.class], stream.sequence?.[row] ?? 0],
    })),
  )
  all.sort((a, b) => {
    for (let k = 0; k < 3; k++) if (a.keys[k] !== b.keys[k]) return a.keys[k]! - b.keys[k]!
    if (a.stream !== b.stream) return a.stream.source < b.stream.source ? -1 : 1
    return a.row - b.row
  })
  return all.map(({ stream, row }) => `${stream.source}:${row}`)
}

describe('Replay', () => {
  test('orders by instant, rank, venue sequence, source and row, however ties fall', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 0, max: 8 }),
        fc.constantFrom(0, 1, 20, 5_000_000),
        (seed, count, step) => {
          const streams = randomStreams(seed, count, 300, step)
          expect(drain(new Replay(streams, sha256)).events).toEqual(sortedEvents(streams))
        },
      ),
      { numRuns: 150 },
    )
  })

  test('orders more events of one instant than it takes at a time', () => {
    const streams = [
      ...randomStreams(3, 4, 30_000, 0),
      ...randomStreams(4, 3, 200, 2).map((s) => ({ ...s, source: `t${s.source}` })),
    ]
    expect(streams.map(({ knownAtMs }) => knownAtMs.length).reduce((a, b) => a + b)).toBeGreaterThan(30_000)
    expect(drain(new Replay(streams, sha256)).events).toEqual(sortedEvents(streams))
  })

  test('is the same whatever the order in which streams are listed', () => {
    const streams = randomStreams(5, 8, 2000, 3)
    const digest = drain(new Replay(streams, sha256)).digest
    expect(drain(new Replay([...streams].reverse(), sha256)).digest).toBe(digest)
  })

  test('resumes from a checkpoint after any block to the same events and digest', () => {
    const streams = randomStreams(11, 6, 80_000, 40)
    const whole = drain(new Replay(streams, sha256))
    expect(whole.events.length).toBeGreaterThan(2 * eventsPerBlock)
    for (const blocks of [1, 2]) {
      const first = new Replay(streams, sha256)
      for (let i = 0; i < blocks; i++) first.next()
      const checkpoint = structuredClone(first.checkpoint())
      const rest = drain(new Replay(streams, sha256, checkpoint))
      expect(rest.digest).toBe(whole.digest)
      expect(rest.events).toEqual(whole.events.slice(blocks * eventsPerBlock))
    }
  })

  test('one changed value, instant, row or name is another digest; the bits of a NaN are not', () => {
    const make = (price: number[], knownAtMs = [1, 2, 3], source = 'a'): ReplayStream => ({
      source,
      class: 'trade',
      knownAtMs: Float64Array.from(knownAtMs.slice(0, price.length)),
      columns: { price: Float64Array.from(price) },
    })
    const digestOf = (...streams: ReplayStream[]) => drain(new Replay(streams, sha256)).digest
    const base = digestOf(make([1, 2, 3]))
    const others = [
      make([1, 2, 4]),
      make([1, 2, 3], [1, 2, 4]),
      make([1, 2]),
      make([1, 2, 3], [1, 2, 3], 'b'),
      make([1, 2, Number.NaN]),
    ]
    expect(new Set([base, ...others.map((stream) => digestOf(stream))]).size).toBe(6)
    const negativeNan = make([1, 2, 3])
    new Uint32Array(negativeNan.columns['price']!.buffer).set([0, 0xfff80000], 4)
    expect(digestOf(negativeNan)).toBe(digestOf(others[4]!))
  })

  test('a stream that steps backward is refused', () => {
    const stream = { source: 'a', class: 'trade' as const, knownAtMs: Float64Array.of(2, 1), columns: {} }
    expect(() => drain(new Replay([stream], sha256))).toThrow('a steps backward at row 1')
  })

  test('nothing to replay is a digest too', () => {
    expect(drain(new Replay([], sha256)).events).toEqual([])
  })
})
