import type { Finding } from '../../audit/finding.ts'
import { isWholeFileKind } from './fileDoubts.ts'
import { periodOf } from './filePeriod.ts'

/** What nothing was taken of costs nothing where others had all its rows: then it is told as a warning, and not as data that
 *  were left out. */
export function warnWhereServed(findings: readonly Finding[]): Finding[] {
  const gaps = findings.filter(({ kind }) => kind === 'missingRows' || kind === 'missingIds')
  return findings.map((found) => {
    if (found.severity !== 'QUARANTINE' || !isWholeFileKind(found.kind) || found.file === undefined) return found
    const period = periodOf(found.file)
    if (period === undefined) return found
    const isMissed = gaps.some(({ fromTsMs, toTsMs }) => fromTsMs! < period.toTsMs && toTsMs! > period.fromTsMs)
    return isMissed ? found : { ...found, severity: 'WARN', what: `${found.what}; others served its rows` }
  })
}
