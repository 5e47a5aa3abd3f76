import { type Feature, readsOf } from '../features/feature.ts'
import { type Frame, fundingSeries } from '../features/frame.ts'
import type { fundingTable } from '../tables/funding.ts'
import { minuteTable } from '../tables/minute.ts'
import type { TableReader } from '../tables/parquet.ts'
import { splitColumn, type TableOf } from '../tables/table.ts'
import { bigsToFloat64, isWide } from '../tables/wideInts.ts'
import { openAll, readersBySymbol, rowsFrom, type StoredTable } from './pieces.ts'
import { joinSettlements } from './settlements.ts'

type MinuteColumn = keyof typeof minuteTable.columns & string
type Funding = TableOf<typeof fundingTable>

/** What a feature may read, by the name it reads it by. */
export const columnOf = {
  open: 'open',
  high: 'high',
  low: 'low',
  close: 'close',
  volume: 'volume',
  quoteVolume: 'quoteVolume',
  count: 'count',
  takerBuy: 'takerBuyVolume',
  takerBuyQuote: 'takerBuyQuoteVolume',
  vwap: 'vwap',
  mark: 'mark',
  index: 'index',
  premium: 'premium',
  basis: 'basis',
  fundingRate: 'fundingRate',
  fundingEstimate: 'fundingEstimate',
  openInterest: 'openInterest',
  openInterestAgeMs: 'openInterestAgeMs',
  spotQuoteVolume: 'spotQuoteVolume',
  spotTakerBuyQuote: 'spotTakerBuyQuoteVolume',
  stalenessMs: 'stalenessMs',
  indexDeviation: 'indexDeviation',
  dataOk: 'dataOk',
} as const satisfies Record<string, MinuteColumn>

/** What it may read beside them: the series, and the fields of each. */
export const seriesFields: Readonly<Record<string, readonly string[]>> = {
  funding: ['rate', 'intervalHours', 'rate8h'],
}

type InputName = keyof typeof columnOf

const isInput = (name: string): name is InputName => Object.hasOwn(columnOf, name)

export interface Grid {
  readonly startTsMs: number
  readonly toMs: number
  readonly intervalMs: number
}

/** One frame for each symbol that has minutes, with the columns the features read and no others. A column that no symbol
 *  has a value in is left out: then the data set it comes from is not there, and what needs it says so. */
export function framesOf(
  features: readonly Feature[],
  minutes: readonly StoredTable[],
  settlements: readonly Funding[] | undefined,
  grid: Grid,
): Frame[] {
  const reads = features.map(({ column }) => readsOf(column))
  const inputs = [...new Set(reads.flatMap((read) => [...read.inputs]))].filter(isInput).sort()
  const needsFunding = reads.some((read) => read.series.has('funding'))
  const bySymbol = readersBySymbol(openAll(minuteTable, minutes))
  const symbols = [...bySymbol.keys()].sort()
  const columns = symbols.map((symbol) => gridColumns(bySymbol.get(symbol)!, inputs, grid))
  const present = inputs.filter((name) => columns.some((one) => one[name].some((value) => !Number.isNaN(value))))
  return symbols.map((symbol, s) => ({
    symbol,
    intervalMs: grid.intervalMs,
    startTsMs: grid.startTsMs,
    rows: (grid.toMs - grid.startTsMs) / grid.intervalMs,
    columns: Object.fromEntries(present.map((name) => [name, columns[s]![name]])),
    series: seriesOf(symbol, needsFunding ? settlements : undefined),
  }))
}

function gridColumns(
  tables: readonly TableReader<(typeof minuteTable)['columns']>[],
  inputs: readonly InputName[],
  { startTsMs, toMs, intervalMs }: Grid,
): Record<InputName, Float64Array> {
  const rows = (toMs - startTsMs) / intervalMs
  const result = Object.fromEntries(inputs.map((name) => [name, new Float64Array(rows).fill(Number.NaN)]))
  const chosen: MinuteColumn[] = ['openTsMs', ...inputs.map((name) => columnOf[name])]
  for (const table of rowsFrom(tables, 'openTsMs', chosen, startTsMs)) {
    const openTsMs = table.columns.openTsMs
    for (const name of inputs) {
      const dst = result[name]!
      const values = doublesOf(table, columnOf[name])
      for (let i = 0; i < openTsMs.length; i++) {
        const row = (openTsMs[i]! - startTsMs) / intervalMs
        if (row >= rows) break
        dst[row] = values[i]!
      }
    }
  }
  return result as Record<InputName, Float64Array>
}

/** As numbers, NaN where absent. A decimal of fewer than sixteen digits becomes the double that its text would. */
function doublesOf(
  table: { columns: Partial<TableOf<typeof minuteTable>['columns']> },
  name: MinuteColumn,
): Float64Array {
  const { values, valid } = splitColumn(table.columns[name]!)
  if (values instanceof Float64Array) return values
  if (!(values instanceof BigInt64Array || isWide(values))) return Float64Array.from(values as Int32Array)
  const one = Number(`1e${minuteTable.columns[name].scale}`)
  return bigsToFloat64(values).map((units, i) => (valid === undefined || valid[i] === 1 ? units / one : Number.NaN))
}

function seriesOf(symbol: string, settlements: readonly Funding[] | undefined): Frame['series'] {
  if (settlements === undefined) return {}
  const { tsMs, rate, intervalHours } = joinSettlements(settlements, symbol)
  const rates = Float64Array.from(rate, (units) => Number(units) / 1e18)
  return { funding: fundingSeries({ tsMs, rate: rates, intervalHours }) }
}
