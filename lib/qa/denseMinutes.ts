import type { StoredTable } from '../minute/pieces.ts'
import { openAll, rowsFrom } from '../minute/pieces.ts'
import { int64ToFloat64 } from '../tables/columnChecks.ts'
import { minuteTable } from '../tables/minute.ts'
import { bigsToFloat64 } from '../tables/wideInts.ts'

const measures = ['close', 'quoteVolume', 'count', 'stalenessMs', 'indexDeviation', 'lostTrades'] as const

/** What QA looks at, on a dense grid: a bar that is missing is a row of NaN. */
export interface DenseMinutes {
  readonly symbol: string
  readonly startTsMs: number
  readonly intervalMs: number
  readonly rows: number
  readonly columns: Readonly<Record<(typeof measures)[number], Float64Array>>
  readonly isOutage: Uint8Array
  readonly dataOk: Uint8Array
  readonly differs: Uint8Array
}

export const presentAt = ({ columns }: DenseMinutes, row: number): boolean => !Number.isNaN(columns.close[row]!)

export function readDenseMinutes(
  tables: readonly StoredTable[],
  grid: { symbol: string; startTsMs: number; toMs: number; intervalMs: number },
): DenseMinutes {
  const { symbol, startTsMs, intervalMs } = grid
  const rows = (grid.toMs - startTsMs) / intervalMs
  const columns = Object.fromEntries(
    measures.map((name) => [name, new Float64Array(rows).fill(Number.NaN)]),
  ) as DenseMinutes['columns']
  const isOutage = new Uint8Array(rows)
  const dataOk = new Uint8Array(rows)
  const differs = new Uint8Array(rows)
  const chosen = ['openTsMs', ...measures, 'state', 'dataOk', 'differs'] as const
  for (const { columns: c } of rowsFrom(openAll(minuteTable, tables), 'openTsMs', chosen, startTsMs)) {
    const close = int64ToFloat64(c.close)
    const quoteVolume = bigsToFloat64(c.quoteVolume)
    for (let i = 0; i < c.openTsMs.length; i++) {
      const row = (c.openTsMs[i]! - startTsMs) / intervalMs
      if (row >= rows) break
      columns.close[row] = close[i]! / 1e8
      columns.quoteVolume[row] = quoteVolume[i]! / 1e8
      columns.count[row] = c.count[i]!
      columns.stalenessMs[row] = c.stalenessMs[i]!
      columns.indexDeviation[row] = c.indexDeviation[i]!
      columns.lostTrades[row] = c.lostTrades[i]!
      isOutage[row] = c.state[i] === 'outage' ? 1 : 0
      dataOk[row] = c.dataOk[i]!
      differs[row] = c.differs.values[i]!
    }
  }
  return { symbol, startTsMs, intervalMs, rows, columns, isOutage, dataOk, differs }
}
