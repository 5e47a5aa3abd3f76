import { describe, expect, test } from 'vitest'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { hasRecordedTrades, recordedTrades } from '../../support/recordedTrades.ts'
import { simDay } from '../../support/simTables.ts'

// A market that walks and trades like one, in the schemas of the archive: eight decimals, whatever the tick.
for (const kind of ['trades', 'aggTrades'] as const) {
  test(`a simulated day of ${kind} takes at most 5.5 bytes a row`, () => {
    const table: Table = simDay[kind]('BTCUSDT', '2026-06-05')
    expect(table.rowCount).toBeGreaterThan(50_000)
    expect(encodeTable(table).length / table.rowCount).toBeLessThan(5.5)
  })
}

test('and so does a day of a coin that trades little, where most sizes come once', () => {
  const table: Table = simDay.trades('DOTUSDT', '2026-06-05')
  expect(table.rowCount).toBeLessThan(30_000)
  expect(encodeTable(table).length / table.rowCount).toBeLessThan(5.5)
})

describe.skipIf(!hasRecordedTrades)('trades as the venue sent them, where market data is at hand', () => {
  for (const [market, most] of [
    ['usdm', 2.3],
    ['spot', 4],
  ] as const) {
    test(`take at most ${most} bytes a row (${market})`, () => {
      const table = recordedTrades(market)
      expect(table.rowCount).toBeGreaterThan(9000)
      expect(encodeTable(table).length / table.rowCount).toBeLessThan(most)
    })
  }
})
