import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { availableParallelism, tmpdir, totalmem } from 'node:os'
import { basename, dirname, join } from 'node:path'
import {
  type DuckDBConnection,
  type DuckDBExtractedStatements,
  DuckDBInstance,
  type DuckDBResult,
  StatementType,
} from '@duckdb/node-api'
import { Fault } from '../../../lib/fault.ts'
import { derivedViews } from './findings.ts'
import { hasOrder } from './hasOrder.ts'
import { damageOf, type LostNode, type View, type ViewFile, type ViewPlan } from './planViews.ts'
import { isSqlError, mayBeDamage, sqlFault } from './sqlFault.ts'

/** A database in memory whose views are the files of one snapshot. */
export interface QueryDatabase {
  /** Every view there is, bound or not. */
  readonly names: readonly string[]
  /** What a query can reach. */
  readonly files: readonly ViewFile[]
  /** Rows as they come. */
  stream(sql: string): Promise<DuckDBResult>
  /** Writes the rows of a query as one Parquet file, under the path that was named when the database was opened. */
  writeParquet(sql: string): Promise<number>
  /** Errors of DuckDB as Faults, also those that come while rows are read. Others stay what they are. */
  faultOf(error: unknown): unknown
  interrupt(): void
  close(): void
}

export interface DatabaseOptions {
  /** Views that occur in this text are bound, or all of them where none does. */
  readonly mentionedIn: string
  /** The one path that may be written. */
  readonly parquetPath?: string | undefined
}

/**
 * Opens it and closes the door behind: no network, no extensions, no file but the objects of its views, and no setting
 * can be changed any more. Objects could still be written to, which is why statements are looked at before they run.
 */
export async function openDatabase(plan: ViewPlan, options: DatabaseOptions): Promise<QueryDatabase> {
  const names = [...plan.views, ...derivedOf(plan)].map(({ name }) => name).concat('nodes')
  const views = mentioned(plan, options.mentionedIn)

  // Several threads hand rows on as they get ready. Who asks for an order gets it anyhow. Everybody else gets the order in
  // which the rows are stored, and the same last digits of a sum of doubles each time, which takes a single thread.
  const ordered = hasOrder(options.mentionedIn)
  // Rows that do not fit in memory are put aside here; DuckDB makes the folder once it needs it.
  const spillDir = join(tmpdir(), `pipe-query-${randomBytes(8).toString('hex')}`)
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    threads: String(ordered ? availableParallelism() : 1),
    memory_limit: `${Math.floor((totalmem() / 2 ** 20) * 0.6)}MiB`,
    temp_directory: spillDir,
  })
  const connection = await instance.connect()
  const database = new Database(connection, names, views, plan.lost, options.parquetPath)
  try {
    await connection.run("set TimeZone = 'UTC'")
    // Small pieces that wait to be put together would be overtaken by large ones.
    if (!ordered) await connection.run('set enable_caching_operators = false')
    await addNodes(connection, plan)
    for (const view of views) await bind(connection, view)
    const bound = new Set(views.map(({ name }) => name))
    for (const { name, over, sql } of derivedOf(plan)) {
      if (bound.has(over)) await connection.run(`create view ${quoted(name)} as ${sql}`)
    }
    const paths = new Set(views.flatMap(({ files }) => distinctPaths(files)))
    if (options.parquetPath !== undefined) paths.add(options.parquetPath)
    await connection.run(`set allowed_paths = ${listOf(paths)}`)
    await connection.run('set enable_external_access = false')
    await connection.run('set lock_configuration = true')
  } catch (error) {
    connection.closeSync()
    instance.closeSync()
    throw database.faultOf(error)
  }
  return {
    names,
    files: database.files,
    stream: (sql) => database.stream(sql),
    writeParquet: (sql) => database.writeParquet(sql),
    faultOf: (error) => database.faultOf(error),
    interrupt: () => connection.interrupt(),
    close() {
      connection.closeSync()
      instance.closeSync()
      rmSync(spillDir, { recursive: true, force: true })
    },
  }
}

class Database {
  readonly #connection: DuckDBConnection
  readonly #names: readonly string[]
  readonly files: readonly ViewFile[]
  readonly #parquetPath: string | undefined
  readonly #nameless: readonly LostNode[]

  constructor(
    connection: DuckDBConnection,
    names: readonly string[],
    views: readonly View[],
    lost: readonly LostNode[],
    parquetPath: string | undefined,
  ) {
    this.#connection = connection
    this.#names = names
    // Of these not even the names of their tables are here any more.
    this.#nameless = lost.filter(({ views }) => views.length === 0)
    this.files = views.flatMap(({ files }) => files)
    this.#parquetPath = parquetPath
  }

  async stream(sql: string): Promise<DuckDBResult> {
    try {
      const statements = await this.#statementsOf(sql)
      for (let index = 0; ; index++) {
        const statement = await statements.prepare(index)
        const isLast = index === statements.count - 1
        await this.#demandHarmless(statement.statementType, { sql, isLast })
        if (isLast) return await statement.stream()
        await statement.run()
      }
    } catch (error) {
      throw this.faultOf(error)
    }
  }

  async writeParquet(sql: string): Promise<number> {
    try {
      const statements = await this.#statementsOf(sql)
      if (statements.count !== 1) throw notOneQuery()
      const { statementType } = await statements.prepare(0)
      if (statementType !== StatementType.SELECT) throw notOneQuery()
      // It stands for itself as one SELECT, so it cannot close the parenthesis around it. A comment ends with its line.
      const inner = sql.trim().replace(/;+\s*$/, '')
      const target = `${textOf(this.#parquetPath!)} (format parquet, compression zstd, use_tmp_file false)`
      const reader = await this.#connection.runAndReadAll(`copy (\n${inner}\n) to ${target}`)
      return Number(reader.getRows()[0]![0])
    } catch (error) {
      throw this.faultOf(error)
    }
  }

  faultOf(error: unknown): unknown {
    if (!(error instanceof Error) || error.constructor !== Error) return error
    if (mayBeDamage(error.message)) {
      for (const file of this.files) {
        const damage = damageOf(file)
        if (damage !== undefined) return damage
      }
    }
    if (!isSqlError(error)) return error
    return sqlFault(error, this.#names, this.#nameless)
  }

  async #statementsOf(sql: string): Promise<DuckDBExtractedStatements> {
    // The binding throws a bare error where there is nothing but comments and semicolons.
    const bare = sql.replace(/--.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '')
    if (/^[\s;]*$/.test(bare)) {
      throw new Fault({ code: 'usage', what: 'the query is empty', todo: 'see "pipe query --help"' })
    }
    return this.#connection.extractStatements(sql)
  }

  /** Whatever could write a file is refused: a COPY that names an object's path would overwrite it. */
  async #demandHarmless(type: StatementType, of: { readonly sql: string; readonly isLast: boolean }): Promise<void> {
    if (type === StatementType.SELECT) return
    // Tables, macros and the types that PIVOT makes live in memory only.
    if (type === StatementType.CREATE && !of.isLast) return
    if (type === StatementType.EXPLAIN && (await this.#explainsQuery(of.sql))) return
    throw new Fault({
      code: 'refused',
      what: `a query answers and changes nothing; ${StatementType[type] ?? 'this'} is not one`,
      todo: 'write SELECT, WITH, FROM, DESCRIBE, SUMMARIZE or EXPLAIN; --csv, --json and --parquet write the result',
    })
  }

  /** EXPLAIN ANALYZE executes what it explains. */
  async #explainsQuery(sql: string): Promise<boolean> {
    const inner = /^\s*explain\b(?:\s+analyze\b|\s*\([^()]*\))?([\s\S]*)$/i.exec(sql)?.[1]
    if (inner === undefined) return false
    const statements = await this.#connection.extractStatements(inner)
    return statements.count === 1 && (await statements.prepare(0)).statementType === StatementType.SELECT
  }
}

const notOneQuery = (): Fault =>
  new Fault({
    code: 'usage',
    what: '--parquet takes one query, and nothing before or behind it',
    todo: 'put what it needs into WITH clauses',
  })

const derivedOf = ({ views }: ViewPlan) =>
  derivedViews.filter(
    ({ name, over }) =>
      views.some((view) => view.name === over && view.form === 'json') &&
      !views.some((view) => view.name.toLowerCase() === name.toLowerCase()),
  )

/** A snapshot may hold thousands of files that a query has nothing to do with. One that names no table may still list
 *  them all, and is not kept from that by what is not here. */
function mentioned(plan: ViewPlan, text: string): readonly View[] {
  const words = new Set(text.toLowerCase().match(/\w+/g) ?? [])
  for (const { name, over } of derivedOf(plan)) if (words.has(name.toLowerCase())) words.add(over.toLowerCase())
  const found = plan.views.filter(({ name }) => words.has(name.toLowerCase()))
  for (const { name } of found) refuseIncomplete(name, plan.lost)
  if (found.length > 0 || words.has('nodes')) return found
  return plan.views.filter(({ name }) => plan.lost.every(({ views }) => !views.includes(name)))
}

function refuseIncomplete(view: string, lost: readonly LostNode[]): void {
  const missing = lost.filter(({ views }) => views.includes(view))
  if (missing.length === 0) return
  const { node, evicted } = missing[0]!
  throw new Fault({
    code: evicted ? 'unverifiable' : 'corrupt',
    what: `rows of ${view} are not here: the bytes of ${missing.length === 1 ? 'a node' : `${missing.length} nodes`} ${evicted ? 'were evicted' : 'are missing or damaged'}`,
    where: node.address,
    todo: `name it as a target, which brings them back: pipe run '${node.address}'`,
    details: { view, nodes: missing.map(({ node }) => node.address) },
  })
}

async function addNodes(connection: DuckDBConnection, { nodes, types }: ViewPlan): Promise<void> {
  await connection.run(
    'create table nodes (node varchar, task varchar, kind varchar, type varchar, artifact varchar, params json)',
  )
  const rows = await connection.createAppender('nodes')
  for (const { address, task, kind, artifact, params } of nodes) {
    const type = types.get(address)
    rows.appendVarchar(address)
    rows.appendVarchar(task)
    rows.appendVarchar(kind)
    if (type === undefined) rows.appendNull()
    else rows.appendVarchar(type)
    rows.appendVarchar(artifact)
    rows.appendVarchar(JSON.stringify(params))
    rows.endRow()
  }
  rows.closeSync()
}

/** Each row gets the address of the node that made it, by the path it was read from: DuckDB turns a condition on the
 *  address into the few files to open. Rows come by node and as they are stored, so the files have to be the side of the
 *  join that streams, and stay it however few rows they hold: a list that is unnested counts as one row. */
async function bind(connection: DuckDBConnection, view: View): Promise<void> {
  const { name, form, files, mixed, manyFiles, schema } = view
  await connection.run('create schema if not exists pipe_files')
  const table = `pipe_files.${quoted(name)}`
  await connection.run(
    `create table ${table} (path varchar, node varchar, file varchar, barInterval varchar, market varchar)`,
  )
  const rows = await connection.createAppender(name, 'pipe_files')
  const paths = distinctPaths(files)
  files.forEach(({ node, file, interval, market }, i) => {
    rows.appendVarchar(paths[i]!)
    rows.appendVarchar(node)
    rows.appendVarchar(file.replace(/\.parquet$/, ''))
    for (const fact of [interval, market]) {
      if (fact === undefined) rows.appendNull()
      else rows.appendVarchar(fact)
    }
    rows.endRow()
  })
  rows.closeSync()
  const list = listOf(paths)
  const taken = new Set(Object.keys(schema?.columns ?? {}).map((column) => column.toLowerCase()))
  const hasBars = files.some(({ interval }) => interval !== undefined)
  const columns = ['node', ...(hasBars ? ['market', 'barInterval'] : []), ...(manyFiles ? ['file'] : [])].map(
    (column) => `f.${quoted(column)} as ${quoted(freeName(column, taken))}`,
  )
  const nodeOfPath = `select unnest(path) as path, unnest(node) as node, unnest(file) as file, unnest(barInterval) as barInterval, unnest(market) as market from (
    select list(path order by rowid) as path, list(node order by rowid) as node, list(file order by rowid) as file, list(barInterval order by rowid) as barInterval, list(market order by rowid) as market from ${table})`
  const from =
    form === 'json'
      ? `(select content::json as value, filename as pipe_path from read_text(${list}))`
      : `read_parquet(${list}, filename = 'pipe_path', union_by_name = ${mixed})`
  await connection.run(
    `create view ${quoted(name)} as select t.* exclude (pipe_path), ${columns.join(', ')} from ${from} t join (${nodeOfPath}) f on f.path = t.pipe_path`,
  )
}

/** One object may be the file of several nodes. Each gets a spelling of its own, so that each is a file in the list. */
function distinctPaths(files: readonly ViewFile[]): string[] {
  const spellings = new Map<string, number>()
  return files.map(({ path }) => {
    const before = spellings.get(path) ?? 0
    spellings.set(path, before + 1)
    return before === 0 ? path : `${dirname(path)}${'/.'.repeat(before)}/${basename(path)}`
  })
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`${name}_`, taken) : name
}

const textOf = (text: string): string => `'${text.replaceAll("'", "''")}'`
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const listOf = (paths: Iterable<string>): string => `[${[...paths].map(textOf).join(', ')}]`
