import { durationMs } from '../backtest/duration.ts'
import type { CalendarSpan, Column } from './column.ts'
import { operandsOf } from './column.ts'

/** A named column, as strategies ask for it. */
export interface Feature {
  readonly name: string
  /** Features of a group are computed by one node and cached together. */
  readonly group: string
  readonly says: string
  readonly column: Column
}

/** What a group may be configured with. */
export interface FeatureOptions {
  readonly calendar: readonly CalendarSpan[]
}

/** What a node computes: the features of one file, or what makes them from options. */
export type FeatureGroup = readonly Feature[] | ((options: FeatureOptions) => readonly Feature[])

/** The features a node computes: those of its group but what the data it has does not give. */
export function featuresOf(
  group: FeatureGroup,
  { calendar, leftOut = [] }: FeatureOptions & { readonly leftOut?: readonly string[] },
): readonly Feature[] {
  const features = typeof group === 'function' ? group({ calendar }) : group
  return features.filter(({ name }) => !leftOut.includes(name))
}

/** Gives the features of one file their group. */
export function featureGroup(group: string, features: readonly Omit<Feature, 'group'>[]): readonly Feature[] {
  return features.map((feature) => ({ ...feature, group }))
}

/** What a column reads: columns of the minute table, and side series with the fields it takes of them. */
export function readsOf(column: Column): { inputs: Set<string>; series: Map<string, Set<string>> } {
  const reads = { inputs: new Set<string>(), series: new Map<string, Set<string>>() }
  const visit = (c: Column): void => {
    if (c.kind === 'input') reads.inputs.add(c.name)
    if (c.kind === 'asOf' || c.kind === 'asOfPercentile' || c.kind === 'age') {
      const fields = reads.series.get(c.series) ?? new Set()
      if (c.kind !== 'age') fields.add(c.field)
      reads.series.set(c.series, fields)
    }
    for (const operand of operandsOf(c)) visit(operand)
  }
  visit(column)
  return reads
}

/** The warm-up: how much history before a row's own the column needs. With so much, or with any more, its value there is
 *  the same to the last bit. */
export function historyMs(column: Column, intervalMs: number): number {
  const below = operandsOf(column).reduce((most, operand) => Math.max(most, historyMs(operand, intervalMs)), 0)
  switch (column.kind) {
    case 'window':
    case 'quantile':
    case 'ewm':
      return below + durationMs(column.over) - intervalMs
    case 'ago':
    case 'change':
      return below + durationMs(column.by)
    case 'asOf':
    case 'age':
      return durationMs(column.maxAge)
    case 'asOfPercentile':
      // The newest entry may be maxAge old, and the one that shows the window to be covered so much older than it.
      return durationMs(column.over) + 2 * durationMs(column.maxAge)
    case 'custom':
      return below + durationMs(column.warmup)
    default:
      return below
  }
}

/** Whether all its windows are whole numbers of bars. */
export function fitsBars(column: Column, intervalMs: number): boolean {
  const spans =
    column.kind === 'ewm'
      ? [column.over, column.halfLife]
      : column.kind === 'window' || column.kind === 'quantile'
        ? [column.over]
        : column.kind === 'ago' || column.kind === 'change'
          ? [column.by]
          : []
  return (
    spans.every((span) => durationMs(span) % intervalMs === 0) &&
    operandsOf(column).every((operand) => fitsBars(operand, intervalMs))
  )
}
