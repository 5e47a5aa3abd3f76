import type { FileSet } from '../../artifact.ts'
import type { Finding } from '../../audit/finding.ts'
import { Fault } from '../../fault.ts'
import { klinesOf, klineTable } from '../../tables/klines.ts'
import { concatTables, type TableOf } from '../../tables/table.ts'
import { monthOf, type TsMs } from '../../time.ts'
import { tradeBars } from '../ingest/bars.ts'
import { isWholeFileKind } from '../ingest/fileDoubts.ts'

/** The daily bars of many symbols in one table: of each the archive of one period, as `fetchBars` names it. Who has no
 *  archive has no rows; whose archive cannot be right is not left out, for nobody would miss it in the universe. */
export function dailyBarsOf(
  raw: readonly FileSet[],
  { fromTsMs, toTsMs }: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
): TableOf<typeof klineTable> {
  const tables = new Map<string, TableOf<typeof klineTable>>()
  for (const files of raw) {
    const symbol = files.names.find((name) => name.endsWith('.zip'))?.split('-1d-')[0]
    if (symbol === undefined) continue
    const partition = { market: 'usdm', kind: 'klines', symbol, interval: '1d', fromTsMs, toTsMs } as const
    const { table, findings } = tradeBars([files], partition, 'quarantine')
    const doubt = findings.find(({ kind }) => isWholeFileKind(kind))
    if (doubt !== undefined) throw unusable(symbol, monthOf(fromTsMs), doubt)
    tables.set(symbol, klinesOf(symbol, table))
  }
  const inOrder = [...tables].sort(([a], [b]) => (a < b ? -1 : 1))
  return concatTables(
    klineTable,
    inOrder.map(([, table]) => table),
  )
}

const unusable = (symbol: string, month: string, { file, what }: Finding): Fault =>
  new Fault({
    code: 'failed',
    what: `nobody can tell whether ${symbol} belongs to the universe: of its daily bars in ${month}, ${what}`,
    where: file,
    todo: `ask for them again with --refresh 'fetchBars[universe,${symbol},${month}]', or put ${symbol} into universe.deny`,
  })
