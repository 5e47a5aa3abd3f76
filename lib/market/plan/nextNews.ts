import { DAY_MS, HOUR_MS, MINUTE_MS, nextOpen, openOf, type TsMs } from '../../time.ts'
import { dayPublishedAfterMs, monthPublishedAfterMs, type Partition } from './partitions.ts'
import type { DatasetPlan } from './planDataset.ts'

/** However quiet a plan is, the universe and late archives are worth a look now and then. */
const longestMs = DAY_MS / 4

/** When the venue may first have something that it did not have at the plan's present: a bar closes, a settlement or a
 *  sample falls due, or an archive takes the place of what the API told so far. Asking earlier is in vain. */
export function nextNewsTsMs(plan: DatasetPlan): TsMs {
  const { nowTsMs } = plan
  let next = nowTsMs + longestMs
  const consider = (tsMs: TsMs) => {
    if (tsMs > nowTsMs && tsMs < next) next = tsMs
  }
  const archiveDue = ({ period, toTsMs, isArchived }: Partition) => {
    if (!isArchived) consider(toTsMs + (period.length === 7 ? monthPublishedAfterMs : dayPublishedAfterMs))
  }
  const isOpen = ({ toTsMs }: Partition) => toTsMs > nowTsMs
  for (const partition of plan.bars) {
    archiveDue(partition)
    if (isOpen(partition)) consider(nextOpen(openOf(nowTsMs, partition.interval), partition.interval))
  }
  for (const partition of plan.funding) {
    archiveDue(partition)
    if (isOpen(partition)) consider(Math.floor(nowTsMs / HOUR_MS + 1) * HOUR_MS)
  }
  for (const partition of [...plan.openInterest, ...plan.takerVolume]) {
    const stepMs = 5 * MINUTE_MS
    if (isOpen(partition)) consider(Math.floor(nowTsMs / stepMs + 1) * stepMs)
  }
  for (const partition of [...plan.trades, ...plan.aggTrades]) {
    archiveDue(partition)
    if (isOpen(partition)) consider(nowTsMs + MINUTE_MS)
  }
  return next
}
