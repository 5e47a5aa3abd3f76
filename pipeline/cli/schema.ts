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
  summary: 'Say what tables there are, column by column, or with --config what may be set',
  about:
    'The tables tickpipe declares, and in a project also those that its own tasks make. Decimals are exact; times are instants in UTC; a double that is missing is null in SQL. With --config: the settings of a pipeline, what each takes, its default, and what it is here.',
  args: { table: arg.maybe('One table with its columns; without it a line for each') },
  flags: {
    markdown: flag.boolean('Print a document, with the columns of every table'),
    config: flag.boolean('Say what may be set in the config, and by --set'),
    pipeline: flag.text('Of which pipeline; the first by default', { completes: 'pipeline' }),
  },
  examples: [
    { line: 'pipe schema', says: 'every table' },
    { line: 'pipe schema klines', says: 'one, column by column' },
    { line: 'pipe schema --config', says: 'every setting, with its default' },
    { line: 'pipe schema --markdown > TABLES.md', says: 'as a document' },
  ],
  json: '{"tables": [{"name", "version", "doc", "columns": [{"name", "kind", "nullable", "precision", "scale", "unit", "doc", "sqlType"}], "sortKey", "unique", "tieBreak", "madeBy", "readBy", "inside": {"artifact", "file"}, "declaredIn"}]}; with --config {"pipeline", "settings": [{"path", "takes", "fallback", "value", "doc"}]}',
  async run(context, values) {
    const { out } = context
    if (values.config) return describeConfig(context, values.pipeline)
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

async function describeConfig(context: Context, pipeline: string | undefined): Promise<'ok'> {
  const { renderSettings, settingsOf } = await import('./schema/describeConfig.ts')
  const world = await context.openWorld({ readOnly: true, ...(pipeline === undefined ? {} : { pipeline }) })
  await world.close()
  const settings = settingsOf(world.pipeline.config, world.config.shown)
  context.out.print(renderSettings(settings, context.out.style))
  context.out.printJson({ pipeline: world.pipeline.name, settings })
  return 'ok'
}

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
