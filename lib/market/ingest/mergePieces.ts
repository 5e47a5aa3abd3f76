import { type Finding, type FindingKind, isStructural, type Policy, severityOf } from '../../audit/finding.ts'
import { rowOrder } from '../../tables/order.ts'
import type { Columns, TableSchema } from '../../tables/schema.ts'
import type { Table } from '../../tables/table.ts'
import { formatUtc } from '../../time.ts'
import { gatherRows } from './gatherRows.ts'

/** Rows out of one file. Earlier pieces win: archives stand before the API, months before days. */
export type Piece<C extends Columns> = {
  readonly file: string
  readonly table: Table<C>
  /** A piece may reach beyond the partition by its nature, as a page of the API does; elsewhere that is a finding. */
  readonly mayReachBeyond: boolean
}

export type MergeRules<C extends Columns> = {
  readonly schema: TableSchema<C>
  /** The column that names a row within its partition. */
  readonly key: keyof C & string
  /** The column that says when it was; often the same. */
  readonly time: keyof C & string
  /** In the units of the time column. */
  readonly fromTsMs: number
  /** Not included. */
  readonly toTsMs: number
  /** Units of the time column in a millisecond; one, unless it counts microseconds. */
  readonly unitsPerMs?: number
  readonly policy: Policy
  /** Columns in which two rows of one key must agree; all of them, unless some files know less than others. */
  readonly compare?: readonly (keyof C & string)[]
  /** The venue writes rows of this kind in no order. */
  readonly isUnordered?: boolean
  /** What is wrong with a row of a table by itself. */
  readonly defectOf?: (table: Table<C>) => DefectOf
}

export type DefectOf = (row: number) => { readonly kind: FindingKind; readonly what: string } | undefined

type Numbers = Float64Array | BigInt64Array

/** Puts pieces into one table in the order of their keys, each key once, and says everything that was wrong with them. */
export function mergePieces<C extends Columns>(
  pieces: readonly Piece<C>[],
  rules: MergeRules<C>,
): { table: Table<C>; findings: Finding[] } {
  const { schema, policy, fromTsMs, toTsMs, unitsPerMs = 1 } = rules
  const findings = createTally(policy)
  const tables = pieces.map(({ table }) => table)
  const keys = tables.map((table) => table.columns[rules.key] as Numbers)
  const times = tables.map((table) => table.columns[rules.time] as Float64Array)
  const total = tables.reduce((sum, { rowCount }) => sum + rowCount, 0)

  let from = new Int32Array(total)
  let rows = new Int32Array(total)
  let count = 0
  let isSorted = true
  for (const [piece, { table, file, mayReachBeyond }] of pieces.entries()) {
    const key = keys[piece]!
    const time = times[piece]!
    const defectOf = rules.defectOf?.(table)
    for (let row = 0; row < table.rowCount; row++) {
      const unit = time[row]!
      const at = Math.floor(unit / unitsPerMs)
      if (row > 0 && key[row]! < key[row - 1]! && rules.isUnordered !== true)
        findings.add('outOfOrder', file, at, `a row of ${formatUtc(at)} comes after a later one`)
      if (unit < fromTsMs || unit >= toTsMs) {
        // Another partition's row, or nobody's: it is left out whatever the policy says.
        if (!mayReachBeyond)
          findings.add('outsidePeriod', file, at, `a row of ${formatUtc(at)} lies outside the file's period`)
        continue
      }
      const defect = defectOf?.(row)
      if (defect !== undefined) {
        findings.add(defect.kind, file, at, defect.what)
        if (policy === 'quarantine' && isStructural(defect.kind)) continue
      }
      if (count > 0 && isSorted && key[row]! <= keys[from[count - 1]!]![rows[count - 1]!]!) isSorted = false
      from[count] = piece
      rows[count++] = row
    }
  }
  from = from.subarray(0, count)
  rows = rows.subarray(0, count)

  if (!isSorted) {
    const order = Int32Array.from({ length: count }, (_, i) => i).sort((a, b) => {
      const x = keys[from[a]!]![rows[a]!]!
      const y = keys[from[b]!]![rows[b]!]!
      return x < y ? -1 : x > y ? 1 : a - b
    })
    const picked = withoutDoubles(order)
    from = Int32Array.from(picked, (i) => from[i]!)
    rows = Int32Array.from(picked, (i) => rows[i]!)
  }
  const isWhole = tables.length === 1 && rows.length === tables[0]!.rowCount && isSorted
  const table = isWhole ? tables[0]! : gatherRows(schema, tables, from, rows)
  return { table, findings: findings.list() }

  /** Of rows with one key the first stays: the one of the piece that stands first. */
  function withoutDoubles(order: Int32Array): Int32Array {
    const names = rules.compare ?? Object.keys(schema.columns)
    const picked = new Int32Array(order.length)
    let kept = 0
    for (let i = 0; i < order.length; ) {
      const first = order[i]!
      let end = i + 1
      let isConflict = false
      const key = keys[from[first]!]![rows[first]!]!
      for (; end < order.length; end++) {
        const other = order[end]!
        if (keys[from[other]!]![rows[other]!]! !== key) break
        if (sayDouble(names, first, other)) isConflict = true
      }
      if (!(isConflict && policy === 'quarantine')) picked[kept++] = first
      i = end
    }
    return picked.subarray(0, kept)
  }

  /** Says what two rows of one key are; true where one file contradicts itself. */
  function sayDouble(names: readonly string[], first: number, other: number): boolean {
    const a = from[first]!
    const b = from[other]!
    const at = Math.floor(times[b]![rows[other]!]! / unitsPerMs)
    const isEqual = rowOrder(tables[a]!, tables[b]!, names)(rows[first]!, rows[other]!) === 0
    const { file } = pieces[b]!
    if (a === b) {
      if (isEqual) findings.add('duplicateRows', file, at, `the row of ${formatUtc(at)} is there twice`)
      else findings.add('conflictingRows', file, at, `two rows of ${formatUtc(at)} say different things`)
      return !isEqual
    }
    if (!isEqual)
      findings.add('revisedRows', file, at, `it differs at ${formatUtc(at)} from ${pieces[a]!.file}, which serves`)
    return false
  }
}

/** Counts findings of one kind and file as one, with the stretch of time they span. */
function createTally(policy: Policy) {
  const byKind = new Map<string, Finding & { rows: number; fromTsMs: number; toTsMs: number }>()
  return {
    add(kind: FindingKind, file: string, atTsMs: number, what: string) {
      const id = `${kind} ${file}`
      const known = byKind.get(id)
      if (known === undefined) {
        byKind.set(id, {
          kind,
          severity: severityOf(kind, policy),
          what,
          file,
          rows: 1,
          fromTsMs: atTsMs,
          toTsMs: atTsMs + 1,
        })
        return
      }
      byKind.set(id, {
        ...known,
        rows: known.rows + 1,
        fromTsMs: Math.min(known.fromTsMs, atTsMs),
        toTsMs: Math.max(known.toTsMs, atTsMs + 1),
      })
    },
    list: (): Finding[] =>
      [...byKind.values()].map((one) =>
        one.rows === 1 ? one : { ...one, what: `${one.what}, the first of ${one.rows}` },
      ),
  }
}
