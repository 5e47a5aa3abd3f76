import { askFlags, noteWarnings, openAsk } from './ask.ts'
import { defineCommand } from './command.ts'
import { rememberProject } from './completion/rememberProject.ts'
import { arg, flag } from './flag.ts'
import { hasWork, planJson, renderPlan } from './renderPlan.ts'

export const plan = defineCommand({
  name: 'plan',
  summary: 'Say what a run would do and why; execute nothing, open no socket',
  about:
    'Each node is cached, will run because of something, may run (an input runs and may come out the same), or is unknown until an artifact is there that tells how the graph grows. A run decides by the very same function.',
  args: { targets: arg.many('Targets or addresses to plan', { completes: 'target' }) },
  flags: {
    ...askFlags,
    all: flag.boolean('List every node, cached ones too', { short: 'a' }),
    detailedExitcode: flag.boolean('End with status 5 when a run would execute something'),
  },
  examples: [
    { line: 'pipe plan', says: 'what "pipe run" would do' },
    {
      line: 'pipe plan report --set execution.fees.0.tiers.regular.takerBps=4',
      says: 'what another config would cost: here one fee, in the first element of its list',
    },
    { line: 'pipe plan --detailed-exitcode -q', says: 'for scripts: status 0 nothing to do, 5 work' },
  ],
  json: '{"pipeline", "targets", "asOfMs", "snapshot"?, "hasWork", "counts": {"cached", "will run", "may run", "unknown", "blocked"}, "estimate"?: {"p50Ms", "p90Ms", "bytes", "requests", "nodesWithoutHistory"}, "nodes": [{"address", "task", "kind", "verdict": {"kind", …}, "inputs", "estimate"?}]}',
  async run(context, values) {
    const { world, targets, ask } = await openAsk(context, values, { readOnly: true })
    try {
      const { plan: made, warnings } = await world.engine.plan(targets, ask)
      noteWarnings(context, warnings)
      await rememberProject(
        context,
        world,
        made.nodes.map((node) => node.address),
      )
      const { out } = context
      if (!out.quiet) out.print(renderPlan(made, { all: values.all, mostNodes: 20 }, out.style))
      out.printJson(planJson(made))
      return values.detailedExitcode && hasWork(made) ? 'hasWork' : 'ok'
    } finally {
      await world.close()
    }
  },
})
