import type { EquityParts, Ledger } from './ledger.ts'

/** The account over time, in units of cash. Parts are cumulative since the start and sum to equity - capital in every
 *  row. A row at `tsMs` is after that instant's marks, funding and liquidations, and before its fills. There is one where
 *  the run begins, one where it ends, and one at each due instant at which something happens. */
export interface EquityCurve {
  readonly rows: number
  readonly tsMs: Float64Array
  readonly equity: Float64Array
  readonly cash: Float64Array
  readonly gross: Float64Array
  readonly net: Float64Array
  readonly pricePnl: Float64Array
  readonly slippage: Float64Array
  readonly fees: Float64Array
  readonly funding: Float64Array
  readonly liquidationFees: Float64Array
  readonly traded: Float64Array
}

const columns = [
  'tsMs',
  'equity',
  'cash',
  'gross',
  'net',
  'pricePnl',
  'slippage',
  'fees',
  'funding',
  'liquidationFees',
  'traded',
] as const

/** Some rows of a curve, in their order. */
export function pickRows(curve: EquityCurve, rows: readonly number[]): EquityCurve {
  const picked = columns.map((name) => [name, Float64Array.from(rows, (row) => curve[name][row]!)])
  return { rows: rows.length, ...(Object.fromEntries(picked) as Omit<EquityCurve, 'rows'>) }
}

export class EquityRecorder {
  #everyMs: number
  #values: number[][] = columns.map(() => [])
  #lastTsMs = Number.NEGATIVE_INFINITY

  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  isDue(tsMs: number): boolean {
    return tsMs % this.#everyMs === 0
  }

  record(tsMs: number, ledger: Ledger, parts: EquityParts = ledger.parts()): void {
    if (tsMs === this.#lastTsMs) return
    this.#lastTsMs = tsMs
    let traded = 0
    for (let s = 0; s < ledger.tradedCash.length; s++) traded += ledger.tradedCash[s]!
    const row = [
      tsMs,
      ledger.equity,
      ledger.cash,
      ledger.grossCash,
      ledger.netCash,
      parts.pricePnl,
      parts.slippage,
      parts.fees,
      parts.funding,
      parts.liquidationFees,
      traded,
    ]
    for (let c = 0; c < row.length; c++) this.#values[c]!.push(row[c]!)
  }

  curve(): EquityCurve {
    const column = (name: (typeof columns)[number]) => Float64Array.from(this.#values[columns.indexOf(name)]!)
    return {
      rows: this.#values[0]!.length,
      tsMs: column('tsMs'),
      equity: column('equity'),
      cash: column('cash'),
      gross: column('gross'),
      net: column('net'),
      pricePnl: column('pricePnl'),
      slippage: column('slippage'),
      fees: column('fees'),
      funding: column('funding'),
      liquidationFees: column('liquidationFees'),
      traded: column('traded'),
    }
  }
}
