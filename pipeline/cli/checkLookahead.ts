import { Fault } from '../../lib/fault.ts'
import { askFlags } from './ask.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { plural } from './human.ts'
import { leaksJson, readChecks, renderLeaks } from './leakReport.ts'
import { makeTargets } from './makeTargets.ts'
import type { World } from './world.ts'

export const checkLookahead = defineCommand({
  name: 'check-lookahead',
  summary: 'Try features and strategies for time travel: does anything known change with another future?',
  about:
    'Runs the targets whose names begin with "check-", or those that are named. Each check drops and redraws everything known after some instants: what was known up to then must stay the same to the last bit. Features are tried with less history than they ask for as well. It cannot prove that nothing looks ahead; what it finds does. Ends with status 3 where a leak was found.',
  args: { targets: arg.many('Targets or addresses of checks; all of them by default', { completes: 'target' }) },
  flags: {
    ...askFlags,
    workers: flag.integer('Worker threads for pure tasks; as many as cores by default', {
      short: 'w',
      min: 1,
      max: 256,
    }),
  },
  examples: [
    { line: 'pipe check-lookahead', says: 'every check of the pipeline' },
    { line: 'pipe check-lookahead --snapshot demo', says: 'on what a snapshot observed, without the network' },
    { line: "pipe check-lookahead --json | jq '.leaks[].feature'", says: 'the names of what looks ahead' },
  ],
  json: '{"checked": [{"address", "features": [name], "cuts"}], "leaks": [{"kind", "feature", "group", "symbol", "column"?, "rowKnownAtMs", "cutMs", "what"?}]}',
  async run(context, values) {
    const { world, finished } = await makeTargets(context, values, async (opened) => ({
      targets: values.targets.length > 0 ? values.targets : await checksOf(opened),
      keepGoing: true,
    }))
    try {
      const { manifest, failures, status } = finished
      if (status !== 'ok' || manifest === undefined) {
        const [first, ...others] = failures
        throw new Fault({
          code: status === 'ok' || status === 'partial' ? 'failed' : status,
          what: `${others.length === 0 ? 'a check' : plural(failures.length, 'check')} did not finish: ${first?.failure.message ?? finished.outcome}`,
          where: first?.address,
          todo: first?.failure.rerun ?? 'run it again: what is finished is kept',
        })
      }
      const checks = readChecks(world.store, manifest)
      if (checks.length === 0) throw noChecks(values.targets)
      const { checked, leaks } = leaksJson(checks)
      context.out.print(renderLeaks(checked, leaks, context.out.style))
      context.out.printJson({ checked, leaks })
      return leaks.length === 0 ? 'ok' : 'failed'
    } finally {
      await world.close()
    }
  },
})

async function checksOf(world: World): Promise<string[]> {
  const targets = (await world.engine.targets()).filter((name) => name.startsWith('check-'))
  if (targets.length === 0) throw noChecks([])
  return targets
}

const noChecks = (named: readonly string[]): Fault =>
  new Fault({
    code: 'usage',
    what: named.length === 0 ? 'nothing in this pipeline checks for time travel' : `${named.join(', ')}: no check`,
    todo: 'name a target whose nodes make leaks, such as checkFeatures; "pipe ls --targets" lists them',
  })
