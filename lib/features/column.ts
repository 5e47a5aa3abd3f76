import type { Duration } from '../backtest/duration.ts'

/** A feature is an expression over the minute table: data, not code, so that what it reads, how far it looks back and
 *  that it looks at nothing later can be told from it. Every operator gives NaN where it is given NaN. */
export type Column =
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'window'; readonly fn: WindowFunction; readonly of: Column; readonly over: Duration }
  | { readonly kind: 'quantile'; readonly of: Column; readonly over: Duration; readonly q: number }
  | { readonly kind: 'ewm'; readonly of: Column; readonly halfLife: Duration; readonly over: Duration }
  | { readonly kind: 'ago' | 'change'; readonly of: Column; readonly by: Duration }
  | { readonly kind: 'unary'; readonly fn: UnaryFunction; readonly of: Column }
  | { readonly kind: 'binary'; readonly fn: BinaryFunction; readonly left: Column; readonly right: Column }
  | { readonly kind: 'across'; readonly fn: AcrossFunction; readonly of: Column }
  | { readonly kind: 'asOf'; readonly series: string; readonly field: string; readonly maxAge: Duration }
  | { readonly kind: 'age'; readonly series: string; readonly maxAge: Duration }
  | {
      readonly kind: 'asOfPercentile'
      readonly series: string
      readonly field: string
      readonly over: Duration
      readonly maxAge: Duration
    }
  | { readonly kind: 'calendar'; readonly spans: readonly CalendarSpan[] }
  | { readonly kind: 'custom'; readonly of: readonly Column[]; readonly warmup: Duration; readonly kernel: Kernel }

export type WindowFunction = 'sum' | 'mean' | 'std' | 'min' | 'max' | 'rank' | 'percentile' | 'slope'
export type UnaryFunction = 'negative' | 'absolute' | 'root' | 'logarithm' | 'sign'
export type BinaryFunction = 'plus' | 'minus' | 'times' | 'over' | 'least' | 'most' | 'notMore' | 'where'
export type AcrossFunction = 'rank' | 'percentile' | 'zScore'

/** In force from `fromMs` to `toMs` (exclusive) if it was announced by then: a row knows only of announced events. */
export interface CalendarSpan {
  readonly fromMs: number
  readonly toMs: number
  readonly knownAtMs: number
}

/** A user's own operator: fills `dst` from inputs of the same length. `anchor` is the number of grid rows before the
 *  first one (see stats/rolling.ts). Nothing stops it from looking ahead but `pipe check-lookahead`, which finds out. */
export type Kernel = (inputs: readonly Float64Array[], dst: Float64Array, anchor: number) => void

/** A column of the minute table. */
export const input = (name: string): Column => ({ kind: 'input', name })
export const constant = (value: number): Column => ({ kind: 'constant', value })

/** Over the last rows that make up the span, the newest included; NaN while any of them is missing. */
const window =
  (fn: WindowFunction) =>
  (of: Column, over: Duration): Column => ({ kind: 'window', fn, of, over })
export const sumOver = window('sum')
export const meanOver = window('mean')
/** With one degree of freedom taken off. */
export const stdOver = window('std')
export const minOver = window('min')
export const maxOver = window('max')
/** Of the newest row: 1 is the smallest, ties share their places. */
export const rankOver = window('rank')
/** The rank as a share of the window. */
export const percentileOver = window('percentile')
/** Of the least-squares line through the window, per row. */
export const slopeOver = window('slope')
export const quantileOver = (of: Column, over: Duration, q: number): Column => ({ kind: 'quantile', of, over, q })
/** Exponentially weighted mean that forgets what is older than `over`. */
export const ewmOver = (of: Column, halfLife: Duration, over: Duration): Column => ({ kind: 'ewm', of, halfLife, over })

export const ago = (of: Column, by: Duration): Column => ({ kind: 'ago', of, by })
export const changeOver = (of: Column, by: Duration): Column => ({ kind: 'change', of, by })

const unary =
  (fn: UnaryFunction) =>
  (of: Column): Column => ({ kind: 'unary', fn, of })
export const negative = unary('negative')
export const absolute = unary('absolute')
export const root = unary('root')
export const logarithm = unary('logarithm')
export const sign = unary('sign')

const binary =
  (fn: BinaryFunction) =>
  (left: Column, right: Column): Column => ({ kind: 'binary', fn, left, right })
export const plus = binary('plus')
export const minus = binary('minus')
export const times = binary('times')
/** NaN where the divisor is 0: a share of nothing is not infinite. */
export const divide = binary('over')
export const least = binary('least')
export const most = binary('most')
/** 1 where left <= right, else 0. */
export const notMore = binary('notMore')
/** The left one where the right one is there and not 0, else NaN. */
export const where = binary('where')

/** Among the symbols of the same row; those without a value are left out and stay NaN. */
const across =
  (fn: AcrossFunction) =>
  (of: Column): Column => ({ kind: 'across', fn, of })
export const rankAcross = across('rank')
export const percentileAcross = across('percentile')
/** Deviation over the sample's (ddof 1); NaN with fewer than two symbols or no spread. */
export const zScoreAcross = across('zScore')

/** The newest entry of a side series that is known when the row is; NaN once it is older than `maxAge`. */
export const asOf = (series: string, field: string, maxAge: Duration): Column => ({
  kind: 'asOf',
  series,
  field,
  maxAge,
})
/** How old that entry is, in milliseconds. */
export const ageOf = (series: string, maxAge: Duration): Column => ({ kind: 'age', series, maxAge })
/** Its percentile among the entries of the last `over`, taken only where the series reaches back that far. */
export const asOfPercentile = (series: string, field: string, over: Duration, maxAge: Duration): Column => ({
  kind: 'asOfPercentile',
  series,
  field,
  over,
  maxAge,
})

/** 1 inside a span, else 0. */
export const during = (spans: readonly CalendarSpan[]): Column => ({ kind: 'calendar', spans })

export const custom = (of: readonly Column[], warmup: Duration, kernel: Kernel): Column => ({
  kind: 'custom',
  of,
  warmup,
  kernel,
})

/** What a column is made from, one level down. */
export function operandsOf(column: Column): readonly Column[] {
  switch (column.kind) {
    case 'binary':
      return [column.left, column.right]
    case 'custom':
      return column.of
    case 'window':
    case 'quantile':
    case 'ewm':
    case 'ago':
    case 'change':
    case 'unary':
    case 'across':
      return [column.of]
    default:
      return []
  }
}
