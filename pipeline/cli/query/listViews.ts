import { countText } from '../human.ts'
import type { Out } from '../out.ts'
import { textTable } from '../textTable.ts'
import type { QueryDatabase } from './database.ts'
import type { ViewPlan } from './planViews.ts'

interface ListedView {
  readonly table: string
  readonly rowCount: number
  readonly files: number
  readonly columns: readonly { readonly name: string; readonly type: string; readonly unit: string | null }[]
}

/** What a query can name, with as many rows as it would see. */
export async function listViews(database: QueryDatabase, plan: ViewPlan, out: Out): Promise<void> {
  const incomplete = new Set(plan.lost.flatMap(({ views }) => views))
  for (const view of incomplete) out.note(`${view} is left out: bytes of its nodes are not here`)
  const byName = new Map(plan.views.map((view) => [view.name, view]))
  for (const name of database.names.toSorted()) {
    if (incomplete.has(name)) continue
    const view = byName.get(name)
    const rows = async (sql: string) => (await (await database.stream(sql)).getRows()) as unknown[][]
    const columns = (await rows(`describe "${name}"`)).map(([column, type]) => ({
      name: String(column),
      type: String(type),
      unit: view?.schema?.columns[String(column)]?.unit ?? null,
    }))
    const [[count]] = (await rows(`select count(*) from "${name}"`)) as [[bigint]]
    print({ table: name, rowCount: Number(count), files: view?.files.length ?? 0, columns }, out)
  }
}

function print(view: ListedView, out: Out): void {
  out.printJsonLine(view)
  const cells = view.columns.map(({ name, type, unit }) => [`  ${name}`, type, unit ?? ''])
  const lines = textTable([{ title: '' }, { title: '' }, { title: '' }], cells)
  const rows = `${countText(view.rowCount)} ${view.rowCount === 1 ? 'row' : 'rows'}`
  const files = view.files === 0 ? '' : ` in ${countText(view.files)} ${view.files === 1 ? 'file' : 'files'}`
  out.print([`${out.style.bold(view.table)}  ${out.style.dim(rows + files)}`, ...lines, ''].join('\n'))
}
