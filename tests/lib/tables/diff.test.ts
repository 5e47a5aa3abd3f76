import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cellText, diffTables } from '../../../lib/tables/diff.ts'
import { bool, decimal, defineTable, f64, i64, tsUs, utf8 } from '../../../lib/tables/schema.ts'
import { makeTable, type Table } from '../../../lib/tables/table.ts'

const quotes = defineTable({
  name: 'quotes',
  version: 1,
  columns: { id: i64(), px: decimal(2), mid: f64(), tsUs: tsUs(), up: bool(), note: utf8() },
  sortKey: ['id'],
})
type Row = { id: number; px?: number; mid?: number; ts?: number; up?: number; note?: string }

const table = (rows: readonly Row[], schema = quotes): Table<typeof quotes.columns> =>
  makeTable(schema, {
    id: BigInt64Array.from(rows, ({ id }) => BigInt(id)),
    px: BigInt64Array.from(rows, ({ px }) => BigInt(px ?? 0)),
    mid: Float64Array.from(rows, ({ mid }) => mid ?? 0),
    tsUs: Float64Array.from(rows, ({ ts }) => ts ?? 0),
    up: Uint8Array.from(rows, ({ up }) => up ?? 0),
    note: rows.map(({ note }) => note ?? ''),
  })

describe('the difference of two tables', () => {
  test('of a table to itself is none', () => {
    const same = table([{ id: 1, mid: Number.NaN }, { id: 2 }])
    expect(diffTables(same, same)).toMatchObject({ equal: true, schema: [], columns: [], first: undefined })
  })

  test('counts rows by their key, and names the first place and the widest distance', () => {
    const a = table([{ id: 1 }, { id: 2, px: 150, note: 'x' }, { id: 4, px: 100, mid: 1 }, { id: 6 }])
    const b = table([
      { id: 1 },
      { id: 2, px: 175, note: 'y' },
      { id: 3 },
      { id: 4, px: 90, mid: 1.25 },
      { id: 7 },
      { id: 8 },
    ])
    expect(diffTables(a, b)).toEqual({
      equal: false,
      schema: [],
      rowCountA: 4,
      rowCountB: 6,
      addedRows: 3,
      removedRows: 1,
      changedRows: 2,
      columns: [
        { name: 'px', changedRows: 2, maxAbsDifference: '0.25' },
        { name: 'mid', changedRows: 1, maxAbsDifference: '0.25' },
        { name: 'note', changedRows: 1 },
      ],
      first: { kind: 'changed', rowA: 1, rowB: 1, key: 'id=2', column: 'px', a: '1.50', b: '1.75' },
    })
  })

  test('knows an added from a removed row', () => {
    const [short, long] = [table([{ id: 2 }]), table([{ id: 1 }, { id: 2 }])]
    expect(diffTables(short, long).first).toEqual({ kind: 'added', row: 0, key: 'id=1' })
    expect(diffTables(long, short).first).toEqual({ kind: 'removed', row: 0, key: 'id=1' })
  })

  test('sees a zero that changed its sign, as the stored bytes do', () => {
    expect(diffTables(table([{ id: 1, mid: 0 }]), table([{ id: 1, mid: -0 }])).changedRows).toBe(1)
  })

  test('sees a value that went missing', () => {
    const { columns, first } = diffTables(table([{ id: 1, mid: 2 }]), table([{ id: 1, mid: Number.NaN }]))
    expect(columns).toEqual([{ name: 'mid', changedRows: 1 }])
    expect(first).toMatchObject({ a: '2', b: 'null' })
  })

  test('pairs rows with equal keys in their order', () => {
    const loose = { ...quotes, tieBreak: 'as they came' }
    const a = table([{ id: 1, px: 1 }, { id: 1, px: 2 }, { id: 2 }], loose)
    const b = table([{ id: 1, px: 1 }, { id: 2 }], loose)
    expect(diffTables(a, b)).toMatchObject({ removedRows: 1, addedRows: 0, changedRows: 0 })
  })

  test('goes by position where there is no key', () => {
    const loose = { ...quotes, sortKey: [], tieBreak: 'as they came' }
    const diff = diffTables(table([{ id: 1 }, { id: 5 }], loose), table([{ id: 1 }, { id: 2 }, { id: 9 }], loose))
    expect(diff).toMatchObject({ addedRows: 1, changedRows: 1 })
    expect(diff.first).toMatchObject({ kind: 'changed', key: 'row 1', column: 'id', a: '5', b: '2' })
  })

  test('of tables with other columns compares what both have', () => {
    const { note: _, ...rest } = quotes.columns
    const narrow = defineTable({ ...quotes, version: 2, columns: rest, sortKey: ['id'] })
    const { note: __, ...columns } = table([{ id: 1, px: 5 }]).columns
    const diff = diffTables(table([{ id: 1, px: 6 }]), makeTable(narrow, columns))
    expect(diff.schema[0]).toBe('version: 1 and 2')
    expect(diff).toMatchObject({ equal: false, changedRows: 1, columns: [{ name: 'px', maxAbsDifference: '0.01' }] })
  })

  test('counts what was planted, for any two tables', () => {
    const rows = fc.uniqueArray(fc.record({ id: fc.nat(60), px: fc.nat(3) }), {
      selector: ({ id }) => id,
      maxLength: 40,
    })
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const byId = (list: Row[]) => new Map(list.map(({ id, px }) => [id, px]))
        const [x, y] = [byId(a), byId(b)]
        const sorted = (list: Row[]) => table(list.toSorted((p, q) => p.id - q.id))
        expect(diffTables(sorted(a), sorted(b))).toMatchObject({
          removedRows: a.filter(({ id }) => !y.has(id)).length,
          addedRows: b.filter(({ id }) => !x.has(id)).length,
          changedRows: a.filter(({ id, px }) => y.has(id) && y.get(id) !== px).length,
        })
      }),
    )
  })
})

describe('a cell as text', () => {
  test('has the point of a decimal, the time in UTC to its last digit, and words for truth', () => {
    const one = table([{ id: -5, px: -7, mid: -0, ts: 1_704_067_200_000_123, up: 1, note: 'x' }])
    const texts = Object.keys(quotes.columns).map((name) => cellText(one, name, 0))
    expect(texts).toEqual(['-5', '-0.07', '-0', '2024-01-01T00:00:00.000123Z', 'true', 'x'])
  })

  test('of a time before 1970 counts its microseconds upward', () => {
    expect(cellText(table([{ id: 1, ts: -1 }]), 'tsUs', 0)).toBe('1969-12-31T23:59:59.999999Z')
  })
})
