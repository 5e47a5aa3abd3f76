import type { Metrics } from '../../backtest/metrics.ts'
import { type MetricsJson, metricsSchema } from './backtestOutputs.ts'

/** JSON knows no NaN: a number that does not exist is null. The daily series stays with the equity table. */
export function metricsJson({ daily: _, ...metrics }: Metrics): MetricsJson {
  return metricsSchema.parse(withoutNaN(metrics))
}

function withoutNaN(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map(withoutNaN)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([name, entry]) => [name, withoutNaN(entry)]),
  )
}
