import assert from 'node:assert/strict'
import type { Columns, TableSchema } from '../tables/schema.ts'

/** One field of a line, from left to right. */
export type CsvField<Name extends string = string> = {
  /** The names a header may give it; the first is the usual one. */
  readonly header: string | readonly string[]
  /** The column it fills, or null where it is read over. */
  readonly column: Name | null
  /** Negative values are sound here. Anywhere else a minus sign is a bad cell. */
  readonly signed?: boolean
}

/**
 * How the lines of a file become rows of a table. Numbers are checked to the last digit: decimals by the column's scale,
 * times by magnitude (from 1e14 up they are microseconds, below milliseconds), booleans as true, false, True or False.
 */
export type CsvLayout<C extends Columns = Columns> = {
  readonly schema: TableSchema<C>
  readonly fields: readonly CsvField<keyof C & string>[]
  /** `sniff` (the default) takes a first line that begins with a digit or a minus sign for data. */
  readonly header?: 'sniff' | 'always' | 'never'
}

/** Declares a layout. Every column of the table is filled by one field. */
// @__NO_SIDE_EFFECTS__
export function defineCsv<C extends Columns>(layout: CsvLayout<C>): CsvLayout<C> {
  const { schema, fields } = layout
  const filled = fields.flatMap(({ column }) => (column === null ? [] : [column]))
  assert.deepEqual(filled.toSorted(), Object.keys(schema.columns).sort(), `${schema.name}: one field for each column`)
  return layout
}

/** What a file turned out to be, for records and findings. */
export type CsvSeen = {
  readonly sizeBytes: number
  readonly rowCount: number
  readonly badRows: number
  readonly header: readonly string[] | undefined
  readonly byteOrderMark: boolean
  readonly carriageReturns: boolean
  /** False where the last line has no line end: it was written so, or the file is cut off. */
  readonly endsWithNewline: boolean
  /** For each time column, how many rows were in which unit. A file that holds both has changed units inside. */
  readonly timeUnits: Readonly<Record<string, { readonly ms: number; readonly us: number }>>
}

export const headerNames = ({ header }: CsvField): readonly string[] => (typeof header === 'string' ? [header] : header)
