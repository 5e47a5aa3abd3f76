import type { Plan, PlanNode, Reason, Verdict } from '../engine/verdict.ts'
import { instantText, shortId } from './human.ts'
import { codeChangeText, codeOf, reasonText, verdictText } from './reasonText.ts'
import { paintState } from './renderPlan.ts'
import { shellWord } from './shellWord.ts'
import type { Style } from './style.ts'
import { visible } from './visible.ts'

/** Why one node would run or not, and what lies behind it. It is also what `--json` prints. */
export interface WhyReport {
  readonly address: string
  readonly task: string
  readonly kind: PlanNode['kind']
  readonly verdict: Verdict
  /** Nodes that are a reason for it, each below the one it explains. */
  readonly causes: readonly { readonly address: string; readonly verdict: Verdict; readonly depth: number }[]
  /** Other nodes that the same name stands for: this report is of one of them. */
  readonly others: readonly string[]
  readonly record: { readonly key: string; readonly artifact: string | null; readonly recordedAtMs: number } | null
}

/** Enough to see where it comes from; the rest of a wide graph says the same again. */
const mostCauses = 30

export function whyOf(
  plan: Plan,
  node: PlanNode,
  stored: { readonly key: string; readonly artifact: string | undefined; readonly recordedAtMs: number } | undefined,
  others: readonly string[] = [],
): WhyReport {
  const byAddress = new Map(plan.nodes.map((candidate) => [candidate.address, candidate]))
  const causes: { address: string; verdict: Verdict; depth: number }[] = []
  const seen = new Set([node.address])
  const explain = (verdict: Verdict, depth: number): void => {
    for (const address of upstreamOf(verdict)) {
      const cause = byAddress.get(address)
      if (!cause || seen.has(address) || causes.length === mostCauses) continue
      seen.add(address)
      causes.push({ address, verdict: cause.verdict, depth })
      explain(cause.verdict, depth + 1)
    }
  }
  explain(node.verdict, 1)
  return {
    address: node.address,
    task: node.task,
    kind: node.kind,
    verdict: node.verdict,
    causes,
    others,
    record:
      stored === undefined
        ? null
        : { key: stored.key, artifact: stored.artifact ?? null, recordedAtMs: stored.recordedAtMs },
  }
}

export function renderWhy(report: WhyReport, style: Style): string {
  const { verdict, others } = report
  const lines = [
    `${style.bold(visible(report.address))}  (${report.task}, ${report.kind})`,
    `  ${paintState(verdict.kind, style)(verdict.kind)}${verdict.kind === 'will run' ? ' because' : ''}`,
  ]
  if (others.length > 0)
    lines.splice(1, 0, style.dim(`  one of ${others.length + 1} nodes of that name; ${othersText(others)}`))
  if (verdict.kind === 'will run') lines.push(...verdict.because.flatMap(reasonLines).map(visible))
  else if (verdict.kind === 'cached') lines.push(`    nothing it depends on changed: artifact ${verdict.artifact}`)
  else lines.push(`    ${visible(verdictText(verdict))}`)
  if (report.record !== null) {
    const { key, artifact, recordedAtMs } = report.record
    const made = artifact === null ? '' : `, artifact ${shortId(artifact)}`
    lines.push(style.dim(`    recorded ${instantText(recordedAtMs)} under key ${shortId(key)}${made}`))
  }
  if (report.causes.length > 0) lines.push('', style.dim('behind it'))
  for (const { address, verdict: cause, depth } of report.causes) {
    lines.push(
      `${'  '.repeat(depth)}${visible(address)}  ${paintState(cause.kind, style)(cause.kind)}: ${visible(verdictText(cause))}`,
    )
  }
  return lines.join('\n')
}

/** How to see them too. */
function othersText(others: readonly string[]): string {
  const some = others.slice(0, 3).map((address) => `pipe why ${shellWord(visible(address))}`)
  return `the ${others.length === 1 ? 'other' : 'others'}: ${some.join(', ')}${others.length > some.length ? `, and ${others.length - some.length} more` : ''}`
}

/** Every change has its own line here: this is the place to see all of them. */
function reasonLines(reason: Reason): string[] {
  if (reason.kind === 'code' && reason.changes.length > 1) {
    return [`    ${codeOf(reason.port)}`, ...reason.changes.map((change) => `      ${codeChangeText(change)}`)]
  }
  return [`    ${reasonText(reason)}`]
}

function upstreamOf(verdict: Verdict): readonly string[] {
  switch (verdict.kind) {
    case 'will run':
      return verdict.because.flatMap((reason) => {
        if (reason.kind === 'input') return reason.upstream
        return reason.kind === 'upstream' ? reason.after : []
      })
    case 'may run':
      return verdict.after
    case 'unknown':
      return verdict.until
    default:
      return []
  }
}
