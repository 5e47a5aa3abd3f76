import type { Finding, VerifyReport } from '../../snapshots/verifyReport.ts'
import type { Status } from './command.ts'
import { countText, plural } from './human.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'
import { visible, visibleLines } from './visible.ts'

const shownFindings = 40

/** What was checked, what was found, and what to do about it. */
export function renderVerify(reports: readonly VerifyReport[], outcome: Status, style: Style): string {
  const rows = reports.map((report) => [
    report.snapshot === '' ? 'the store' : report.snapshot,
    report.level,
    countText(report.counts.checked),
    notesOf(report),
    resultOf(report, style),
  ])
  const columns = [
    { title: 'what' },
    { title: 'level' },
    { title: 'checked', align: 'right' as const },
    { title: '' },
    { title: 'result' },
  ]
  const lines = reports.length === 0 ? ['there is no snapshot to check'] : textTable(columns, rows, style.dim)
  const findings = reports.flatMap((report) => report.findings.map((finding) => ({ report, finding })))
  if (findings.length > 0) lines.push('')
  for (const { report, finding } of findings.slice(0, shownFindings))
    lines.push(...findingLines(report, finding, style))
  if (findings.length > shownFindings)
    lines.push(style.dim(`and ${countText(findings.length - shownFindings)} more; --json has them all`))
  lines.push('', verdictOf(outcome, findings.length, style))
  return lines.join('\n')
}

function findingLines(report: VerifyReport, finding: Finding, style: Style): string[] {
  const paint = { error: style.bad, warning: style.warn, info: style.dim }[finding.severity]
  const about = [report.snapshot, finding.node].filter((text) => text !== undefined && text !== '').join(' ')
  return [
    `${paint(finding.kind)}  ${about === '' ? '' : `${style.bold(visible(about))}  `}${visibleLines(finding.what)}`,
    ...(finding.todo === undefined ? [] : [`    ${style.dim('->')} ${finding.todo}`]),
  ]
}

function notesOf({ counts }: VerifyReport): string {
  const notes = [
    `of ${countText(counts.total)}`,
    ...(counts.notSampled > 0 ? [`${countText(counts.notSampled)} not sampled`] : []),
    ...(counts.evicted > 0 ? [`${countText(counts.evicted)} evicted`] : []),
    ...(counts.resumed > 0 ? [`${countText(counts.resumed)} checked before`] : []),
  ]
  return notes.join(', ')
}

function resultOf(report: VerifyReport, style: Style): string {
  const count = (severity: Finding['severity']): number =>
    report.findings.filter((finding) => finding.severity === severity).length
  const [errors, warnings, infos] = [count('error'), count('warning'), count('info')]
  const parts = [
    ...(errors > 0 ? [style.bad(plural(errors, 'error'))] : []),
    ...(warnings > 0 ? [style.warn(plural(warnings, 'warning'))] : []),
    ...(infos > 0 ? [plural(infos, 'difference')] : []),
    ...(report.interrupted ? [style.warn('interrupted')] : []),
  ]
  return parts.length === 0 ? style.good('ok') : parts.join(', ')
}

function verdictOf(outcome: Status, findings: number, style: Style): string {
  switch (outcome) {
    case 'ok':
      return style.good(findings === 0 ? 'all is well' : 'nothing is wrong')
    case 'corrupt':
      return style.bad('damage was found')
    case 'notReproducible':
      return style.bad('it is not reproducible')
    case 'unverifiable':
      return style.bad('some of it could not be checked')
    case 'nondeterministic':
      return style.bad('some keys are disputed')
    default:
      return style.warn('interrupted: --resume goes on from here')
  }
}
