import type { Partition } from './partitions.ts'
import type { DatasetPlan } from './planDataset.ts'

/** A day of open interest: the archive's where it is published, and the API's for the days behind it. */
export interface OpenInterestDay extends Partition {
  /** The API's statistics reach back from here. */
  readonly nowTsMs: number
}

/** Each day once. What the archive has is not asked of the API. */
export function openInterestDays({ metrics, openInterest, nowTsMs }: DatasetPlan): OpenInterestDay[] {
  const archived = new Set(metrics.map(({ symbol, period }) => `${symbol},${period}`))
  const behind = openInterest.filter(({ symbol, period }) => !archived.has(`${symbol},${period}`))
  return [...metrics, ...behind].map((day) => ({ ...day, nowTsMs }))
}
