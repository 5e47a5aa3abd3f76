import { type Finding, type Policy, severityOf } from '../../audit/finding.ts'
import { formatUtc, type TsMs } from '../../time.ts'

/** Stretches of a grid without rows, from the first step of a partition up to, and not including, its end. Stamps
 *  ascend. */
export function gridGaps(
  stamps: Float64Array,
  stepMs: number,
  { fromTsMs, toTsMs }: { readonly fromTsMs: TsMs; readonly toTsMs: TsMs },
  policy: Policy,
): Finding[] {
  const found: Finding[] = []
  let expected = Math.ceil(fromTsMs / stepMs) * stepMs
  for (const at of [...stamps, Math.ceil(toTsMs / stepMs) * stepMs]) {
    if (at > expected) {
      found.push({
        kind: 'missingRows',
        severity: severityOf('missingRows', policy),
        what: `no rows from ${formatUtc(expected)}`,
        fromTsMs: expected,
        toTsMs: at,
        rows: Math.round((at - expected) / stepMs),
      })
    }
    expected = Math.max(expected, at + stepMs)
  }
  return found
}
