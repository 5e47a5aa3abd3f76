import { gatherRows } from '../../../lib/market/ingest/gatherRows.ts'
import { eventTable } from '../../../lib/tables/events.ts'
import type { TableOf } from '../../../lib/tables/table.ts'

/** The events of some symbols, quality verdicts of them included. */
export function onlyOf(events: TableOf<typeof eventTable>, symbols: ReadonlySet<string>): TableOf<typeof eventTable> {
  const rows = Int32Array.from(events.columns.source.keys()).filter((row) =>
    symbols.has(events.columns.source[row]!.replace(/#.*$/, '')),
  )
  return gatherRows(eventTable, [events], new Int32Array(rows.length), rows)
}
