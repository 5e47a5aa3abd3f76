import type { FileSet } from '../../artifact.ts'
import { klinesOf, klineTable } from '../../tables/klines.ts'
import { concatTables, type TableOf } from '../../tables/table.ts'
import type { TsMs } from '../../time.ts'
import { tradeBars } from '../ingest/bars.ts'

/** The daily bars of many symbols in one table: of each the archive of one period, as `fetchBars` names it. Who has no
 *  archive has no rows. What cannot be right is left out, as it is where bars become a data set. */
export function dailyBarsOf(
  raw: readonly FileSet[],
  { fromTsMs, toTsMs }: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
): TableOf<typeof klineTable> {
  const tables = new Map<string, TableOf<typeof klineTable>>()
  for (const files of raw) {
    const symbol = files.names.find((name) => name.endsWith('.zip'))?.split('-1d-')[0]
    if (symbol === undefined) continue
    const partition = { market: 'usdm', kind: 'klines', symbol, interval: '1d', fromTsMs, toTsMs } as const
    tables.set(symbol, klinesOf(symbol, tradeBars([files], partition, 'quarantine').table))
  }
  const inOrder = [...tables].sort(([a], [b]) => (a < b ? -1 : 1))
  return concatTables(
    klineTable,
    inOrder.map(([, table]) => table),
  )
}
