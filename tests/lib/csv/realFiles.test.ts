import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { defineCsv } from '../../../lib/csv/layout.ts'
import { parseCsv } from '../../../lib/csv/parser.ts'
import { parseScaledBig } from '../../../lib/decimal.ts'
import { diffTables } from '../../../lib/tables/diff.ts'
import { decodeTable, encodeTable } from '../../../lib/tables/parquet.ts'
import { decimal, defineTable, i64, tsMs } from '../../../lib/tables/schema.ts'

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../../shared/market-data')
const folders = ['um-klines-1m', 'spot-klines-1h'].map((name) => join(root, 'binance-vision', name))

const klines = defineTable({
  name: 'realKlines',
  version: 1,
  columns: {
    openTsMs: tsMs(),
    open: decimal(8),
    high: decimal(8),
    low: decimal(8),
    close: decimal(8),
    volume: decimal(8),
    closeTsMs: tsMs(),
    quoteVolume: decimal(8),
    count: i64(),
    takerBuyVolume: decimal(8),
    takerBuyQuoteVolume: decimal(8),
  },
  sortKey: ['openTsMs'],
})
const layout = defineCsv({
  schema: klines,
  fields: [
    { header: 'open_time', column: 'openTsMs' },
    { header: 'open', column: 'open' },
    { header: 'high', column: 'high' },
    { header: 'low', column: 'low' },
    { header: 'close', column: 'close' },
    { header: 'volume', column: 'volume' },
    { header: 'close_time', column: 'closeTsMs' },
    { header: 'quote_volume', column: 'quoteVolume' },
    { header: 'count', column: 'count' },
    { header: 'taker_buy_volume', column: 'takerBuyVolume' },
    { header: 'taker_buy_quote_volume', column: 'takerBuyQuoteVolume' },
    { header: 'ignore', column: null },
  ],
})

describe.skipIf(!folders.every((folder) => existsSync(folder)))('klines as Binance published them', () => {
  test('are read digit for digit, with or without a header, in either unit of time', () => {
    const units = { header: 0, ms: 0, us: 0 }
    for (const folder of folders) {
      for (const name of readdirSync(folder)) {
        const bytes = gunzipSync(readFileSync(join(folder, name)))
        const { table, seen } = parseCsv(layout, bytes, { file: name })
        if (seen.header !== undefined) units.header++
        if (seen.timeUnits['openTsMs']!.us > 0) units.us++
        else units.ms++

        const lines = bytes
          .toString()
          .trim()
          .split(/\r?\n/)
          .slice(seen.header === undefined ? 0 : 1)
        expect(table.rowCount, name).toBe(lines.length)
        // One expectation for each file: a million of them would take minutes.
        const { close, quoteVolume, closeTsMs } = table.columns
        const wrong = lines.findIndex((line, row) => {
          const cells = line.split(',')
          const isSound =
            close[row] === parseScaledBig(cells[4]!, 8) &&
            quoteVolume[row] === parseScaledBig(cells[7]!, 8) &&
            closeTsMs[row] === Number(cells[6]!.slice(0, 13))
          return !isSound
        })
        expect(wrong, name).toBe(-1)
        expect(diffTables(decodeTable(klines, encodeTable(table)), table).equal).toBe(true)
      }
    }
    expect(units.header).toBeGreaterThan(0)
    expect(units.ms).toBeGreaterThan(0)
    expect(units.us).toBeGreaterThan(0)
  })
})
