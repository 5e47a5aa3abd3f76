import { expect, test } from 'vitest'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { simDay } from '../../support/simTables.ts'

// A market that walks and trades like one, in the schemas of the archive: eight decimals, whatever the tick.
for (const kind of ['trades', 'aggTrades'] as const) {
  test(`a simulated day of ${kind} takes at most 5.5 bytes a row`, () => {
    const table: Table = simDay[kind]('BTCUSDT', '2026-06-05')
    expect(table.rowCount).toBeGreaterThan(50_000)
    expect(encodeTable(table).length / table.rowCount).toBeLessThan(5.5)
  })
}
