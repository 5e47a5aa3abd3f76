import { z } from 'zod'
import type { FileSet } from '../../artifact.ts'
import { assertAccepted } from '../../audit/assertAccepted.ts'
import { type Finding, type FindingKind, type Policy, severityOf } from '../../audit/finding.ts'
import { notesOf } from '../../audit/tableNotes.ts'
import type { TableBatches } from '../../tables/batches.ts'
import type { Columns } from '../../tables/schema.ts'
import type { Table } from '../../tables/table.ts'
import { formatUtc, type TsMs } from '../../time.ts'
import { gatherRows } from '../ingest/gatherRows.ts'
import { mergePieces } from '../ingest/mergePieces.ts'
import { readPieces } from '../ingest/readPiece.ts'
import type { TradeForm, TradePartition } from './tradeForms.ts'
import { rowsOf } from './tradeStream.ts'

/** Of a day out of pages: what the API still had when it was asked; the archive has the rest, but not yet. */
export const servedFromTsMs = z.number().int().optional()

export type TailPartition = TradePartition & {
  readonly closedBeforeTsMs?: TsMs | undefined
  readonly servedFromTsMs?: z.output<typeof servedFromTsMs>
}

/** The trades of a partition out of pages of the API, page by page: memory does not grow with the day. Its notes tell what
 *  is wrong with them: pages reach into each other, and between them no id may be missing. `doubts` are those about the
 *  archive's own file, where it has one and nothing of it is taken. */
export function* pagedTradesOf<R extends Columns, C extends Columns>(
  pages: readonly FileSet[],
  form: TradeForm<R, C>,
  partition: TailPartition,
  policy: Policy,
  doubts: readonly Finding[] = [],
): TableBatches<C> {
  const findings = [...doubts, ...unserved(partition, policy)]
  const named = rowsOf(form, partition.symbol)
  for (const batch of inOrder(pages, form, partition, policy, findings)) yield named(batch)
  assertAccepted(findings, { ...partition, policy })
  return notesOf(findings)
}

/** The same pass for its findings alone. */
export function auditTradePages<R extends Columns, C extends Columns>(
  pages: readonly FileSet[],
  form: TradeForm<R, C>,
  partition: TailPartition,
  policy: Policy,
): { rows: number; findings: readonly Finding[] } {
  const findings = [...unserved(partition, policy)]
  let rows = 0
  for (const batch of inOrder(pages, form, partition, policy, findings)) rows += batch.rowCount
  return { rows, findings }
}

function unserved({ fromTsMs, servedFromTsMs = fromTsMs }: TailPartition, policy: Policy): Finding[] {
  if (servedFromTsMs <= fromTsMs) return []
  const what = `the API keeps one day, and the archive has none yet: nothing before ${formatUtc(servedFromTsMs)}`
  return [{ kind: 'missingRows', severity: severityOf('missingRows', policy), what, fromTsMs, toTsMs: servedFromTsMs }]
}

function* inOrder<R extends Columns, C extends Columns>(
  pages: readonly FileSet[],
  form: TradeForm<R, C>,
  { fromTsMs, toTsMs, closedBeforeTsMs }: TailPartition,
  policy: Policy,
  findings: Finding[],
): Generator<Table<R>, void, undefined> {
  const holes = createHoles(policy)
  const files = pages
    .flatMap((set) => set.names.filter((name) => name.endsWith('.json')).map((name) => ({ set, name })))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  let before: bigint | undefined
  for (const { set, name } of files) {
    const read = readPieces([oneOf(set, name)], {
      layout: form.layout,
      policy,
      only: 'pages',
      jsonFields: form.jsonFields,
    })
    const { table, findings: within } = mergePieces(read, {
      schema: form.layout.schema,
      key: form.id,
      time: form.time,
      fromTsMs: fromTsMs * form.perMs,
      toTsMs: Math.min(toTsMs, closedBeforeTsMs ?? toTsMs) * form.perMs,
      unitsPerMs: form.perMs,
      policy,
    })
    findings.push(...read.flatMap((piece) => piece.findings), ...within)
    const ids = table.columns[form.id] as BigInt64Array
    const times = table.columns[form.time] as Float64Array
    // A page that went on by id ends where it is full, somewhere within the next hour: its rows come again there.
    let first = 0
    while (first < table.rowCount && before !== undefined && ids[first]! <= before) first++
    for (let row = first; row < table.rowCount; row++) {
      const missing: bigint = before === undefined ? 0n : ids[row]! - before - 1n
      if (missing > 0n && form.hasEveryId) holes.add(name, before!, missing, Math.floor(times[row]! / form.perMs))
      before = ids[row]!
    }
    if (first === 0) yield table
    else if (first < table.rowCount) yield rowsFrom(table, form, first)
  }
  findings.push(...holes.list())
}

const oneOf = (set: FileSet, name: string): FileSet => ({
  names: [name],
  read: () => set.read(name),
  sizeBytes: () => set.sizeBytes(name),
  readAt: (_, offset, lengthBytes) => set.readAt(name, offset, lengthBytes),
})

function rowsFrom<R extends Columns, C extends Columns>(table: Table<R>, form: TradeForm<R, C>, first: number) {
  const count = table.rowCount - first
  const rows = Int32Array.from({ length: count }, (_, i) => first + i)
  return gatherRows(form.layout.schema, [table], new Int32Array(count), rows)
}

/** Holes between ids, told as one finding with the stretch of time they span. */
function createHoles(policy: Policy) {
  const kind: FindingKind = 'missingIds'
  let found: Finding | undefined
  return {
    add(file: string, before: bigint, missing: bigint, tsMs: TsMs) {
      found = {
        kind,
        severity: severityOf(kind, policy),
        file,
        what: `no id between ${before} and ${before + missing + 1n}`,
        fromTsMs: tsMs,
        ...found,
        toTsMs: tsMs + 1,
        rows: (found?.rows ?? 0) + Number(missing),
      }
    },
    list: () => (found === undefined ? [] : [found]),
  }
}

/** Whether a day goes on where the one before it ended: another source serves each, and nothing may fall between. */
export function tradeSeam(
  before: { readonly rowCount: number; readonly columns: { readonly aggTradeId: BigInt64Array } },
  after: typeof before & { readonly columns: { readonly tsMs: Float64Array } },
  policy: Policy,
): Finding[] {
  if (before.rowCount === 0 || after.rowCount === 0) return []
  const last = before.columns.aggTradeId[before.rowCount - 1]!
  const first = after.columns.aggTradeId[0]!
  const tsMs = after.columns.tsMs[0]!
  if (first === last + 1n) return []
  const kind: FindingKind = first > last ? 'missingIds' : 'outOfOrder'
  return [
    {
      kind,
      severity: severityOf(kind, policy),
      what:
        first > last
          ? `no id between ${last}, the last of the day before, and ${first}`
          : `its first id is ${first}, and the day before ends with ${last}`,
      fromTsMs: tsMs,
      toTsMs: tsMs + 1,
      ...(first > last ? { rows: Number(first - last - 1n) } : {}),
    },
  ]
}
