import { relative } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { isInProject } from '../engine/code/findProject.ts'
import { type KeptOrigin, keepOrigins } from '../engine/code/origins.ts'
import { isTickpipeFile } from '../engine/code/tickpipePackage.ts'
import { defineCommand } from './command.ts'
import type { Context } from './context.ts'
import { arg, flag } from './flag.ts'

export const schema = defineCommand({
  name: 'schema',
  summary: 'Say what tables there are: columns, types, units, sort key, and who makes them',
  about:
    'The tables tickpipe declares, and in a project also those that its own tasks make. Decimals are exact; times are instants in UTC; a double that is missing is null in SQL.',
  args: { table: arg.maybe('One table with its columns; without it a line for each') },
  flags: { markdown: flag.boolean('Print a document, with the columns of every table') },
  examples: [
    { line: 'pipe schema', says: 'every table' },
    { line: 'pipe schema klines', says: 'one, column by column' },
    { line: 'pipe schema --markdown > TABLES.md', says: 'as a document' },
  ],
  json: '{"tables": [{"name", "version", "doc", "columns": [{"name", "kind", "nullable", "precision", "scale", "unit", "doc", "sqlType"}], "sortKey", "unique", "tieBreak", "madeBy", "readBy", "inside": {"artifact", "file"}, "declaredIn"}]}',
  async run(context, values) {
    const { out } = context
    const { ownTables } = await import('./schema/ownTables.ts')
    const { describeTables } = await import('./schema/describeTables.ts')
    const { renderMarkdown, renderTable, renderTables } = await import('./schema/renderSchema.ts')
    const all = describeTables(ownTables, await exportsOf(context), isTickpipeFile)
    const tables = values.table === undefined ? all : all.filter(({ name }) => name === values.table)
    if (tables.length === 0)
      throw unknownTable(
        values.table!,
        all.map(({ name }) => name),
      )
    if (values.markdown) out.print(renderMarkdown(tables).trimEnd())
    else if (values.table === undefined) out.print(renderTables(tables, out.style))
    else out.print(tables.map((table) => renderTable(table, out.style)).join('\n\n'))
    out.printJson({ tables })
    return 'ok'
  },
})

/** What the modules of the project export. Outside one, nothing: then there are the tables of tickpipe. */
async function exportsOf(context: Context): Promise<KeptOrigin[]> {
  if (!isInProject(context.cwd)) return []
  const kept = keepOrigins()
  const world = await context.openWorld({ readOnly: true })
  await world.close()
  const { dir } = world.project
  return kept.map((origin) => ({
    ...origin,
    file: isTickpipeFile(origin.file) ? origin.file : relative(dir, origin.file),
  }))
}

const unknownTable = (name: string, known: readonly string[]): Fault =>
  new Fault({
    code: 'usage',
    what: `there is no table "${name}"${didYouMean(name, known)}`,
    todo: 'see "pipe schema" for all of them',
  })
