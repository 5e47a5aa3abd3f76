import { Fault } from '../../fault.ts'
import type { BarSource } from '../../minute/buildMinute.ts'
import { DAY_MS, dayOf, floorTo, type TsMs } from '../../time.ts'
import { dayPublishedAfterMs } from './partitions.ts'

/** Refuses a range that ends behind the last whole day there is: a run over it would stop early and not say so, and be
 *  another one tomorrow under the same config. */
export function assertWholeDays(
  nowTsMs: TsMs,
  { toTsMs, barsFrom, hasApi }: { readonly toTsMs: TsMs; readonly barsFrom: BarSource; readonly hasApi: boolean },
): void {
  // Single trades come from archives only, and so does everything where there is no API.
  const isArchived = barsFrom === 'trades' || !hasApi
  const untilTsMs = floorTo(isArchived ? nowTsMs - dayPublishedAfterMs : nowTsMs, DAY_MS)
  if (toTsMs <= untilTsMs) return
  const until = dayOf(untilTsMs)
  throw new Fault({
    code: 'usage',
    what: `the range ends ${dayOf(toTsMs)}, and of ${barsFrom} there are whole days before ${until} only`,
    where: 'config, to',
    todo: `set "to" to ${until}${barsFrom === 'trades' && hasApi ? ', or make minutes of klines or aggTrades: their newest days come from the API' : ''}`,
  })
}
