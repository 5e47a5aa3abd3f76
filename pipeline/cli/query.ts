import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import process from 'node:process'
import { Fault } from '../../lib/fault.ts'
import { defineCommand } from './command.ts'
import type { Context } from './context.ts'
import { arg, flag } from './flag.ts'
import { plural, shortId, sizeText } from './human.ts'
import { findManifest } from './names.ts'
import type { QueryDatabase } from './query/database.ts'

export const query = defineCommand({
  name: 'query',
  summary: "Ask a snapshot's tables in SQL, with DuckDB",
  about:
    'Every table of a snapshot is there under its name; so are the tables inside other artifacts (equity, fills, features) and JSON artifacts, a row for each value. The column "node" says which node a row comes from, "file" which of its files, "market" and "barInterval" whose bars they are and how long, for one table may hold bars of contracts and coin pairs, minutes and days; the table "nodes" has the params of each. Where variants of a node made the same table, its name means the node alone, and the name with _all has them too: "fills" are those of the run, "fills_all" also those of its benchmark, other fees and so on. Without an ORDER BY rows come by node and as they are stored, from one thread, the same each time; with one all cores work, and rows that are equal in all it names come in any order. CSV has the bytes of a text as they are: a spreadsheet takes a text that begins with = + - or @ for a formula. Times are in UTC. A query reads what is in the snapshot and nothing else: no file, no network.',
  args: { sql: arg.maybe('The query; - reads it from standard input') },
  flags: {
    snapshot: flag.text('Ask this snapshot or run; the last finished run without it', {
      hint: 'name',
      completes: 'snapshot',
    }),
    file: flag.text('Read the query from a file', { hint: 'file', completes: 'file', short: 'f' }),
    tables: flag.boolean('List the tables with their columns and rows', { short: 't' }),
    rows: flag.integerOr('Rows to show at most; 0 shows all', 100, { short: 'n', min: 0 }),
    csv: flag.boolean('Print CSV, every row'),
    parquet: flag.text('Write the rows to a Parquet file', { hint: 'file', completes: 'file' }),
    overwrite: flag.boolean('Replace the Parquet file if it is there'),
    check: flag.boolean('Hash every file the query can reach before it runs'),
  },
  examples: [
    { line: 'pipe query --tables', says: 'what there is' },
    {
      line: "pipe query 'select market, barInterval, symbol, count(*) from klines group by all' --snapshot demo",
      says: 'of one snapshot',
    },
    { line: "pipe query 'from fills' --csv > fills.csv", says: 'a table as CSV' },
    {
      line: "echo 'from fills' | pipe query - --parquet fills.parquet",
      says: 'a query from standard input, its rows into a file',
    },
  ],
  json: 'a line for each row, {column: value}: decimals and integers beyond 2^53 as text, times as ISO 8601 in UTC; with --tables {"table", "rowCount", "files", "columns": [{"name", "type", "unit"}]}; with --parquet {"file", "rowCount", "sizeBytes"}',
  jsonLines: true,
  async run(context, values) {
    const sql = values.tables ? '' : await readQuery(context, values)
    const target = values.parquet === undefined ? undefined : parquetTarget(context, values.parquet, values.overwrite)
    if ((values.csv ? 1 : 0) + (target === undefined ? 0 : 1) + (context.out.json && values.csv ? 1 : 0) > 1) {
      throw new Fault({
        code: 'usage',
        what: 'the rows can go one way only',
        todo: 'say one of --csv, --json, --parquet',
      })
    }
    const { store, close } = await context.openRoot({ readOnly: true })
    try {
      const { label, id, manifest } = findManifest(store, values.snapshot ?? 'last', context.cwd)
      if (values.snapshot === undefined) context.out.note(`${label} of ${manifest.pipeline}, ${shortId(id)}`)
      const { planViews, damageOf } = await import('./query/planViews.ts')
      const { openDatabase } = await import('./query/database.ts')
      const plan = planViews(store, manifest)
      const database = await openDatabase(plan, { mentionedIn: sql, parquetPath: target?.partial })
      let stopped = false
      const stopListening = context.signals.onStop(() => {
        stopped = true
        database.interrupt()
      })
      try {
        if (values.check) {
          for (const file of database.files) {
            const damage = damageOf(file)
            if (damage !== undefined) throw damage
          }
        }
        if (values.tables) await (await import('./query/listViews.ts')).listViews(database, plan, context.out)
        else if (target !== undefined) await writeParquet(context, database, sql, target)
        else await printResult(context, database, sql, values)
      } catch (error) {
        throw database.faultOf(error)
      } finally {
        stopListening()
        database.close()
      }
      return stopped ? 'interrupted' : 'ok'
    } finally {
      await close()
    }
  },
})

async function printResult(
  { out }: Context,
  database: QueryDatabase,
  sql: string,
  asked: { readonly csv: boolean; readonly rows: number },
): Promise<void> {
  const { printLines, printTable } = await import('./query/printRows.ts')
  const result = await database.stream(sql)
  if (out.json || asked.csv) await printLines(result, out, asked.csv ? 'csv' : 'json')
  else await printTable(result, out, { mostRows: asked.rows, isTerminal: out.isTerminal })
}

interface Target {
  readonly file: string
  /** Beside it: a reader never meets half a file. */
  readonly partial: string
}

function parquetTarget({ cwd }: Context, name: string, overwrite: boolean): Target {
  const file = resolve(cwd, name)
  if (existsSync(file) && !overwrite) {
    throw new Fault({
      code: 'refused',
      what: 'the file is there already',
      where: file,
      todo: 'name another, or say --overwrite',
    })
  }
  if (!existsSync(dirname(file))) {
    throw new Fault({ code: 'usage', what: 'there is no such folder', where: dirname(file), todo: 'make it first' })
  }
  return { file, partial: `${file}.${randomBytes(4).toString('hex')}.partial` }
}

async function writeParquet(
  { out }: Context,
  database: QueryDatabase,
  sql: string,
  { file, partial }: Target,
): Promise<void> {
  try {
    const rowCount = await database.writeParquet(sql)
    const { size: sizeBytes } = statSync(partial)
    renameSync(partial, file)
    out.print(`${file}  ${plural(rowCount, 'row')}, ${sizeText(sizeBytes)}`)
    out.printJsonLine({ file, rowCount, sizeBytes })
  } finally {
    rmSync(partial, { force: true })
  }
}

async function readQuery(
  { cwd }: Context,
  asked: { readonly sql: string | undefined; readonly file: string | undefined },
): Promise<string> {
  if (asked.file !== undefined && asked.sql !== undefined) {
    throw new Fault({ code: 'usage', what: 'there are two queries', todo: 'write it, or name its file with --file' })
  }
  if (asked.file !== undefined) return readFile(resolve(cwd, asked.file))
  if (asked.sql === '-') return readStandardInput()
  if (asked.sql !== undefined) return asked.sql
  throw new Fault({
    code: 'usage',
    what: 'there is no query',
    todo: `pipe query 'select … from …'; "pipe query --tables" lists the tables`,
  })
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Fault({ code: 'usage', what: 'the file cannot be read', where: path, cause })
  }
}

async function readStandardInput(): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of process.stdin) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString('utf8')
}
