import type { TableArtifact } from '../../../lib/artifact.ts'
import { type Column, schemaToJson, type TableSchema } from '../../../lib/tables/schema.ts'
import type { KeptOrigin } from '../../engine/code/origins.ts'
import type { Task } from '../../engine/task.ts'
import type { OwnTable } from './ownTables.ts'

export interface DescribedTable {
  readonly name: string
  readonly version: number
  readonly doc: string | null
  readonly columns: readonly DescribedColumn[]
  readonly sortKey: readonly string[]
  /** Whether the sort key names one row. Where it does not, how the others are ordered. */
  readonly unique: boolean
  readonly tieBreak: string | null
  /** Tasks that make it, and tasks that read it. */
  readonly madeBy: readonly string[]
  readonly readBy: readonly string[]
  /** The artifact and file that hold it, where it is no artifact itself. */
  readonly inside: { readonly artifact: string; readonly file: string } | null
  /** The file of the project that declares it; null for those of tickpipe. */
  readonly declaredIn: string | null
}

export interface DescribedColumn {
  readonly name: string
  readonly kind: Column['kind']
  readonly nullable: boolean
  readonly precision: number | null
  readonly scale: number | null
  readonly unit: string | null
  readonly doc: string | null
  /** What DuckDB, and so `pipe query`, sees. */
  readonly sqlType: string
}

/** Tables of tickpipe and of a project, by name. Two that share a name and differ in anything that is stored are both
 *  listed. */
export function describeTables(
  own: readonly OwnTable[],
  exported: readonly KeptOrigin[],
  isOwnFile: (file: string) => boolean,
): DescribedTable[] {
  const tasks = exported.map(({ value }) => value).filter(isTask)
  const found = new Map<string, DescribedTable>()
  const add = (schema: TableSchema, about: Pick<DescribedTable, 'inside' | 'declaredIn'>): void => {
    const key = `${schema.name} ${schemaToJson(schema)}`
    const known = found.get(key)
    // A copy that was bundled with the project is the same table.
    if (known !== undefined && (known.declaredIn !== null || about.declaredIn === null)) return
    const artifact = about.inside?.artifact ?? schema.name
    found.set(key, {
      name: schema.name,
      version: schema.version,
      doc: schema.doc ?? null,
      columns: Object.entries(schema.columns).map(([name, column]) => describeColumn(name, column)),
      sortKey: schema.sortKey,
      unique: schema.tieBreak === undefined,
      tieBreak: schema.tieBreak ?? null,
      madeBy: namesOf(tasks.filter(({ output }) => output.name === artifact)),
      readBy: namesOf(tasks.filter((task) => Object.values(task.inputs ?? {}).some((port) => readsOf(port, artifact)))),
      ...about,
    })
  }
  for (const { schema, inside } of own) add(schema, { inside: inside ?? null, declaredIn: null })
  for (const { value, file } of exported) {
    const declaredIn = isOwnFile(file) ? null : file
    if (isTableArtifact(value)) add(value.schema, { inside: null, declaredIn })
    // An artifact that is written where it is used has no name of its own to be exported by.
    if (isTask(value) && isTableArtifact(value.output)) add(value.output.schema, { inside: null, declaredIn })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version - b.version))
}

function describeColumn(name: string, column: Column): DescribedColumn {
  const { kind, nullable, precision, scale, unit, doc } = column
  return {
    name,
    kind,
    nullable,
    precision: precision ?? null,
    scale: scale ?? null,
    unit: unit ?? null,
    doc: doc ?? null,
    sqlType: sqlTypeOf(column),
  }
}

export function sqlTypeOf({ kind, precision, scale }: Column): string {
  if (kind === 'decimal' || kind === 'wide') return `DECIMAL(${precision},${scale})`
  return sqlTypes[kind]
}

const sqlTypes = {
  i64: 'BIGINT',
  i32: 'INTEGER',
  f64: 'DOUBLE',
  bool: 'BOOLEAN',
  utf8: 'VARCHAR',
  tsMs: 'TIMESTAMP WITH TIME ZONE',
  tsUs: 'TIMESTAMP WITH TIME ZONE',
} as const

const namesOf = (tasks: readonly Task[]): string[] => [...new Set(tasks.map(({ name }) => name))].sort()

/** Ports may be wrapped: optional(many(stored(artifact))). */
function readsOf(port: unknown, artifact: string): boolean {
  const { of, name, form } = port as { readonly of?: unknown; readonly name?: unknown; readonly form?: unknown }
  return of === undefined ? form !== undefined && name === artifact : readsOf(of, artifact)
}

function isTableArtifact(value: unknown): value is TableArtifact {
  const { form, schema } = (value ?? {}) as Partial<TableArtifact>
  return form === 'table' && typeof schema?.name === 'string' && typeof schema.columns === 'object'
}

function isTask(value: unknown): value is Task {
  const { name, kind, output, run } = (value ?? {}) as Partial<Task>
  return (
    typeof name === 'string' &&
    (kind === 'pure' || kind === 'source' || kind === 'sink') &&
    typeof output?.name === 'string' &&
    typeof run === 'function'
  )
}
