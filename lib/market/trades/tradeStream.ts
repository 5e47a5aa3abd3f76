import type { FileSet } from '../../artifact.ts'
import { assertAccepted } from '../../audit/assertAccepted.ts'
import { type Finding, type Policy, severityOf } from '../../audit/finding.ts'
import { notesOf } from '../../audit/tableNotes.ts'
import { csvParser } from '../../csv/parser.ts'
import { Fault } from '../../fault.ts'
import { type StartOver, startOver, type TableBatches } from '../../tables/batches.ts'
import type { Columns } from '../../tables/schema.ts'
import type { Table } from '../../tables/table.ts'
import { findingsAbout, isLeftOut, openZip, sayDoubts } from '../ingest/fileDoubts.ts'
import { mergePieces } from '../ingest/mergePieces.ts'
import { readPieces } from '../ingest/readPiece.ts'
import { type TradeChecks, tradeChecks } from './tradeChecks.ts'
import type { TradeForm, TradePartition } from './tradeForms.ts'

const batchRows = 262_144

/** The trades of a partition and, as the table's notes, what is wrong with them: one pass over the file, in memory that
 *  does not grow with it. */
export function* tradesOf<R extends Columns, C extends Columns>(
  files: FileSet | undefined,
  form: TradeForm<R, C>,
  partition: TradePartition,
  policy: Policy,
): TableBatches<C> {
  const named = rowsOf(form, partition.symbol)
  const trades = checkedTrades(files, form, partition, policy)
  for (let next = trades.next(); ; next = trades.next()) {
    if (next.done === true) {
      assertAccepted(next.value, { ...partition, policy })
      return notesOf(next.value)
    }
    yield next.value === startOver ? startOver : named(next.value)
  }
}

/** The same pass for its findings alone. */
export function auditTrades<R extends Columns, C extends Columns>(
  files: FileSet | undefined,
  form: TradeForm<R, C>,
  partition: TradePartition,
  policy: Policy,
): { rows: number; findings: readonly Finding[] } {
  const trades = checkedTrades(files, form, partition, policy)
  let rows = 0
  for (let next = trades.next(); ; next = trades.next()) {
    if (next.done === true) return { rows, findings: next.value }
    rows = next.value === startOver ? 0 : rows + next.value.rowCount
  }
}

/** Batches as they come, for as long as nothing keeps them from being copied through. Where rows are in disorder, or cannot
 *  be read, the slow and thorough way begins from the start: it holds the whole file, sorts it, and tells of all of it. */
function* checkedTrades<R extends Columns, C extends Columns>(
  files: FileSet | undefined,
  form: TradeForm<R, C>,
  partition: TradePartition,
  policy: Policy,
): Generator<Table<R> | StartOver, readonly Finding[], undefined> {
  const nothing = (what: string): Finding => {
    const { fromTsMs, toTsMs } = partition
    return { kind: 'missingRows', severity: severityOf('missingRows', policy), what, fromTsMs, toTsMs }
  }
  if (files === undefined) return [nothing('there is no file')]
  const found = yield* streamed(files, form, tradeChecks(form, partition, policy), policy)
  if (found !== undefined) return isLeftOut(found, policy) ? [...found, nothing('nothing of the file is taken')] : found
  yield startOver
  const { table, findings } = sortedWhole(files, form, partition, policy)
  if (isLeftOut(findings, policy)) return [...findings, nothing('nothing of the file is taken')]
  yield table
  const checks = tradeChecks(form, partition, policy)
  checks.lookAtTurnovers(table)
  return [...findings, ...checks.findings()]
}

/** Hands on what can stay as it is, and returns what was found; nothing where not all of it can. */
function* streamed<R extends Columns, C extends Columns>(
  files: FileSet,
  form: TradeForm<R, C>,
  checks: TradeChecks<R>,
  policy: Policy,
): Generator<Table<R>, readonly Finding[] | undefined, undefined> {
  const name = files.names.find((one) => one.endsWith('.zip'))
  if (name === undefined) return []
  const { findings, say } = findingsAbout(name, policy)
  try {
    const zip = openZip(files, name)
    sayDoubts(files, name, zip.name, say)
    if (isLeftOut(findings, policy)) return findings
    const ready: Table<R>[] = []
    const onBatch = (batch: Table<R>) => ready.push(batch)
    const parser = csvParser(form.layout, { file: `${name}/${zip.name}`, batchRows, onBatch })
    for (const piece of zip.pieces()) {
      parser.push(piece)
      for (const batch of ready.splice(0)) {
        if (!checks.look(batch)) return undefined
        yield batch
      }
    }
    checks.lookAtForm(parser.finish())
    for (const batch of ready) {
      if (!checks.look(batch)) return undefined
      yield batch
    }
  } catch (error) {
    // A line that cannot be read, or a broken zip.
    if (!(error instanceof Fault)) throw error
    return undefined
  }
  return [...findings, ...checks.findings()]
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

/** Gives rows of one symbol its name. */
export function rowsOf<R extends Columns, C extends Columns>(
  form: TradeForm<R, C>,
  symbol: string,
): (rows: Table<R>) => Table<C> {
  let symbols: readonly string[] = []
  return (rows) => {
    // Most batches are equally long, and nobody writes to the names of one.
    if (symbols.length !== rows.rowCount) symbols = new Array<string>(rows.rowCount).fill(symbol)
    const all: Readonly<Record<string, unknown>> = { symbol: symbols, ...rows.columns }
    const columns = Object.fromEntries(Object.keys(form.schema.columns).map((name) => [name, all[name]]))
    // Values were checked as they were read, and whoever writes the table checks them again.
    return { schema: form.schema, rowCount: rows.rowCount, columns: columns as Table<C>['columns'] }
  }
}
