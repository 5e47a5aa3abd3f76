import { eventRanks } from '../backtest/eventOrder.ts'
import type { ReplayBlock } from '../backtest/replay.ts'
import { eventTable, eventValues } from '../tables/events.ts'
import { makeTable, type TableOf } from '../tables/table.ts'
import type { ReplayDay } from './replayDays.ts'

/** The events of a day as rows, a table for each block. */
export function* eventRows({ streams, blocks }: ReplayDay): Generator<TableOf<typeof eventTable>> {
  for (const block of blocks) yield rowsOf(streams, block)
}

function rowsOf(streams: ReplayDay['streams'], { count, stream, row }: ReplayBlock): TableOf<typeof eventTable> {
  const missing = () => new Float64Array(count).fill(Number.NaN)
  const tsMs = new Float64Array(count)
  const sequence = missing()
  const values = Object.fromEntries(eventValues.map((name) => [name, missing()]))
  for (let i = 0; i < count; i++) {
    const from = streams[stream[i]!]!
    const at = row[i]!
    tsMs[i] = from.knownAtMs[at]!
    if (from.sequence !== undefined) sequence[i] = from.sequence[at]!
    for (const name in from.columns) values[name]![i] = from.columns[name]![at]!
  }
  return makeTable(eventTable, {
    tsMs,
    rank: Int32Array.from(stream, (s) => eventRanks[streams[s]!.class]),
    class: Array.from(stream, (s) => streams[s]!.class),
    source: Array.from(stream, (s) => streams[s]!.source),
    sequence,
    ...(values as Record<(typeof eventValues)[number], Float64Array>),
  })
}
