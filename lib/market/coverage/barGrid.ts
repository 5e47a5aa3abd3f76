import { type Interval, intervalMs, nextOpen, openOf, type TsMs } from '../../time.ts'

export type Span = { readonly fromTsMs: TsMs; readonly toTsMs: TsMs }

/** Stretches of [fromTsMs, toTsMs) in which bars that should open there are not among `openTsMs`, which ascends. Gaps
 *  begin and end at opens. */
export function missingBars(openTsMs: Float64Array, interval: Interval, fromTsMs: TsMs, toTsMs: TsMs): Span[] {
  const gaps: Span[] = []
  const floor = openOf(fromTsMs, interval)
  let expected = floor < fromTsMs ? nextOpen(floor, interval) : floor
  const stepMs = interval === '1M' ? undefined : intervalMs(interval)
  for (let row = 0; row < openTsMs.length && expected < toTsMs; row++) {
    const open = openTsMs[row]!
    if (open < expected) continue
    // Nearly every bar is the one that should open next.
    if (open === expected && stepMs !== undefined) {
      expected += stepMs
      continue
    }
    if (open > expected) gaps.push({ fromTsMs: expected, toTsMs: Math.min(openOf(open, interval), toTsMs) })
    expected = nextOpen(openOf(open, interval), interval)
  }
  if (expected < toTsMs) {
    const last = openOf(toTsMs - 1, interval)
    gaps.push({ fromTsMs: expected, toTsMs: nextOpen(last, interval) })
  }
  return gaps.filter((gap) => gap.fromTsMs < gap.toTsMs)
}

/** The first instant at which a bar must not open any more, where only bars that close before `closedBeforeTsMs` count. */
export function lastOpenEnd(interval: Interval, toTsMs: TsMs, closedBeforeTsMs: TsMs | undefined): TsMs {
  if (closedBeforeTsMs === undefined) return toTsMs
  // The bar that holds the instant is open; the one that ends in the millisecond before it is closed.
  return Math.min(toTsMs, openOf(closedBeforeTsMs, interval))
}
