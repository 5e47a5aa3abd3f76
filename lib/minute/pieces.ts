import assert from 'node:assert/strict'
import type { FileSet } from '../artifact.ts'
import { Fault } from '../fault.ts'
import { openTable, type TableReader } from '../tables/parquet.ts'
import { type Column, type Columns, pickColumns, type TableSchema } from '../tables/schema.ts'
import { sliceTable, type Table } from '../tables/table.ts'
import { DAY_MS, floorTo, formatUtc } from '../time.ts'
import { lowerBound } from './bars.ts'

/** A stored table, as far as it is read here. */
export interface StoredTable {
  readonly files: FileSet
}

interface Piece<C extends Columns> {
  readonly reader: TableReader<C>
  readonly firstMs: number
  /** Of its first row; absent in tables whose rows are named by their instants. */
  readonly firstId?: bigint | undefined
}

/**
 * Rows of one symbol over several opened tables, in the order of time, from `fromMs` on. Nothing but a row group is
 * decoded at once, and row groups before `fromMs` only as far as their stamps. Whoever collected the tables may have
 * collected them in any order; they must not overlap. Tables of trades may share the instant they meet at, as long as ids
 * go on in order: many trades share a millisecond, and a table may end between two of them.
 */
export function* rowsFrom<C extends Columns, K extends keyof C & string>(
  readers: readonly TableReader<C>[],
  timeColumn: K,
  columns: readonly K[],
  fromMs: number,
): Generator<Table<Pick<C, K>>> {
  const stampsOf = (table: Table<Pick<C, K>>) => table.columns[timeColumn] as unknown as Float64Array
  const idAt = (reader: TableReader<C>, at: 0 | -1): bigint | undefined => {
    const idColumn = idColumnOf(reader.schema)
    if (idColumn === undefined) return undefined
    const group = at === 0 ? 0 : reader.info.rowGroups.length - 1
    const { columns: ids } = reader.read({ columns: [idColumn], rowGroups: [group] })
    return (ids[idColumn] as unknown as BigInt64Array).at(at)
  }
  const pieces = readers
    .map((reader): Piece<C> | undefined => {
      if (reader.info.rowCount === 0) return undefined
      const firstMs = stampsOf(reader.read({ columns: [timeColumn], rowGroups: [0] }))[0]!
      return { reader, firstMs, firstId: idAt(reader, 0) }
    })
    .filter((piece) => piece !== undefined)
    .sort((a, b) => a.firstMs - b.firstMs || ((a.firstId ?? 0n) < (b.firstId ?? 0n) ? -1 : 1))
  let lastMs = Number.NEGATIVE_INFINITY
  for (const [i, { reader, firstMs, firstId }] of pieces.entries()) {
    const { schema } = reader
    const goesOn = () => firstMs === lastMs && firstId !== undefined && firstId > idAt(pieces[i - 1]!.reader, -1)!
    if (firstMs <= lastMs && !goesOn()) {
      throw new Fault({
        code: 'failed',
        what: `two tables of ${schema.name} overlap: one begins at ${formatUtc(firstMs)}, where another still has rows`,
        todo: 'ingest each period once',
      })
    }
    // A piece that ends before the range, as the next one begins before it, is not even opened.
    const nextMs = pieces[i + 1]?.firstMs ?? Number.POSITIVE_INFINITY
    if (idColumnOf(schema) === undefined ? nextMs <= fromMs : nextMs < fromMs) continue
    for (const group of reader.info.rowGroups.keys()) {
      const stamps = stampsOf(reader.read({ columns: [timeColumn], rowGroups: [group] }))
      lastMs = Math.max(lastMs, stamps.at(-1)!)
      if (stamps.at(-1)! < fromMs) continue
      const others = reader.read({ columns: columns.filter((name) => name !== timeColumn), rowGroups: [group] })
      const picked = pickColumns(schema, columns) as Table<Pick<C, K>>['schema']
      const data = { ...others.columns, [timeColumn]: stamps } as unknown as Table<Pick<C, K>>['columns']
      const table = { schema: picked, rowCount: others.rowCount, columns: data }
      yield stamps[0]! >= fromMs ? table : sliceTable(table, lowerBound(stamps, fromMs), table.rowCount)
    }
  }
}

const idColumnOf = (schema: TableSchema): string | undefined =>
  schema.sortKey.find((name) => schema.columns[name]!.kind === 'i64')

export const openAll = <C extends Columns>(
  schema: TableSchema<C>,
  tables: readonly StoredTable[],
): readonly TableReader<C>[] => tables.map(({ files }) => openStored(schema, files))

function openStored<C extends Columns>(schema: TableSchema<C>, files: FileSet): TableReader<C> {
  const name = 'table.parquet'
  return openTable(schema, {
    sizeBytes: files.sizeBytes(name),
    readAt: (offset, length) => files.readAt(name, offset, length),
  })
}

/** By the symbol they are of; those without a row are of none. */
export function readersBySymbol<C extends { readonly symbol: Column<'utf8', false> } & Columns>(
  readers: readonly TableReader<C>[],
): Map<string, TableReader<C>[]> {
  const found = new Map<string, TableReader<C>[]>()
  for (const reader of readers) {
    if (reader.info.rowCount === 0) continue
    const { symbol: names } = reader.read({ columns: ['symbol'], rowGroups: [0] }).columns
    const symbol = (names as readonly string[])[0]!
    found.set(symbol, [...(found.get(symbol) ?? []), reader])
  }
  return found
}

/** Tables cut at UTC midnights: each that comes out lies within one day, and a day may come in several. */
export function* cutAtMidnight<C extends Columns>(
  tables: Iterable<Table<C>>,
  timeColumn: keyof C & string,
): Generator<{ dayTsMs: number; rows: Table<C> }> {
  for (const table of tables) {
    const stamps = table.columns[timeColumn] as unknown as Float64Array
    for (let from = 0; from < table.rowCount; ) {
      const dayTsMs = floorTo(stamps[from]!, DAY_MS)
      const to = lowerBound(stamps, dayTsMs + DAY_MS)
      assert.ok(to > from, `${table.schema.name} is in the order of ${timeColumn}`)
      yield { dayTsMs, rows: sliceTable(table, from, to) }
      from = to
    }
  }
}

/** Hands out what was cut by day, a day when it is asked for, in rising order. */
export class DayQueue<T> {
  readonly #source: Iterator<{ dayTsMs: number; rows: T }>
  #next: { dayTsMs: number; rows: T } | undefined

  constructor(source: Iterable<{ dayTsMs: number; rows: T }>) {
    this.#source = source[Symbol.iterator]()
    this.#next = this.#pull()
  }

  /** Everything of that day; what came before it and was not asked for is dropped. */
  take(dayTsMs: number): T[] {
    while (this.#next !== undefined && this.#next.dayTsMs < dayTsMs) this.#next = this.#pull()
    const taken: T[] = []
    while (this.#next?.dayTsMs === dayTsMs) {
      taken.push(this.#next.rows)
      this.#next = this.#pull()
    }
    return taken
  }

  #pull(): { dayTsMs: number; rows: T } | undefined {
    const { done, value } = this.#source.next()
    return done === true ? undefined : value
  }
}
