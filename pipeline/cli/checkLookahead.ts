import { Fault } from '../../lib/fault.ts'
import { type FoundLeak, leaks as leaksArtifact } from '../../lib/tables/features.ts'
import { askFlags } from './ask.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { instantText, plural } from './human.ts'
import { makeTargets } from './makeTargets.ts'
import { StoredFiles } from './storedFiles.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'
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
    const files = new StoredFiles(world.store)
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
      const asked = new Set(manifest.targets.flatMap(({ addresses }) => addresses))
      const checks = manifest.nodes
        .filter(({ address, artifact }) => asked.has(address) && files.typeOf(artifact) === leaksArtifact.name)
        .map(({ address, artifact }) => ({ address, ...leaksArtifact.schema.parse(files.json(artifact)) }))
      if (checks.length === 0) throw noChecks(values.targets)
      const leaks = checks.flatMap((check) => check.leaks)
      const checked = checks.map(({ address, features, cuts }) => ({ address, features, cuts }))
      context.out.print(renderLeaks(checked, leaks, context.out.style))
      context.out.printJson({ checked, leaks })
      return leaks.length === 0 ? 'ok' : 'failed'
    } finally {
      files.close()
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

interface Checked {
  readonly address: string
  readonly features: readonly string[]
  readonly cuts: number
}

const kindTexts: Readonly<Record<FoundLeak['kind'], string>> = {
  looksAhead: 'looks ahead',
  warmupTooShort: 'warm-up too short',
  remembers: 'remembers from run to run',
  bringsData: 'brings data along',
  columnForetells: 'column foretells returns',
}

/** A line for each leak, and what was tried. */
export function renderLeaks(checked: readonly Checked[], leaks: readonly FoundLeak[], style: Style): string {
  const tried = checked.reduce((sum, { features }) => sum + features.length, 0)
  const cuts = [...new Set(checked.map((check) => check.cuts))].sort((a, b) => a - b)
  const said = `${plural(tried, 'feature and strategy', 'features and strategies')} in ${plural(checked.length, 'check')}, at ${cuts.join(' or ')} instants each`
  if (leaks.length === 0) return `${style.good('ok')}  nothing looks ahead: ${said}`
  const rows = leaks.map(({ feature, group, kind, symbol, column, rowKnownAtMs, cutMs, what }) => [
    style.bold(feature),
    group,
    kindTexts[kind],
    [symbol, column ?? ''].filter((text) => text !== '').join(' '),
    instantText(rowKnownAtMs),
    kind === 'looksAhead' || kind === 'warmupTooShort'
      ? `${kind === 'looksAhead' ? 'after' : 'before'} ${instantText(cutMs)}`
      : '',
    what ?? '',
  ])
  const titles = ['feature', 'group', 'kind', 'symbol', 'what was known', 'changes with what lies', '']
  return [
    ...textTable(
      titles.map((title) => ({ title })),
      rows,
      style.dim,
    ),
    `${style.bad('failed')}  ${plural(leaks.length, 'leak')} among ${said}`,
  ].join('\n')
}
