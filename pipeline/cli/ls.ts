import type { Plan, PlanNode } from '../engine/verdict.ts'
import { globMatcher } from '../engine/walk/glob.ts'
import { askFlags, noteWarnings, openAsk } from './ask.ts'
import { defineCommand } from './command.ts'
import { rememberProject } from './completion/rememberProject.ts'
import { arg, flag } from './flag.ts'
import { familyOf } from './graph/picture.ts'
import { countText, plural, shortId } from './human.ts'
import { paintState } from './renderPlan.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'

export const ls = defineCommand({
  name: 'ls',
  summary: 'List nodes with their state and artifact, or the targets',
  args: { patterns: arg.many('Addresses, task names or globs; every node without one', { completes: 'address' }) },
  flags: {
    ...askFlags,
    targets: flag.boolean('List the targets, not the nodes', { short: 't' }),
    families: flag.boolean('One line for each family of nodes'),
  },
  examples: [
    { line: 'pipe ls', says: 'every node there is' },
    { line: "pipe ls 'ingest*'", says: 'those that match' },
    { line: 'pipe ls --targets', says: 'what "pipe run" takes' },
  ],
  json: '{"pipeline", "nodes": [{"address", "task", "kind", "state", "artifact"}]}, or with --targets {"pipeline", "targets": [name]}',
  async run(context, values) {
    const { world, targets, ask } = await openAsk(context, { ...values, targets: [] }, { readOnly: true })
    const { out } = context
    try {
      if (values.targets) {
        out.print(targets.join('\n'))
        out.printJson({ pipeline: world.pipeline.name, targets })
        return 'ok'
      }
      const { plan, warnings } = await world.engine.plan(targets, ask)
      noteWarnings(context, warnings)
      await rememberProject(
        context,
        world,
        plan.nodes.map((node) => node.address),
      )
      const matches = values.patterns.length === 0 ? () => true : globMatcher(values.patterns)
      const nodes = plan.nodes.filter((node) => matches(node.address, node.task))
      out.print(values.families ? renderFamilies(nodes, out.style) : renderNodes(nodes, out.style))
      out.printJson(lsJson(plan, nodes))
      return 'ok'
    } finally {
      await world.close()
    }
  },
})

export function renderNodes(nodes: readonly PlanNode[], style: Style): string {
  const rows = nodes.map((node) => [
    node.address,
    node.kind,
    paintState(node.verdict.kind, style)(node.verdict.kind),
    node.verdict.kind === 'cached' ? shortId(node.verdict.artifact) : '',
  ])
  const lines = textTable(
    [{ title: 'address' }, { title: 'kind' }, { title: 'state' }, { title: 'artifact' }],
    rows,
    style.dim,
  )
  return [...lines, style.dim(plural(nodes.length, 'node'))].join('\n')
}

export function renderFamilies(nodes: readonly PlanNode[], style: Style): string {
  const families = new Map<string, { count: number; states: Map<string, number> }>()
  for (const node of nodes) {
    const name = familyOf(node.address)
    const family = families.get(name) ?? { count: 0, states: new Map<string, number>() }
    families.set(name, family)
    family.count++
    family.states.set(node.verdict.kind, (family.states.get(node.verdict.kind) ?? 0) + 1)
  }
  const rows = [...families].map(([name, { count, states }]) => [
    name,
    countText(count),
    [...states].map(([state, of]) => `${countText(of)} ${state}`).join(', '),
  ])
  return textTable(
    [{ title: 'family' }, { title: 'nodes', align: 'right' }, { title: 'states' }],
    rows,
    style.dim,
  ).join('\n')
}

function lsJson(plan: Plan, nodes: readonly PlanNode[]): object {
  return {
    pipeline: plan.pipeline,
    nodes: nodes.map(({ address, task, kind, verdict }) => ({
      address,
      task,
      kind,
      state: verdict.kind,
      artifact: verdict.kind === 'cached' ? verdict.artifact : null,
    })),
  }
}
