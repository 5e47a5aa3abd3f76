import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../lib/fault.ts'
import { decodeAnyTable, decodeTable, encodeTable, openTable, readTableInfo } from '../../../lib/tables/parquet.ts'
import { rowsPerGroup, tableWriter } from '../../../lib/tables/parquetWriter.ts'
import { decimal, defineTable, i64, utf8 } from '../../../lib/tables/schema.ts'
import { makeTable, sliceTable, type Table } from '../../../lib/tables/table.ts'
import { everyKind, everyKindSample, everyKindTables } from './arbitraryTables.ts'
import { sampleTrades, tradeTable } from './sampleTrades.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a table in Parquet', () => {
  test('comes back value for value, whatever it holds', () => {
    fc.assert(
      fc.property(everyKindTables(700), (table) => {
        const back = decodeTable(everyKind, encodeTable(table))
        expect(back.columns).toEqual(table.columns)
        expect(back.rowCount).toBe(table.rowCount)
      }),
      { numRuns: 60 },
    )
  })

  test('comes back the same from a Buffer anywhere in its pool, as files are read from disk', () => {
    fc.assert(
      fc.property(everyKindTables(300), fc.integer({ min: 0, max: 9 }), (table, before) => {
        const bytes = encodeTable(table)
        const pool = Buffer.alloc(before + bytes.length + 3, 0xa5)
        pool.set(bytes, before)
        const back = decodeTable(everyKind, pool.subarray(before, before + bytes.length))
        expect(back.columns).toEqual(table.columns)
      }),
      { numRuns: 60, seed: 7 },
    )
  })

  test('of no rows is a file too', () => {
    const none = sampleTrades(0)
    const bytes = encodeTable(none)
    expect(decodeTable(tradeTable, bytes)).toEqual(none)
    expect(readTableInfo(bytes).rowGroups).toEqual([])
  })

  test('says what it is, so that it can be read without a schema', () => {
    const bytes = encodeTable(sampleTrades(5))
    const info = readTableInfo(bytes)
    expect(info).toMatchObject({
      name: 'sampleTrades',
      version: 1,
      rowCount: 5,
      createdBy: 'tickpipe version 1.3 (build 1)',
    })
    const any = decodeAnyTable(bytes)
    expect(any.columns).toEqual(sampleTrades(5).columns)
    expect(any.schema.columns['px']).toEqual({ kind: 'decimal', nullable: false, precision: 18, scale: 2 })
  })

  test('gives some columns and some row groups without reading the others', () => {
    const table = sampleTrades(rowsPerGroup + 1000)
    const bytes = encodeTable(table)
    const reads: number[] = []
    const reader = openTable(tradeTable, {
      sizeBytes: bytes.length,
      readAt: (offset, length) => {
        reads.push(length)
        return bytes.subarray(offset, offset + length)
      },
    })
    const footerReads = reads.length
    const tail = reader.read({ columns: ['px', 'tsMs'], rowGroups: [1] })
    expect(Object.keys(tail.columns)).toEqual(['px', 'tsMs'])
    expect(tail.columns.px).toEqual(table.columns.px.subarray(rowsPerGroup))
    expect(reads.length - footerReads).toBe(2)
    expect(reader.info.rowGroups.map((group) => group.rowCount)).toEqual([rowsPerGroup, 1000])
  })

  test('takes at most 5.5 bytes for a trade of seven columns', () => {
    const table = sampleTrades(300_000)
    expect(encodeTable(table).length / table.rowCount).toBeLessThan(4)
  })

  test('and says a number with more decimals than its market has ticks no longer than its rank among the others', () => {
    const table = sampleTrades(300_000)
    const { px, qty, ...rest } = tradeTable.columns
    const schema = defineTable({
      name: 'fine',
      version: 1,
      columns: { ...rest, px: decimal(8), qty: decimal(8) },
      sortKey: ['tsMs', 'id'],
    })
    const fine = makeTable(schema, {
      ...table.columns,
      px: table.columns.px.map((value) => value * 10n ** 6n),
      qty: table.columns.qty.map((value) => value * 10n ** 5n),
    })
    const bytes = encodeTable(fine)
    expect(bytes.length / table.rowCount).toBeLessThan(4.2)
    const back = decodeTable(schema, bytes).columns
    for (const name of ['px', 'qty'] as const)
      expect(Buffer.compare(Buffer.from(back[name].buffer), Buffer.from(fine.columns[name].buffer))).toBe(0)
  })
})

describe('the bytes of a table', () => {
  test('are these, on every Node and machine: a change here is a change of every stored table', () => {
    expect(sha256(encodeTable(sampleTrades(100_000)))).toBe(
      'd48042571a801fbf78215d0f9c920f21aef020bb885536bbce97c7335bf63062',
    )
    const tight = { ...tradeTable, packing: 'tight' } as const
    expect(sha256(encodeTable(makeTable(tight, sampleTrades(40_000).columns)))).toBe(
      'c777db5c1e7e7507b856d71e175a3edef6b8004fae44d05f5ca25a6ca7d0cccb',
    )
    expect(sha256(encodeTable(everyKindSample(5000)))).toBe(
      '82ea94d53aadee327f830c55e1920029eb18a666172b970880374232119d7477',
    )
  })

  test('do not depend on how the rows were cut into batches', () => {
    const whole = sampleTrades(rowsPerGroup + 5000)
    const expected = sha256(encodeTable(whole))
    for (const batchRows of [977, 70_001, rowsPerGroup]) {
      const hash = createHash('sha256')
      const writer = tableWriter(tradeTable, (bytes) => hash.update(bytes))
      for (let from = 0; from < whole.rowCount; from += batchRows) {
        writer.append(sliceTable(whole, from, Math.min(whole.rowCount, from + batchRows)))
      }
      expect(writer.finish().rowCount).toBe(whole.rowCount)
      expect(hash.digest('hex')).toBe(expected)
    }
  })

  test('do not depend on which NaN a column holds', () => {
    const schema = defineTable({
      name: 'nan',
      version: 1,
      columns: { x: { kind: 'f64', nullable: false } },
      sortKey: [],
      tieBreak: 'as made',
    })
    const odd = new Float64Array(2)
    new Uint32Array(odd.buffer).set([1, 0xfff80000, 0, 0x3ff00000])
    expect(encodeTable(makeTable(schema, { x: odd }))).toEqual(
      encodeTable(makeTable(schema, { x: Float64Array.of(Number.NaN, 1) })),
    )
  })

  test('are safe from what the caller does to its arrays after handing them over', () => {
    const batch = sampleTrades(10)
    const pieces: Uint8Array[] = []
    const writer = tableWriter(tradeTable, (bytes) => pieces.push(bytes))
    writer.append(batch)
    batch.columns.px.fill(0n)
    writer.finish()
    const file = Buffer.concat(pieces)
    expect(decodeTable(tradeTable, file).columns.px).toEqual(sampleTrades(10).columns.px)
  })
})

describe('what does not fit is said, never guessed', () => {
  const bytes = encodeTable(sampleTrades(2000))

  test('a file of another version of the table', () => {
    const next = { ...tradeTable, version: 2 }
    expect(() => decodeTable(next, bytes)).toThrow(/holds sampleTrades version 1/)
  })

  test('a file whose column has another scale', () => {
    const next = defineTable({
      ...tradeTable,
      columns: { ...tradeTable.columns, px: decimal(4) },
      sortKey: ['tsMs', 'id'],
    })
    expect(() => decodeTable(next, bytes)).toThrow(/decimal\(18,4\)/)
  })

  test('a Parquet file from elsewhere, a file that is none, an empty file', () => {
    expect(() => decodeAnyTable(new Uint8Array())).toThrow(Fault)
    expect(() => decodeAnyTable(new TextEncoder().encode('PAR1 is not enough PAR1'))).toThrow(Fault)
  })

  test('a file cut short, wherever it is cut', () => {
    for (let length = 0; length < bytes.length; length += 97) {
      expect(() => decodeTable(tradeTable, bytes.subarray(0, length))).toThrow(Fault)
    }
  })

  test('a damaged byte never crashes the reader in another way than a Fault', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = bytes.slice()
        damaged[at]! ^= flip
        try {
          decodeTable(tradeTable, damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
      { numRuns: 400 },
    )
  })

  test('metadata that misses values where none may be missing, which would read as zeros', () => {
    const schema = defineTable({ name: 'n', version: 1, columns: { id: i64(), text: utf8() }, sortKey: ['id'] })
    const sound = encodeTable(makeTable(schema, { id: BigInt64Array.of(7n, 9n), text: ['a', 'b'] }))
    const refused: string[] = []
    for (let at = 0; at < sound.length; at++) {
      const damaged = sound.slice()
      damaged[at] = 4 // two, in the integers of a footer
      try {
        const { columns } = decodeTable(schema, damaged)
        expect(columns.id).not.toEqual(BigInt64Array.of(0n, 0n))
        expect(columns.text).not.toContain(undefined)
        expect(columns.text).not.toEqual(['', ''])
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        refused.push(error.message)
      }
    }
    expect(refused.filter((message) => message.includes('missing where none may be')).length).toBe(2)
  })

  test('rows out of order, with the row', () => {
    const schema = defineTable({ name: 'ids', version: 1, columns: { id: i64(), text: utf8() }, sortKey: ['id'] })
    const rows = (ids: bigint[]): Table<typeof schema.columns> =>
      makeTable(schema, { id: BigInt64Array.from(ids), text: ids.map(String) })
    expect(() => encodeTable(rows([1n, 3n, 2n]))).toThrow('table ids: row 2 comes before the row above it by (id)')
    expect(() => encodeTable(rows([1n, 2n, 2n]))).toThrow(/row 2 has the same \(id\)/)
    const writer = tableWriter(schema, () => {})
    writer.append(rows([1n, 5n]))
    expect(() => writer.append(rows([4n]))).toThrow('row 2 comes before')
  })
})
