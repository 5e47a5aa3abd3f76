import type { FileSet } from '../../artifact.ts'
import { type Finding, type FindingKind, findingsListedMax, type Policy } from '../../audit/finding.ts'
import type { BadCell } from '../../csv/badCell.ts'
import type { CsvLayout, CsvSeen } from '../../csv/layout.ts'
import { parseCsv } from '../../csv/parser.ts'
import { Fault } from '../../fault.ts'
import type { Columns } from '../../tables/schema.ts'
import { concatTables, type Table } from '../../tables/table.ts'
import { readSingleFileZip } from '../../zip.ts'
import { findingsAbout, isLeftOut, sayDoubts } from './fileDoubts.ts'
import { jsonRowsAsCsv } from './jsonRows.ts'
import type { Piece } from './mergePieces.ts'

/** What a file ought to look like. */
export type PieceRules<C extends Columns> = {
  readonly layout: CsvLayout<C>
  readonly policy: Policy
  /** Where archives and pages have other columns they are read one after the other. */
  readonly only?: 'archives' | 'pages'
  /** Fields of a JSON row that is an object, in the order of the layout. */
  readonly jsonFields?: readonly string[]
  /** Absent values are written as two quotation marks. */
  readonly emptyQuotes?: boolean
  /** Whether archives of this kind and time carry a header, where that is known. */
  readonly header?: boolean
  /** Microseconds or milliseconds, where that is known. */
  readonly timeUnit?: 'ms' | 'us'
}

export type ReadPiece<C extends Columns> = Piece<C> & {
  readonly findings: readonly Finding[]
  readonly seen: CsvSeen | undefined
}

/** All pieces of several artifacts of raw files, archives before pages of the API. */
export function readPieces<C extends Columns>(raw: readonly FileSet[], rules: PieceRules<C>): ReadPiece<C>[] {
  const archives = raw.flatMap((files) =>
    files.names.filter((name) => name.endsWith('.zip')).map((name) => ({ files, name })),
  )
  const pages = raw.flatMap((files) =>
    files.names.filter((name) => name.endsWith('.json')).map((name) => ({ files, name })),
  )
  // Months stand before days, and everything in the order of its period: whoever collected them may have mixed them up.
  const byPeriod = (a: { name: string }, b: { name: string }) =>
    a.name.length - b.name.length || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  return [
    ...(rules.only === 'pages'
      ? []
      : archives.sort(byPeriod).map(({ files, name }) => readArchive(files, name, rules))),
    ...(rules.only === 'archives'
      ? []
      : pages.sort(byPeriod).map(({ files, name }) => readPage(files.read(name), name, rules))),
  ]
}

function readArchive<C extends Columns>(files: FileSet, name: string, rules: PieceRules<C>): ReadPiece<C> {
  const { findings, say } = findingsAbout(name, rules.policy)
  const nothing = () => piece(name, concatTables(rules.layout.schema, []), false, findings, undefined)

  let member: { name: string; bytes: Uint8Array }
  try {
    member = readSingleFileZip(files.read(name), name)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    say('unreadableFile', error.what)
    sayDoubts(files, name, undefined, say)
    return nothing()
  }
  sayDoubts(files, name, member.name, say)
  if (isLeftOut(findings, rules.policy)) return nothing()
  const text = rules.emptyQuotes === true ? withoutEmptyQuotes(member.bytes) : member.bytes
  const read = readText(text, `${name}/${member.name}`, rules, say)
  if (read === undefined) return nothing()
  sayForm(read.seen, rules, say)
  return piece(name, read.table, false, findings, read.seen)
}

function readPage<C extends Columns>(bytes: Uint8Array, name: string, rules: PieceRules<C>): ReadPiece<C> {
  const { findings, say } = findingsAbout(name, rules.policy)
  const csv = jsonRowsAsCsv(bytes, name, rules.jsonFields)
  if (csv.length === 0) return piece(name, concatTables(rules.layout.schema, []), true, findings, undefined)
  const read = readText(csv, name, { ...rules, layout: { ...rules.layout, header: 'never' } }, say)
  return piece(name, read?.table ?? concatTables(rules.layout.schema, []), true, findings, read?.seen)
}

function withoutEmptyQuotes(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes)
  return text.includes('""') ? new TextEncoder().encode(text.replaceAll('""', '')) : bytes
}

type Say = (kind: FindingKind, what: string, more?: Partial<Finding>) => void

function readText<C extends Columns>(
  bytes: Uint8Array,
  file: string,
  { layout }: PieceRules<C>,
  say: Say,
): { table: Table<C>; seen: CsvSeen } | undefined {
  let bad = 0
  const onBad = ({ line, field, byteOffset, why, text }: BadCell) => {
    if (++bad > findingsListedMax) return
    say('badCell', `${field ?? 'the line'} ${why}: ${JSON.stringify(text)}`, {
      file,
      line,
      byteOffset,
      ...(field === undefined ? {} : { column: field }),
    })
  }
  try {
    const read = parseCsv(layout, bytes, { file, onBad })
    const more = bad - findingsListedMax
    if (more > 0) say('badCell', `${more} more lines cannot be read`, { file, rows: more })
    return read
  } catch (error) {
    // The header, or a line without an end: nothing behind it can be trusted.
    if (!(error instanceof Fault)) throw error
    const { line, byteOffset } = error.details as { line?: number; byteOffset?: number }
    say('schemaDrift', error.what, {
      file,
      ...(line === undefined ? {} : { line }),
      ...(byteOffset === undefined ? {} : { byteOffset }),
    })
    return undefined
  }
}

/** Forms that are read all the same, and that say the file was made in another way than its neighbours. */
function sayForm(
  seen: CsvSeen,
  { header, timeUnit }: Pick<PieceRules<Columns>, 'header' | 'timeUnit'>,
  say: Say,
): void {
  if (seen.byteOrderMark) say('byteOrderMark', 'it begins with a byte order mark')
  if (seen.carriageReturns) say('carriageReturns', 'its lines end with a carriage return')
  if (!seen.endsWithNewline) say('noFinalNewline', 'its last line does not end: it may be cut off')
  if (header === true && seen.header === undefined && seen.rowCount > 0)
    say('missingHeader', 'it has no header, as files of its time do')
  if (header === false && seen.header !== undefined)
    say('unexpectedHeader', 'it has a header, which files of its kind lack')
  let ms = 0
  let us = 0
  for (const units of Object.values(seen.timeUnits)) {
    ms += units.ms
    us += units.us
  }
  if (ms > 0 && us > 0) say('mixedTimeUnits', 'it changes between milliseconds and microseconds')
  else if (timeUnit === 'ms' && us > 0) say('unexpectedTimeUnit', 'its times are in microseconds')
  else if (timeUnit === 'us' && ms > 0) say('unexpectedTimeUnit', 'its times are in milliseconds')
}

const piece = <C extends Columns>(
  file: string,
  table: Table<C>,
  mayReachBeyond: boolean,
  findings: readonly Finding[],
  seen: CsvSeen | undefined,
): ReadPiece<C> => ({ file, table, mayReachBeyond, findings, seen })
