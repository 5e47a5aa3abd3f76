import type { FileSet } from '../artifact.ts'
import { type Finding, type FindingKind, type Policy, severityOf } from '../audit/finding.ts'
import type { CsvLayout } from '../csv/layout.ts'
import { csvParser } from '../csv/parser.ts'
import { Fault } from '../fault.ts'
import { int64Words } from '../tables/columnChecks.ts'
import type { Columns, TableSchema } from '../tables/schema.ts'
import type { Table } from '../tables/table.ts'
import { formatUtc, type TsMs } from '../time.ts'
import { openSingleFileZip } from '../zip.ts'
import { mergePieces } from './mergePieces.ts'
import { readPieces } from './readPiece.ts'
import { wrongTurnovers } from './turnover.ts'

/** How files of one kind of trades are read, and into what. */
export type TradeForm<R extends Columns, C extends Columns> = {
  readonly layout: CsvLayout<R>
  readonly schema: TableSchema<C>
  readonly id: keyof R & string
  readonly time: keyof R & string
  /** Units of the time column in a millisecond. */
  readonly perMs: 1 | 1000
  readonly header: boolean | undefined
  readonly timeUnit: 'ms' | 'us' | undefined
  /** Fields of the API's rows, in the order of the layout; absent where it keeps no history of them. */
  readonly jsonFields?: readonly string[]
  /** Whether ids rise by exactly one, so that a hole in them is a hole in the data. */
  readonly hasEveryId: boolean
}

export type TradePartition = {
  readonly symbol: string
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
}

type Say = (kind: FindingKind, what: string, tsMs?: TsMs) => void

const batchRows = 262_144

/** What keeps a file from being copied through as it comes. */
const needsSorting: ReadonlySet<FindingKind> = new Set([
  'outOfOrder',
  'duplicateRows',
  'conflictingRows',
  'outsidePeriod',
])

/**
 * The trades of a partition in batches, in memory that does not grow with the file. `audited` is what an earlier look at
 * the same file found: one whose rows are in disorder is read whole and sorted, for a batch that was handed on cannot be
 * taken back.
 */
export function* tradesOf<R extends Columns, C extends Columns>(
  files: FileSet,
  form: TradeForm<R, C>,
  partition: TradePartition,
  policy: Policy,
  audited: readonly Finding[],
): Generator<Table<C>, void, undefined> {
  if (
    audited.some(
      ({ kind }) => needsSorting.has(kind) || kind === 'badCell' || kind === 'schemaDrift' || kind === 'unreadableFile',
    )
  ) {
    yield named(form, partition.symbol, sortedWhole(files, form, partition, policy).table)
    return
  }
  for (const batch of streamed(files, form, partition)) yield named(form, partition.symbol, batch)
}

/** What is wrong with the trades of a partition; reads the whole file and keeps none of it. */
export function auditTrades<R extends Columns, C extends Columns>(
  files: FileSet | undefined,
  form: TradeForm<R, C>,
  partition: TradePartition,
  policy: Policy,
): { rows: number; findings: Finding[] } {
  const severity = (kind: FindingKind) => severityOf(kind, policy)
  if (files === undefined) {
    const { fromTsMs, toTsMs } = partition
    return {
      rows: 0,
      findings: [
        { kind: 'missingRows', severity: severity('missingRows'), what: 'there is no file', fromTsMs, toTsMs },
      ],
    }
  }
  const tally = new Map<FindingKind, Finding>()
  const say = (kind: FindingKind, what: string, tsMs?: TsMs) => {
    const known = tally.get(kind)
    const rows = (known?.rows ?? 0) + 1
    tally.set(kind, {
      ...(known ?? { kind, severity: severity(kind), what, ...(tsMs === undefined ? {} : { fromTsMs: tsMs }) }),
      ...(tsMs === undefined ? {} : { toTsMs: tsMs + 1 }),
      rows,
    })
  }
  const thoroughly = () => {
    const { table, findings } = sortedWhole(files, form, partition, policy)
    tally.clear()
    sayWrongTurnovers(table, form, say)
    return { rows: table.rowCount, findings: [...findings, ...tally.values()] }
  }
  let rows = 0
  try {
    for (const batch of streamed(files, form, partition, say)) rows += batch.rowCount
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    // A line that cannot be read, or a broken zip: now the slow and thorough reader tells all of it.
    return thoroughly()
  }
  if ([...tally.keys()].some((kind) => needsSorting.has(kind))) return thoroughly()
  return { rows, findings: [...tally.values()] }
}

/** Batches as they come; `say` hears of what is wrong between rows. Without it they are not looked at once more. */
function* streamed<R extends Columns, C extends Columns>(
  files: FileSet,
  form: TradeForm<R, C>,
  { fromTsMs, toTsMs }: TradePartition,
  say?: Say,
): Generator<Table<R>, void, undefined> {
  const name = files.names.find((one) => one.endsWith('.zip'))
  if (name === undefined) return
  const zip = openSingleFileZip(
    { sizeBytes: files.sizeBytes(name), readAt: (offset, lengthBytes) => files.readAt(name, offset, lengthBytes) },
    name,
  )
  const ready: Table<R>[] = []
  const parser = csvParser(form.layout, {
    file: `${name}/${zip.name}`,
    batchRows,
    onBatch: (batch) => ready.push(batch),
  })
  let before = Number.NaN
  const checked = (batch: Table<R>): Table<R> => {
    if (say === undefined) return batch
    // Read as two words each: a bigint for every row would cost more than all the rest.
    const words = int64Words(batch.columns[form.id] as BigInt64Array)
    const times = batch.columns[form.time] as Float64Array
    for (let row = 0; row < batch.rowCount; row++) {
      const id = words[2 * row + 1]! * 4_294_967_296 + (words[2 * row]! >>> 0)
      const tsMs = form.perMs === 1 ? times[row]! : Math.floor(times[row]! / form.perMs)
      if (id !== before + 1 && !Number.isNaN(before)) {
        if (id === before) say('duplicateRows', `id ${id} is there twice`, tsMs)
        else if (id < before) say('outOfOrder', `id ${id} comes after ${before}`, tsMs)
        else if (form.hasEveryId) say('missingIds', `no id between ${before} and ${id}`, tsMs)
      }
      if (tsMs < fromTsMs || tsMs >= toTsMs)
        say('outsidePeriod', `a trade of ${formatUtc(tsMs)} lies outside the file's period`, tsMs)
      before = id
    }
    sayWrongTurnovers(batch, form, say)
    return batch
  }
  for (const piece of zip.pieces()) {
    parser.push(piece)
    while (ready.length > 0) yield checked(ready.shift()!)
  }
  const seen = parser.finish()
  while (ready.length > 0) yield checked(ready.shift()!)
  if (say === undefined) return
  if (form.header === true && seen.header === undefined)
    say('missingHeader', 'it has no header, as files of its time do')
  if (form.header === false && seen.header !== undefined)
    say('unexpectedHeader', 'it has a header, which files of its kind lack')
  const units = seen.timeUnits[form.time]!
  if (units.ms > 0 && units.us > 0) say('mixedTimeUnits', 'it changes between milliseconds and microseconds')
  else if (form.timeUnit === 'ms' && units.us > 0) say('unexpectedTimeUnit', 'its times are in microseconds')
  else if (form.timeUnit === 'us' && units.ms > 0) say('unexpectedTimeUnit', 'its times are in milliseconds')
}

function sortedWhole<R extends Columns, C extends Columns>(
  files: FileSet,
  form: TradeForm<R, C>,
  { fromTsMs, toTsMs }: TradePartition,
  policy: Policy,
): { table: Table<R>; findings: Finding[] } {
  const pieces = readPieces([files], {
    layout: form.layout,
    policy,
    ...(form.header === undefined ? {} : { header: form.header }),
    ...(form.timeUnit === undefined ? {} : { timeUnit: form.timeUnit }),
  })
  const { table, findings } = mergePieces(pieces, {
    schema: form.layout.schema,
    key: form.id,
    time: form.time,
    fromTsMs: fromTsMs * form.perMs,
    toTsMs: toTsMs * form.perMs,
    policy,
    unitsPerMs: form.perMs,
  })
  return { table, findings: [...pieces.flatMap((piece) => piece.findings), ...findings] }
}

/** Single trades state their turnover, which tables do not keep. */
function sayWrongTurnovers<R extends Columns, C extends Columns>(
  { columns }: Table<R>,
  form: TradeForm<R, C>,
  say: Say,
): void {
  const { [form.id]: ids, [form.time]: times, price, qty, quoteQty } = columns as Readonly<Record<string, unknown>>
  if (quoteQty === undefined) return
  for (const row of wrongTurnovers(price as BigInt64Array, qty as BigInt64Array, quoteQty as BigInt64Array)) {
    const tsMs = Math.floor((times as Float64Array)[row]! / form.perMs)
    say(
      'wrongTurnover',
      `the turnover of trade ${(ids as BigInt64Array)[row]} is not its price times its quantity`,
      tsMs,
    )
  }
}

/** Rows of one symbol, with its name. */
export function named<R extends Columns, C extends Columns>(
  form: TradeForm<R, C>,
  symbol: string,
  rows: Table<R>,
): Table<C> {
  const all: Readonly<Record<string, unknown>> = {
    symbol: new Array<string>(rows.rowCount).fill(symbol),
    ...rows.columns,
  }
  const columns = Object.fromEntries(Object.keys(form.schema.columns).map((name) => [name, all[name]]))
  // Values were checked as they were read, and whoever writes the table checks them again.
  return { schema: form.schema, rowCount: rows.rowCount, columns: columns as Table<C>['columns'] }
}
