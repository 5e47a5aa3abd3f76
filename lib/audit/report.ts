import { formatUtc } from '../time.ts'
import { type AuditReport, type Finding, findingKinds, type Severity, severities } from './finding.ts'

/** The audit of many partitions as text: counts first, then each partition that is not clean. */
export function renderAudit(reports: readonly AuditReport[]): string {
  const count = (verdict: Severity) => reports.filter((report) => report.verdict === verdict).length
  const lines = [`${reports.length} partitions: ${severities.map((one) => `${count(one)} ${one}`).join(', ')}`]
  for (const { partition, artifactType, verdict, rows, findings } of reports) {
    if (verdict === 'PASS') continue
    lines.push('', `${verdict}  ${artifactType} ${partition} (${rows} rows)`)
    for (const finding of findings) lines.push(`  ${findingText(finding)}`)
  }
  return `${lines.join('\n')}\n`
}

/** `QUARANTINE offGrid: … [2026-07-01T00:00:00.000Z to …) at X.csv:17, byte 2044` */
function findingText({ kind, severity, what, file, line, byteOffset, fromTsMs, toTsMs }: Finding): string {
  const span = fromTsMs === undefined || toTsMs === undefined ? '' : ` [${formatUtc(fromTsMs)} to ${formatUtc(toTsMs)})`
  const place = file === undefined ? '' : ` at ${file}${line === undefined ? '' : `:${line}`}`
  const byte = byteOffset === undefined ? '' : `, byte ${byteOffset}`
  return `${severity} ${kind}${findingKinds[kind] === 'statistical' ? ' (tag only)' : ''}: ${what}${span}${place}${byte}`
}
