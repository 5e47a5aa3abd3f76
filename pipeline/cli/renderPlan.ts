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
    const found = byState.get(state) ?? []
    if (found.length === 0 || (state === 'cached' && !options.all)) continue
    const lists = listsAmong(found)
    const nodes = found.filter(({ verdict }) => !isList(verdict))
    lines.push(paintState(state, style)(`${state}: ${countsText(nodes.length, found.length - nodes.length)}`))
    const shown = options.all ? nodes : nodes.slice(0, options.mostNodes)
    const rows = shown.map((node) => [
      `  ${visible(node.address)}`,
      estimateText(node),
      visible(verdictText(node.verdict)),
    ])
    lines.push(...textTable([{ title: '', maxCells: 60 }, { title: '' }, { title: '', maxCells: 160 }], rows))
    for (const text of lists) lines.push(`  ${visible(text)}`)
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

function planCounts(plan: Plan): Record<State, number> {
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
  const lists = plan.nodes.filter(({ verdict }) => isList(verdict))
  counts.unknown -= lists.length
  const parts = states.filter((state) => counts[state] > 0).map((state) => `${countText(counts[state])} ${state}`)
  const more =
    lists.length === 0 ? '' : `, and those of ${plural(lists.length, 'list')} not known yet${lastTime(lists)}`
  const lines = [`${plural(plan.nodes.length - lists.length, 'node')}: ${parts.join(', ')}${more}`]
  const { estimate } = plan
  if (estimate) {
    const blind = estimate.nodesWithoutHistory
    const leftOut = [
      ...(blind > 0 ? [`${plural(blind, 'node')} without history`] : []),
      ...(lists.length > 0 ? ['what is not known yet'] : []),
    ]
    lines.push(
      [
        `about ${durationRangeText(estimate.p50Ms, estimate.p90Ms)}${isRange(estimate) ? ' (p50 to p90)' : ''}`,
        `${sizeText(estimate.bytes)} to write`,
        ...(estimate.requests > 0 ? [plural(estimate.requests, 'request')] : []),
        ...(blind + lists.length > 0 ? [`not counting ${leftOut.join(' and ')}`] : []),
      ].join(', '),
    )
  } else lines.push('no estimate: nothing like it has run here before')
  return lines.join('\n')
}

const isList = (verdict: Verdict): boolean => verdict.kind === 'unknown' && verdict.forEach !== undefined

/** `3 nodes`, `24 lists`, or both. */
function countsText(nodes: number, lists: number): string {
  return [
    ...(nodes > 0 ? [plural(nodes, 'node')] : []),
    ...(lists > 0 ? [`the nodes of ${plural(lists, 'list')}`] : []),
  ].join(', and ')
}

/** A line for each node whose lists the graph grows from, however many it has. */
function listsAmong(nodes: readonly PlanNode[]): string[] {
  const bySource = new Map<string, PlanNode[]>()
  for (const node of nodes) {
    const source = node.verdict.kind === 'unknown' ? node.verdict.forEach : undefined
    if (source === undefined) continue
    const group = bySource.get(source)
    if (group) group.push(node)
    else bySource.set(source, [node])
  }
  return [...bySource].map(
    ([source, lists]) =>
      `more nodes for each entry of ${source}${lists.length === 1 ? '' : ` (${countText(lists.length)} lists)`}${lastTime(lists)}`,
  )
}

/** What grew there when it was last known. */
function lastTime(lists: readonly PlanNode[]): string {
  let count: number | undefined
  for (const { verdict } of lists) {
    if (verdict.kind === 'unknown' && verdict.lastCount !== undefined) count = (count ?? 0) + verdict.lastCount
  }
  return count === undefined ? '' : `, ${countText(count)} last time`
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
