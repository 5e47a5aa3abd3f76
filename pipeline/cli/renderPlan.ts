import type { Plan, PlanNode, Verdict } from '../engine/verdict.ts'
import { countText, durationRangeText, durationText, instantText, plural, sizeText } from './human.ts'
import { verdictText } from './reasonText.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'
import { visible } from './visible.ts'

type State = Verdict['kind']

/** In the order a reader wants them: what costs time first. */
const states: readonly State[] = ['blocked', 'will run', 'may run', 'unknown', 'cached']

export interface PlanOptions {
  /** Every node, cached ones too. */
  readonly all: boolean
  /** At most this many nodes under one heading. */
  readonly mostNodes: number
}

/** What a run would do, grouped by verdict. */
export function renderPlan(plan: Plan, options: PlanOptions, style: Style): string {
  const byState = groupByState(plan.nodes)
  const lines = [headline(plan, style), '']
  for (const state of states) {
    const nodes = byState.get(state) ?? []
    if (nodes.length === 0 || (state === 'cached' && !options.all)) continue
    lines.push(paintState(state, style)(`${state}: ${plural(nodes.length, 'node')}`))
    const shown = options.all ? nodes : nodes.slice(0, options.mostNodes)
    const rows = shown.map((node) => [
      `  ${visible(node.address)}`,
      estimateText(node),
      visible(verdictText(node.verdict)),
    ])
    lines.push(...textTable([{ title: '', maxCells: 60 }, { title: '' }, { title: '', maxCells: 160 }], rows))
    if (shown.length < nodes.length) {
      lines.push(style.dim(`  and ${countText(nodes.length - shown.length)} more; --all lists them`))
    }
    lines.push('')
  }
  lines.push(summary(plan, style))
  return lines.join('\n')
}

/** The stable shape behind `--json`. */
export function planJson(plan: Plan): object {
  return { ...plan, counts: planCounts(plan), hasWork: hasWork(plan) }
}

function planCounts(plan: Plan): Readonly<Record<State, number>> {
  const counts: Record<State, number> = { cached: 0, 'will run': 0, 'may run': 0, unknown: 0, blocked: 0 }
  for (const node of plan.nodes) counts[node.verdict.kind]++
  return counts
}

/** True when a run would execute something, or would try and be refused. */
export const hasWork = (plan: Plan): boolean => plan.nodes.some((node) => node.verdict.kind !== 'cached')

function headline(plan: Plan, style: Style): string {
  const targets = plan.targets.length === 0 ? 'every target' : plan.targets.join(', ')
  const snapshot = plan.snapshot === undefined ? '' : `, snapshot ${plan.snapshot}`
  return `${style.bold(plan.pipeline)}: ${targets} as of ${instantText(plan.asOfMs)}${snapshot}`
}

function summary(plan: Plan, style: Style): string {
  const counts = planCounts(plan)
  if (!hasWork(plan)) return `${style.good('nothing to do')}: ${plural(plan.nodes.length, 'node')}, all cached`
  const parts = states.filter((state) => counts[state] > 0).map((state) => `${countText(counts[state])} ${state}`)
  const lines = [`${plural(plan.nodes.length, 'node')}: ${parts.join(', ')}`]
  const { estimate } = plan
  if (estimate) {
    const blind = estimate.nodesWithoutHistory
    lines.push(
      [
        `about ${durationRangeText(estimate.p50Ms, estimate.p90Ms)}${isRange(estimate) ? ' (p50 to p90)' : ''}`,
        `${sizeText(estimate.bytes)} to write`,
        ...(estimate.requests > 0 ? [plural(estimate.requests, 'request')] : []),
        ...(blind > 0 ? [`not counting ${plural(blind, 'node')} without history`] : []),
      ].join(', '),
    )
  } else lines.push('no estimate: nothing like it has run here before')
  return lines.join('\n')
}

/** Whether the two read differently. */
const isRange = ({ p50Ms, p90Ms }: { readonly p50Ms: number; readonly p90Ms: number }): boolean =>
  durationText(p50Ms) !== durationText(p90Ms)

function estimateText(node: PlanNode): string {
  if (!node.estimate || node.verdict.kind === 'cached') return ''
  return durationRangeText(node.estimate.p50Ms, node.estimate.p90Ms)
}

export function paintState(state: State, style: Style): (text: string) => string {
  if (state === 'cached') return style.good
  if (state === 'will run') return style.work
  return state === 'blocked' ? style.bad : style.warn
}

function groupByState(nodes: readonly PlanNode[]): Map<State, PlanNode[]> {
  const groups = new Map<State, PlanNode[]>()
  for (const node of nodes) {
    const group = groups.get(node.verdict.kind)
    if (group) group.push(node)
    else groups.set(node.verdict.kind, [node])
  }
  return groups
}
