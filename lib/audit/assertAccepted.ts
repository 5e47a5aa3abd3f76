import { Fault } from '../fault.ts'
import { formatUtc } from '../time.ts'
import { type Finding, isStructural, type Policy } from './finding.ts'

/** Under `reject` no structural defect gets into a table: the first one ends the run, and says where it is. */
export function assertAccepted(findings: readonly Finding[], policy: Policy): void {
  if (policy !== 'reject') return
  const structural = findings.filter(({ kind }) => isStructural(kind))
  const first = structural[0]
  if (first === undefined) return
  const { kind, what, file, line, byteOffset, fromTsMs } = first
  const place = [
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(byteOffset === undefined ? [] : [`byte ${byteOffset}`]),
    ...(fromTsMs === undefined ? [] : [formatUtc(fromTsMs)]),
  ].join(', ')
  throw new Fault({
    code: 'failed',
    what: `${kind}: ${what}${place === '' ? '' : ` (${place})`}${structural.length > 1 ? `, and ${structural.length - 1} more` : ''}`,
    ...(file === undefined ? {} : { where: file }),
    todo: 'fetch it again with --refresh, or set "policy" to quarantine or tag',
    details: { findings: structural.slice(0, 20) },
  })
}
