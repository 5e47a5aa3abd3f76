import assert from 'node:assert/strict'

import type { Duration } from '../backtest/duration.ts'
import { durationMs } from '../backtest/duration.ts'
import { Fault } from '../fault.ts'
import { exp } from '../math.ts'
import { diff, lag, rollingEwm, rollingMax, rollingMean, rollingMin, rollingStd, rollingSum } from '../stats/rolling.ts'
import { rollingPercentile, rollingQuantile, rollingRank } from '../stats/rollingRank.ts'
import { rollingSlope } from '../stats/rollingSlope.ts'
import type { Column, WindowFunction } from './column.ts'
import { operandsOf } from './column.ts'
import { ColumnBuffers } from './columnBuffers.ts'
import type { Feature } from './feature.ts'
import type { Frame, Series } from './frame.ts'
import {
  applyAcross,
  applyBinary,
  applyCalendar,
  applyNumber,
  applyUnary,
  forNewest,
  percentileOverSpan,
  quotients,
} from './operators.ts'

type WindowKernel = (src: Float64Array, rows: number, dst: Float64Array, anchor: number) => void

const windowKernels: Record<WindowFunction, WindowKernel> = {
  sum: rollingSum,
  mean: rollingMean,
  std: (src, rows, dst, anchor) => rollingStd(src, rows, dst, anchor),
  min: rollingMin,
  max: rollingMax,
  rank: rollingRank,
  percentile: rollingPercentile,
  slope: rollingSlope,
}

type Columns = Readonly<Record<string, Float64Array>>

/** Every feature of every symbol, by symbol in the order of the sorted symbols, to keep. */
export const evaluateFeatures = (
  features: readonly Feature[],
  frames: readonly Frame[],
): { symbol: string; columns: Columns }[] =>
  mapFeatures(features, frames, (symbol, columns) => ({
    symbol,
    columns: Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.slice()])),
  }))

/** The same, symbol after symbol: columns are there until `use` returns, their memory is then taken for the next symbol. All
 *  frames share one grid. A column that several features are built on is computed once for a symbol; columns across symbols
 *  are computed before all others. */
export function mapFeatures<Result>(
  features: readonly Feature[],
  frames: readonly Frame[],
  use: (symbol: string, columns: Columns) => Result,
): Result[] {
  const [first] = frames
  if (first === undefined) return []
  for (const { startTsMs, intervalMs, rows } of frames) {
    assert.deepEqual([startTsMs, intervalMs, rows], [first.startTsMs, first.intervalMs, first.rows], 'one grid')
  }
  const sorted = [...frames].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))
  const shared = new Map<Column, Float64Array[]>()
  for (const feature of features) {
    for (const column of acrossColumns(feature.column)) {
      if (shared.has(column) || column.kind !== 'across') continue
      const sources = sorted.map((frame, s) =>
        new SymbolEvaluation(frame, s, shared, new ColumnBuffers(frame.rows), feature.name).of(column.of),
      )
      const results = sources.map((source) => new Float64Array(source.length))
      applyAcross(column.fn, sources, results)
      shared.set(column, results)
    }
  }
  const buffers = new ColumnBuffers(first.rows)
  return sorted.map((frame, s) => {
    buffers.takeBackAll()
    const evaluation = new SymbolEvaluation(frame, s, shared, buffers, '')
    const columns: Record<string, Float64Array> = {}
    for (const feature of features) {
      evaluation.feature = feature.name
      columns[feature.name] = evaluation.of(feature.column)
    }
    return use(frame.symbol, columns)
  })
}

/** Inner ones first, as outer ones may be built on them. */
function acrossColumns(column: Column): Column[] {
  const inner = operandsOf(column).flatMap(acrossColumns)
  return column.kind === 'across' ? [...inner, column] : inner
}

class SymbolEvaluation {
  feature: string
  #frame: Frame
  #symbol: number
  #shared: ReadonlyMap<Column, Float64Array[]>
  #buffers: ColumnBuffers
  #done = new Map<Column, Float64Array>()

  constructor(
    frame: Frame,
    symbol: number,
    shared: ReadonlyMap<Column, Float64Array[]>,
    buffers: ColumnBuffers,
    feature: string,
  ) {
    this.#frame = frame
    this.#symbol = symbol
    this.#shared = shared
    this.#buffers = buffers
    this.feature = feature
  }

  of(column: Column): Float64Array {
    const known = this.#shared.get(column)?.[this.#symbol] ?? this.#done.get(column)
    if (known !== undefined) return known
    const result = this.#compute(column)
    this.#done.set(column, result)
    return result
  }

  #compute(column: Column): Float64Array {
    if (column.kind === 'input') return this.#input(column.name)
    const frame = this.#frame
    const dst = this.#buffers.take()
    const anchor = Math.round(frame.startTsMs / frame.intervalMs)
    switch (column.kind) {
      case 'constant':
        return dst.fill(column.value)
      case 'window':
        windowKernels[column.fn](this.of(column.of), this.#rows(column.over), dst, anchor)
        return dst
      case 'quantile':
        rollingQuantile(this.of(column.of), this.#rows(column.over), column.q, dst)
        return dst
      case 'ewm': {
        const decay = exp(-ln2 / this.#rows(column.halfLife))
        rollingEwm(this.of(column.of), decay, this.#rows(column.over), dst, anchor)
        return dst
      }
      case 'ago':
        lag(this.of(column.of), this.#rows(column.by), dst)
        return dst
      case 'change':
        diff(this.of(column.of), this.#rows(column.by), dst)
        return dst
      case 'unary':
        applyUnary(column.fn, this.of(column.of), dst)
        return dst
      case 'binary':
        return this.#binary(column, dst)
      case 'asOf':
        return this.#joined(column.series, this.#field(column.series, column.field), durationMs(column.maxAge), dst)
      case 'asOfPercentile': {
        const maxAgeMs = durationMs(column.maxAge)
        this.#field(column.series, column.field)
        const series = this.#series(column.series)
        const percentiles = percentileOverSpan(series, column.field, durationMs(column.over), maxAgeMs)
        return this.#joined(column.series, percentiles, maxAgeMs, dst)
      }
      case 'age': {
        const series = this.#series(column.series)
        dst.fill(NaN)
        forNewest(frame, series, durationMs(column.maxAge), (entry, from, to) => {
          const knownMs = series.knownAtMs[entry]!
          for (let i = from; i < to; i++) dst[i] = frame.startTsMs + (i + 1) * frame.intervalMs - knownMs
        })
        return dst
      }
      case 'calendar':
        applyCalendar(column.spans, frame, dst)
        return dst
      case 'custom': {
        // Its own memory, for whoever wrote it may keep what it was given and count on zeros. Copies: a kernel that sorts its
        // input in place would change it for every other reader.
        const own = new Float64Array(frame.rows)
        const inputs = column.of.map((operand) => this.of(operand).slice())
        column.kernel(inputs, own, anchor)
        return own
      }
      case 'across':
        return assert.fail('columns across symbols are computed before')
    }
  }

  /** A number, a value some rows before and the quotient of a return get no column of their own here; who else asks for one
   *  makes it. */
  #binary({ fn, left, right }: Column & { kind: 'binary' }, dst: Float64Array): Float64Array {
    if (fn === 'over') return this.#quotients(left, right, 0, dst)
    if (fn === 'minus' && right.kind === 'constant' && left.kind === 'binary' && left.fn === 'over') {
      return this.#quotients(left.left, left.right, right.value, dst)
    }
    if (right.kind === 'constant' && applyNumber(fn, this.of(left), right.value, dst)) return dst
    applyBinary(fn, this.of(left), this.of(right), dst)
    return dst
  }

  #quotients(left: Column, right: Column, less: number, dst: Float64Array): Float64Array {
    if (right.kind === 'ago') quotients(this.of(left), this.of(right.of), this.#rows(right.by), less, dst)
    else quotients(this.of(left), this.of(right), 0, less, dst)
    return dst
  }

  #joined(series: string, values: Float64Array, maxAgeMs: number, dst: Float64Array): Float64Array {
    dst.fill(NaN)
    forNewest(this.#frame, this.#series(series), maxAgeMs, (entry, from, to) => dst.fill(values[entry]!, from, to))
    return dst
  }

  #input(name: string): Float64Array {
    const values = this.#frame.columns[name]
    if (values === undefined) throw this.#missing(`the column "${name}"`)
    return values
  }

  #series(name: string): Series {
    const series = this.#frame.series[name]
    if (series === undefined) throw this.#missing(`the series "${name}"`)
    return series
  }

  #field(series: string, field: string): Float64Array {
    const values = this.#series(series).fields[field]
    if (values === undefined) throw this.#missing(`the field "${field}" of the series "${series}"`)
    return values
  }

  #missing(what: string): Fault {
    return new Fault({
      code: 'failed',
      what: `the feature "${this.feature}" needs ${what}, which the data does not have`,
      where: this.#frame.symbol,
      todo: 'ingest the data set it comes from, or leave the feature out',
    })
  }

  #rows(span: Duration): number {
    const spanMs = durationMs(span, `feature ${this.feature}`)
    const rows = spanMs / this.#frame.intervalMs
    if (Number.isInteger(rows)) return rows
    throw new Fault({
      code: 'usage',
      what: `the feature "${this.feature}" spans ${span}, which is no multiple of the ${this.#frame.intervalMs / 60_000} minutes of a row`,
      where: this.#frame.symbol,
      todo: 'use a finer baseInterval, or leave the feature out',
    })
  }
}

const ln2 = Math.LN2
