import { tableFromIPC } from 'apache-arrow'
import fc from 'fast-check'
import { readParquet } from 'parquet-wasm'
import { describe, expect, test } from 'vitest'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import { isDecimal } from '../../../lib/tables/schema.ts'
import { type AnyColumnData, splitColumn, valueAt } from '../../../lib/tables/table.ts'
import { everyKindTables } from './arbitraryTables.ts'

describe('another implementation of Parquet', () => {
  test('reads any table of ours as we do', () => {
    fc.assert(
      fc.property(everyKindTables(400), (table) => {
        const arrow = tableFromIPC(readParquet(encodeTable(table), { batchSize: 100_000 }).intoIPCStream())
        expect(arrow.numRows).toBe(table.rowCount)
        for (const [name, column] of Object.entries(table.schema.columns)) {
          const { values, valid } = splitColumn((table.columns as Record<string, AnyColumnData>)[name]!)
          const theirs = arrow.getChild(name)
          for (let row = 0; row < table.rowCount; row++) {
            const value = valueAt(values, row)!
            const absent = valid?.[row] === 0 || Number.isNaN(value)
            const found = theirs!.get(row)
            if (absent) expect(found).toBeNull()
            else if (isDecimal(column.kind)) {
              // Arrow hands a decimal over as 32-bit words of its two's complement.
              const words = found as Uint32Array
              const units = words.reduceRight((all, word) => (all << 32n) | BigInt(word), 0n)
              expect(BigInt.asIntN(32 * words.length, units)).toBe(value)
            } else if (column.kind === 'bool') expect(found).toBe(value === 1)
            else if (column.kind !== 'tsMs' && column.kind !== 'tsUs') expect(found).toEqual(value)
          }
        }
      }),
      { numRuns: 40 },
    )
  })
})
