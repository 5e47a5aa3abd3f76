import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import type { Plan, PlanNode } from '../engine/verdict.ts'
import { askFlags, noteWarnings, openAsk } from './ask.ts'
import { defineCommand } from './command.ts'
import { arg } from './flag.ts'
import { familyOf } from './graph/picture.ts'
import { renderWhy, whyOf } from './renderWhy.ts'

export const why = defineCommand({
  name: 'why',
  summary: 'Say why a node would run or not, down to the changed symbol',
  about:
    'Reasons compare the node with its nearest earlier record. Where an input is the reason, the node behind it is explained too, up to those that changed of their own accord.',
  args: { address: arg.one('The address of a node, or a target of one node', { completes: 'target' }) },
  flags: { ...askFlags },
  examples: [
    { line: 'pipe why backtest', says: 'what of it changed, or what record serves' },
    { line: 'pipe why metrics --set execution.latencyMs=500', says: 'with another config' },
  ],
  json: '{"address", "task", "kind", "verdict": {"kind", …}, "causes": [{"address", "verdict", "depth"}], "others": [address], "record": null or {"key", "artifact", "recordedAtMs"}}',
  async run(context, values) {
    const { world, targets, ask } = await openAsk(context, { ...values, targets: [] }, { readOnly: true })
    try {
      const { plan, walk, warnings } = await world.engine.plan(targets, ask)
      noteWarnings(context, warnings)
      const node = await nodeNamed(plan, values.address, async (name) => (await world.engine.plan([name], ask)).asked)
      const state = [...walk.states.values()].find((candidate) => candidate.node.address === node.address)
      const { records } = world.store
      const key = state?.key
      const stored = key === undefined ? undefined : (records.result(key) ?? records.observations(key).at(-1))
      const others = plan.nodes.filter(({ address, task }) => address !== node.address && task === values.address)
      const report = whyOf(
        plan,
        node,
        stored,
        others.map(({ address }) => address),
      )
      context.out.print(renderWhy(report, context.out.style))
      context.out.printJson(report)
      return 'ok'
    } finally {
      await world.close()
    }
  },
})

/** The node of an address, or the only one a target stands for. */
async function nodeNamed(
  plan: Plan,
  name: string,
  addressesOf: (target: string) => Promise<readonly string[]>,
): Promise<PlanNode> {
  const node = plan.nodes.find((candidate) => candidate.address === name)
  if (node) return node
  if (!plan.targets.includes(name)) {
    const family = plan.nodes.filter((candidate) => candidate.task === name || familyOf(candidate.address) === name)
    if (family.length > 0) throw severalNodes(name, family)
    const addresses = plan.nodes.map((candidate) => candidate.address)
    throw new Fault({
      code: 'usage',
      what: `there is no node "${name}"${didYouMean(name, [...plan.targets, ...addresses])}`,
      todo: 'see "pipe ls"; nodes of a fan-out that is not known yet have no address',
    })
  }
  const addresses = new Set(await addressesOf(name))
  const nodes = plan.nodes.filter((candidate) => addresses.has(candidate.address))
  if (nodes.length === 1) return nodes[0]!
  throw severalNodes(name, nodes)
}

function severalNodes(name: string, nodes: readonly PlanNode[]): Fault {
  const some = nodes.slice(0, 3).map((node) => node.address)
  return new Fault({
    code: 'usage',
    what: `"${name}" stands for ${nodes.length === 1 ? 'another address' : `${nodes.length} nodes`}`,
    todo: `name one: ${some.join(', ')}${nodes.length > some.length ? ', …' : ''}`,
  })
}
