import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BadCell } from '../../../lib/csv/badCell.ts'
import { defineCsv } from '../../../lib/csv/layout.ts'
import { csvParser, parseCsv } from '../../../lib/csv/parser.ts'
import { Fault } from '../../../lib/fault.ts'
import {
  bool,
  decimal,
  defineTable,
  f64,
  i32,
  i64,
  nullable,
  tsMs,
  tsUs,
  utf8,
  wideDecimal,
} from '../../../lib/tables/schema.ts'
import { concatTables, type Table } from '../../../lib/tables/table.ts'
import { bigAt } from '../../../lib/tables/wideInts.ts'

const trades = defineTable({
  name: 'csvTrades',
  version: 1,
  columns: { id: i64(), px: decimal(2), qty: decimal(3, 9), tsMs: tsMs(), isBuyerMaker: bool() },
  sortKey: ['id'],
})
const layout = defineCsv({
  schema: trades,
  fields: [
    { header: ['agg_trade_id', 'a'], column: 'id' },
    { header: 'price', column: 'px' },
    { header: 'quantity', column: 'qty' },
    { header: 'transact_time', column: 'tsMs' },
    { header: 'is_buyer_maker', column: 'isBuyerMaker' },
  ],
})
const header = 'agg_trade_id,price,quantity,transact_time,is_buyer_maker\n'
const bytesOf = (text: string) => new TextEncoder().encode(text)
const parse = (text: string) => parseCsv(layout, bytesOf(text), { file: 'x.csv' })

/** The one row of a file whose line has these cells in place of sound ones. */
const cell = (cells: Partial<Record<'id' | 'px' | 'qty' | 'ts' | 'maker', string>>) => {
  const { id = '7', px = '1.5', qty = '2', ts = '1700000000000', maker = 'true' } = cells
  return `${id},${px},${qty},${ts},${maker}\n`
}
const firstRow = (text: string) => {
  const { columns } = parse(text).table
  return {
    id: columns.id[0],
    px: columns.px[0],
    qty: columns.qty[0],
    ts: columns.tsMs[0],
    maker: columns.isBuyerMaker[0],
  }
}
const faultOf = (text: string): Fault => {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('it was taken for sound')
}

describe('a CSV file becomes typed columns', () => {
  const same = { id: 7n, px: 150n, qty: 2000n, ts: 1_700_000_000_000, maker: 1 }
  const forms = [
    { says: 'without a header', text: cell({}) },
    { says: 'with a header', text: header + cell({}) },
    { says: 'with another known name in the header', text: header.replace('agg_trade_id', 'a') + cell({}) },
    { says: 'with a byte order mark', text: `\ufeff${header}${cell({})}` },
    { says: 'with a byte order mark and no header', text: `\ufeff${cell({})}` },
    { says: 'with carriage returns', text: (header + cell({})).replaceAll('\n', '\r\n') },
    { says: 'without a line end at the end', text: cell({}).slice(0, -1) },
    { says: 'with "True" as Python writes it', text: cell({ maker: 'True' }) },
    { says: 'in microseconds', text: cell({ ts: '1700000000000000' }) },
    { says: 'with the last microsecond of a millisecond', text: cell({ ts: '1700000000000999' }) },
    { says: 'with trailing zeros beyond the scale', text: cell({ px: '1.500000000000' }) },
    { says: 'with leading zeros', text: cell({ id: '00000000000000000007', px: '0001.5' }) },
    { says: 'in exponent notation that is exact', text: cell({ px: '15E-1', qty: '0.2e1' }) },
    { says: 'with a bare point', text: cell({ px: '1.5', qty: '2.' }) },
  ]
  for (const { says, text } of forms) test(says, () => expect(firstRow(text)).toEqual(same))

  test('and what the file was like is told', () => {
    const rows = cell({}) + cell({ ts: '1700000000000000' }) + cell({ ts: '1700000000001000' })
    const { seen } = parse(`\ufeff${header}${rows}`.replaceAll('\n', '\r\n').slice(0, -2))
    expect(seen).toEqual({
      sizeBytes: 3 + header.length + rows.length + 2,
      rowCount: 3,
      badRows: 0,
      header: header.trim().split(','),
      byteOrderMark: true,
      carriageReturns: true,
      endsWithNewline: false,
      timeUnits: { tsMs: { ms: 1, us: 2 } },
    })
  })

  test('false and False are zero', () => {
    const { columns } = parse(['false', 'False', 'true', 'True'].map((maker) => cell({ maker })).join('')).table
    expect([...columns.isBuyerMaker]).toEqual([0, 0, 1, 1])
  })

  test('a header alone is a table without rows', () => {
    expect(parse(header).table.rowCount).toBe(0)
    expect(parse(header.trim()).table.rowCount).toBe(0)
  })

  test('numbers are exact up to the edge of their column and refused behind it', () => {
    expect(firstRow(cell({ id: '9223372036854775807' })).id).toBe(9223372036854775807n)
    expect(faultOf(cell({ id: '9223372036854775808' })).what).toContain('too large for i64')
    expect(firstRow(cell({ px: '9999999999999999.99' })).px).toBe(999999999999999999n)
    expect(faultOf(cell({ px: '10000000000000000.00' })).what).toContain('too large for decimal(18,2)')
    expect(firstRow(cell({ qty: '999999.999' })).qty).toBe(999999999n)
    expect(faultOf(cell({ qty: '1000000' })).what).toContain('too large for decimal(9,3)')
    for (const id of ['9007199254740991', '9007199254740992', '9007199254740993', '90071992547409930']) {
      expect(firstRow(cell({ id })).id).toBe(BigInt(id))
    }
  })
})

describe('a column that may be negative', () => {
  const signedLayout = defineCsv({
    header: 'never',
    schema: defineTable({
      name: 'signed',
      version: 1,
      columns: { change: decimal(8), sum: wideDecimal(8) },
      sortKey: [],
      tieBreak: 'as made',
    }),
    fields: [
      { header: 'change', column: 'change', signed: true },
      { header: 'sum', column: 'sum', signed: true },
    ],
  })
  const units = (text: string) => BigInt(text.replace('.', ''))

  test('is exact to the last digit, whichever half of its 64 bits changes, and up to the edge', () => {
    const texts = ['-0.00000001', '0.00000001', '-42.94967295', '-42.94967296', '-42.94967297', '-0.00000000']
    texts.push('-90071992.54740991', '-90071992.54740992', '-90071992.54740993', '-9999999999.99999999', '7.00000000')
    const lines = texts.map((text) => `${text},${text}\n`).join('')
    const { change, sum } = parseCsv(signedLayout, bytesOf(lines), { file: 'x' }).table.columns
    expect([...change]).toEqual(texts.map(units))
    expect(texts.map((_, row) => bigAt(sum, row))).toEqual(texts.map(units))
  })

  test('takes one sign in front of a number, and no other', () => {
    const why = (text: string) => {
      const bad: BadCell[] = []
      parseCsv(signedLayout, bytesOf(`${text},1\n`), { file: 'x', onBad: (cell) => bad.push(cell) })
      return bad[0] && `${bad[0].why}: ${bad[0].text} at ${bad[0].byteOffset}`
    }
    for (const text of ['-.5', '-5.', '-1e-3', '+5']) expect(why(text)).toBeUndefined()
    for (const text of ['-', '--5', '-+5', '5-', '-5-', '-.', '- 5'])
      expect(why(text)).toBe(`is not a number: ${text} at 0`)
    expect(why('-10000000000.00000000')).toContain('is too large for decimal(18,8)')
    expect(why('-0.000000001')).toContain('has more than 8 digits behind the point')
  })
})

describe('what is not a sound cell is refused with its place', () => {
  const cases: [string, Parameters<typeof cell>[0], string][] = [
    ['an empty number', { px: '' }, 'price is empty'],
    ['an empty boolean', { maker: '' }, 'is_buyer_maker is empty'],
    ['NaN', { px: 'NaN' }, 'price is not a number'],
    ['infinity', { px: 'inf' }, 'price is not a number'],
    ['a hexadecimal number', { id: '0x1F' }, 'agg_trade_id is not a number'],
    ['two points', { px: '1.5.0' }, 'price is not a number'],
    ['a sign alone', { px: '-' }, 'price is not a number'],
    ['a blank', { px: ' 1.5' }, 'price is not a number'],
    ['a blank behind', { px: '1.5 ' }, 'price is not a number'],
    ['a digit of another script', { px: '１.5' }, 'price is not a number'],
    ['thirty digits', { id: '1'.repeat(30) }, 'agg_trade_id is too large for i64'],
    ['a hundred digits', { id: '1'.repeat(100) }, 'agg_trade_id has 100 characters'],
    ['a large exponent', { px: '1e300' }, 'price is too large for decimal(18,2)'],
    ['a fraction of a count', { id: '7.5' }, 'agg_trade_id is not a whole number'],
    ['more digits than the grid has', { px: '1.505' }, 'price has more than 2 digits behind the point'],
    ['an exponent below the grid', { px: '1e-3' }, 'price has more than 2 digits behind the point'],
    ['a negative price', { px: '-1.5' }, 'price is negative'],
    ['a time in seconds', { ts: '1700000000' }, 'transact_time is neither a time in milliseconds'],
    ['a time in nanoseconds', { ts: '1700000000000000000' }, 'transact_time is neither a time in milliseconds'],
    ['microseconds that would be cut off', { ts: '1700000000000123' }, 'keeps only milliseconds'],
    ['a boolean in capitals', { maker: 'TRUE' }, 'is_buyer_maker is neither true nor false'],
    ['a boolean as a number', { maker: '1' }, 'is_buyer_maker is neither true nor false'],
    ['the word trues', { maker: 'trues' }, 'is_buyer_maker is neither true nor false'],
    ['the word falsy', { maker: 'falsy' }, 'is_buyer_maker is neither true nor false'],
    ['a quoted number', { px: '"1.5"' }, 'price is not a number'],
    ['one field too many', { maker: 'true,1' }, 'the line has more than 5 fields'],
    ['a carriage return inside', { px: '1.5\r' }, 'price is not a number'],
  ]
  for (const [says, cells, what] of cases) {
    test(says, () => {
      const fault = faultOf(header + cell({}) + cell(cells))
      expect(fault.what).toContain(what)
      expect(fault.where).toBe('x.csv:3')
    })
  }

  test('the byte offset is that of the field', () => {
    const text = `\ufeff${header}${cell({})}${cell({ qty: 'x' })}`
    const fault = faultOf(text)
    expect(fault.details['byteOffset']).toBe(bytesOf(text.slice(0, text.indexOf('x,1700'))).length)
    expect(fault.what).toMatch(/quantity is not a number, at byte \d+: "x"/)
  })

  test('a line that stops early, an empty line, an empty file, bytes that are no text', () => {
    expect(faultOf(`${cell({})}7,1.5\n`).what).toContain('the line has 2 of 5 fields')
    expect(faultOf(`${cell({})}\n${cell({})}`).what).toContain('the line is empty')
    expect(faultOf('').what).toContain('the file is empty')
    expect(() => parseCsv(layout, Uint8Array.of(55, 44, 255, 254, 44), { file: 'x' })).toThrow(/price is not UTF-8/)
  })

  test('a renamed, missing or unknown column in the header', () => {
    expect(faultOf(header.replace('price', 'qty')).what).toContain('price is called "qty" in the header')
    expect(faultOf('agg_trade_id,price\n').what).toContain('quantity is missing from the header')
    expect(faultOf(`${header.trim()},extra\n`).what).toContain('the header has the unknown field extra')
  })

  test('a web page in place of data', () => {
    expect(faultOf('<html><body>blocked</body></html>\n').what).toContain('in the header')
  })

  test('a line without an end', () => {
    expect(faultOf('7'.repeat(2_000_000)).what).toContain('the line does not end')
  })

  test('or, where the caller wants to go on, each bad line is reported once and left out', () => {
    const found: BadCell[] = []
    const text =
      header +
      cell({ id: '1' }) +
      cell({ px: 'x' }) +
      cell({ id: '2' }) +
      '5,5\n' +
      cell({ ts: '1700000000000000', maker: '?' })
    const { table, seen } = parseCsv(layout, bytesOf(text), { file: 'x.csv', onBad: (bad) => found.push(bad) })
    expect([...table.columns.id]).toEqual([1n, 2n])
    expect(found.map(({ line, field }) => [line, field])).toEqual([
      [3, 'price'],
      [5, undefined],
      [6, 'is_buyer_maker'],
    ])
    expect(seen).toMatchObject({ rowCount: 2, badRows: 3, timeUnits: { tsMs: { ms: 2, us: 0 } } })
  })
})

describe('every kind of column', () => {
  const schema = defineTable({
    name: 'csvKinds',
    version: 1,
    columns: {
      symbol: utf8(),
      tsUs: tsUs(),
      rate: decimal(8, 12),
      count: i32(),
      ratio: f64(),
      mark: nullable(decimal(4)),
      seen: nullable(tsMs()),
      note: nullable(utf8()),
    },
    sortKey: [],
    tieBreak: 'as made',
  })
  const kinds = defineCsv({
    schema,
    header: 'never',
    fields: [
      { header: 'symbol', column: 'symbol' },
      { header: 'time', column: 'tsUs' },
      { header: 'rate', column: 'rate', signed: true },
      { header: 'ignore', column: null },
      { header: 'count', column: 'count', signed: true },
      { header: 'ratio', column: 'ratio' },
      { header: 'mark', column: 'mark' },
      { header: 'seen', column: 'seen' },
      { header: 'note', column: 'note' },
    ],
  })
  const text = [
    'BTCUSDT,1700000000000,-0.00012345,"any thing",-2147483648,0.1,1.25,1700000000000,',
    'BTCUSDT,1700000000000123,0.0001,,2147483647,,,,seen 币',
    'BTC,1700000000001,1e-8,x,0,1e3,0,,BTC',
    'BTCUSDTX,1700000000001,0,x,-5,2,0,1700000000001000,BTC',
  ].join('\n')

  test('is read, and where it may be absent an empty cell is', () => {
    const { table, seen } = parseCsv(kinds, bytesOf(text), { file: 'x' })
    const { columns } = table
    expect(columns.symbol).toEqual(['BTCUSDT', 'BTCUSDT', 'BTC', 'BTCUSDTX'])
    expect([...columns.tsUs]).toEqual([1.7e15, 1700000000000123, 1700000000001000, 1700000000001000])
    expect([...columns.rate]).toEqual([-12345n, 10000n, 1n, 0n])
    expect([...columns.count]).toEqual([-2147483648, 2147483647, 0, -5])
    expect([...columns.ratio]).toEqual([0.1, Number.NaN, 1000, 2])
    expect([...columns.mark.values]).toEqual([12500n, 0n, 0n, 0n])
    expect([...columns.mark.valid]).toEqual([1, 0, 1, 1])
    expect([...columns.seen.valid]).toEqual([1, 0, 0, 1])
    expect(columns.note.values).toEqual(['', 'seen 币', 'BTC', 'BTC'])
    expect([...columns.note.valid]).toEqual([0, 1, 1, 1])
    expect(seen.timeUnits).toEqual({ tsUs: { ms: 3, us: 1 }, seen: { ms: 1, us: 1 } })
  })

  test('a count beyond 32 bits is refused', () => {
    const wide = text.replace('2147483647', '2147483648')
    expect(() => parseCsv(kinds, bytesOf(wide), { file: 'x' })).toThrow(/count is too large for i32/)
  })
})

describe('a file in pieces', () => {
  const lines = Array.from({ length: 300 }, (_, row) =>
    cell({
      id: String(row * 7919),
      px: row % 7 === 0 ? `${row}` : `${row}.${row % 90}`,
      qty: row % 11 === 0 ? `${row}e-1` : `0.00${row % 10}`,
      ts: String(1_700_000_000_000 + row * 997) + (row % 3 === 0 ? '000' : ''),
      maker: ['true', 'False', 'false', 'True'][row % 4]!,
    }).replace('\n', row % 5 === 0 ? '\r\n' : '\n'),
  )
  const file = bytesOf(`\ufeff${header}${lines.join('')}`)
  const whole = parseCsv(layout, file, { file: 'x' })

  test('gives the same table wherever it is cut, in batches of any size', () => {
    const cuts = fc.array(fc.nat(file.length), { maxLength: 40 })
    fc.assert(
      fc.property(cuts, fc.integer({ min: 1, max: 400 }), fc.nat(3), (at, batchRows, cutOff) => {
        const batches: Table<typeof trades.columns>[] = []
        const parser = csvParser(layout, { file: 'x', batchRows, onBatch: (batch) => batches.push(batch) })
        const end = file.length - (cutOff === 0 ? 1 : 0)
        const scratch = new Uint8Array(file.length)
        const edges = [0, ...at.filter((edge) => edge < end).sort((a, b) => a - b), end]
        for (let i = 1; i < edges.length; i++) {
          // The chunk is overwritten after each push: the parser must not hold on to it.
          const piece = scratch.subarray(0, edges[i]! - edges[i - 1]!)
          piece.set(file.subarray(edges[i - 1]!, edges[i]!))
          parser.push(piece)
          piece.fill(57)
        }
        const seen = parser.finish()
        expect(concatTables(trades, batches).columns).toEqual(whole.table.columns)
        expect(batches.slice(0, -1).every((batch) => batch.rowCount === batchRows)).toBe(true)
        expect(seen).toEqual({ ...whole.seen, sizeBytes: end, endsWithNewline: end === file.length })
      }),
      { numRuns: 150 },
    )
  })

  test('byte by byte too, with the place of an error', () => {
    const bad = bytesOf(new TextDecoder().decode(file).replace(`${299 * 7919},`, 'oops,'))
    const parser = csvParser(layout, { file: 'x', onBatch: () => {} })
    const push = () => {
      for (let i = 0; i < bad.length; i++) parser.push(bad.subarray(i, i + 1))
      parser.finish()
    }
    expect(push).toThrow(/x:301: agg_trade_id is not a number/)
  })
})
