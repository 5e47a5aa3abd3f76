import assert from 'node:assert/strict'
import type { FileSet } from '../../artifact.ts'
import type { ColumnSeries } from '../../backtest/market.ts'
import { Fault } from '../../fault.ts'
import { nearMatch } from '../../nearMatch.ts'
import { type FeatureColumns, featureNames, readFeatures } from '../../tables/features.ts'
import { dataSetsOf } from './columnNeeds.ts'

/** The columns a strategy declares, out of the files of feature groups, which come in pieces of time. */
export class DeclaredColumns {
  readonly #offers: readonly { files: FileSet; names: readonly string[] }[]
  readonly #intervalMs: number
  readonly #maxAgeMs: number
  readonly #toMs: number
  readonly #firstKnownMs = new Map<string, number>()
  /** Symbols share their grid, and so the stamps. */
  readonly #stamps = new Map<string, Float64Array>()

  constructor(
    groups: readonly FileSet[],
    declared: readonly string[],
    options: { readonly intervalMs: number; readonly maxAgeMs: number; readonly toMs: number; readonly where: string },
  ) {
    const offers = groups.map((files) => ({ files, offered: featureNames(files) }))
    const wanted = new Set(declared)
    for (const name of wanted) {
      const offering = offers.filter(({ offered }) => offered.includes(name))
      if (offering.length === 0) throw notOffered(name, offers, options.where)
      const kinds = new Set(offering.map(({ offered }) => offered.join(',')))
      if (kinds.size > 1) {
        throw new Fault({
          code: 'failed',
          what: `two groups of features offer the column "${name}"`,
          where: options.where,
          todo: 'rename one of them',
        })
      }
    }
    this.#offers = offers
      .map(({ files, offered }) => ({ files, names: offered.filter((name) => wanted.has(name)) }))
      .filter(({ names }) => names.length > 0)
    this.#intervalMs = options.intervalMs
    this.#maxAgeMs = options.maxAgeMs
    this.#toMs = options.toMs
    for (const name of wanted) this.#firstKnownMs.set(name, Number.POSITIVE_INFINITY)
  }

  /** When a value of any symbol asked for so far was first known, by column; infinite where there never was one. */
  get firstKnownMs(): ReadonlyMap<string, number> {
    return this.#firstKnownMs
  }

  /** A row for every bar from the first to the last piece: NaN where no piece has one, for an older value must not be
   *  taken for it. Undefined where no group has anything of the symbol. */
  of(symbol: string): ColumnSeries | undefined {
    const pieces = this.#offers
      .map(({ files, names }) => readFeatures(files, symbol, names))
      .filter((piece) => piece !== undefined && piece.openTsMs.length > 0) as FeatureColumns[]
    if (pieces.length === 0) return undefined
    const startMs = pieces.reduce((least, { openTsMs }) => Math.min(least, openTsMs[0]!), Number.POSITIVE_INFINITY)
    const endMs = pieces.reduce((most, { openTsMs }) => Math.max(most, openTsMs.at(-1)!), startMs)
    const rows = Math.min(endMs - startMs, this.#toMs - startMs - this.#intervalMs) / this.#intervalMs + 1
    if (rows <= 0) return undefined
    assert.ok(Number.isInteger(rows), `the features of ${symbol} are on another grid than the bars`)
    const values: Record<string, Float64Array> = {}
    for (const { openTsMs, columns } of pieces) {
      const at = (openTsMs[0]! - startMs) / this.#intervalMs
      assert.ok(Number.isInteger(at), `the features of ${symbol} are on another grid than the bars`)
      for (const [name, piece] of Object.entries(columns)) {
        values[name] ??= new Float64Array(rows).fill(Number.NaN)
        if (at < rows) values[name].set(piece.subarray(0, rows - at), at)
      }
    }
    const knownAtMs = this.#knownAt(startMs, rows)
    for (const [name, column] of Object.entries(values)) {
      const first = column.findIndex((value) => !Number.isNaN(value))
      if (first >= 0) this.#firstKnownMs.set(name, Math.min(this.#firstKnownMs.get(name)!, knownAtMs[first]!))
    }
    return { knownAtMs, maxAgeMs: this.#maxAgeMs, values }
  }

  #knownAt(startMs: number, rows: number): Float64Array {
    const key = `${startMs} ${rows}`
    const known = this.#stamps.get(key)
    if (known !== undefined) return known
    const stamps = new Float64Array(rows)
    for (let row = 0; row < rows; row++) stamps[row] = startMs + (row + 1) * this.#intervalMs
    this.#stamps.set(key, stamps)
    return stamps
  }
}

function notOffered(
  name: string,
  offers: readonly { files: FileSet; offered: readonly string[] }[],
  where: string,
): Fault {
  const groups = [...new Set(offers.map(({ offered }) => offered.join(', ')))].filter((names) => names !== '')
  const near = nearMatch(name, new Set(offers.flatMap(({ offered }) => offered)))
  const dataSets = dataSetsOf(name)
  const wired = groups.length === 0 ? 'no group of features is wired' : `wired are: ${groups.join('; ')}`
  const switches = dataSets.map((dataSet) => `"${dataSet}"`).join(' and ')
  return new Fault({
    code: 'failed',
    what: `it declares the column "${name}", which no group of features offers${near === undefined ? '' : `; did you mean "${near}"?`} (${wired})`,
    where,
    todo:
      dataSets.length > 0
        ? `switch on the data set${dataSets.length > 1 ? 's' : ''} ${switches} in the pipeline's config: the column is made of ${dataSets.length > 1 ? 'them' : 'it'}`
        : 'correct "columns" of the strategy, or add the group that makes it',
    details: { column: name, groups },
  })
}
