import { Fault } from '../../lib/fault.ts'
import { defineCommand } from './command.ts'
import { flag } from './flag.ts'
import { plural, shortId, sizeText } from './human.ts'
import type { GcPlan, GcResult } from './keeping.ts'
import { type OldRuns, oldRuns, removeRuns } from './oldRuns.ts'
import type { Style } from './style.ts'

export const keepFlags = {
  keepRuns: flag.integerOr('Keep whatever the last N runs reach', 20, { min: 0 }),
  olderThan: flag.durationMsOr('Take only what was not written or used for so long', 24 * 3_600_000),
  maxSize: flag.sizeBytes(
    'Evict what can be made again until the store is no larger: first what saves least time per byte',
  ),
  sources: flag.boolean('Take source bytes too that nothing keeps; they cannot be made again'),
} as const

export const gc = defineCommand({
  name: 'gc',
  summary: 'Delete what no snapshot, lease or recent run can reach',
  about:
    'Objects go to the trash first and are deleted for good by a later gc, when they have lain there for the time of --older-than; until then "pipe gc --undo" brings them back. The folders of runs beyond --keep-runs go at once. Snapshots are always kept whole, but for what can be made again when --max-size asks for it.',
  args: {},
  flags: {
    ...keepFlags,
    dryRun: flag.boolean('Show what would go and delete nothing', { short: 'n' }),
    undo: flag.boolean('Bring back what the last gc moved to the trash'),
    all: flag.boolean('Go on even if nothing at all would be kept'),
  },
  examples: [
    { line: 'pipe gc --dry-run', says: 'what would go' },
    { line: 'pipe gc --keep-runs 3 --older-than 7d', says: 'keep less' },
    { line: 'pipe gc --max-size 50GiB', says: 'make the store fit' },
    { line: 'pipe gc --undo', says: 'take the last one back' },
  ],
  json: '{"dryRun", "collect": [{"digest", "sizeBytes"}], "collectedBytes", "evicted", "evictedForSize", "emptiedBytes", "putBack", "keptObjects", "keptBytes", "youngBytes", "overBudgetBytes", "missingRoots": [{"label", "digest"}], "runs": {"ids", "sizeBytes"}, "result": null or {"collectedObjects", "collectedBytes", "emptiedBytes", "restoredObjects", "sparedObjects", "sweptStagingFolders"}}; with --undo {"restoredObjects", "restoredBytes"}',
  async run(context, values) {
    if (values.undo && values.dryRun) {
      throw new Fault({
        code: 'usage',
        what: '--dry-run and --undo do not go together: nothing would be brought back',
        where: 'pipe gc',
        todo: 'say one of them',
      })
    }
    const { store, close } = await context.openRoot({ readOnly: values.dryRun })
    const { out } = context
    try {
      const { planCollection, collect, undoCollection } = await import('./keeping.ts')
      if (values.undo) {
        const undone = await undoCollection(store)
        out.print(`brought back ${plural(undone.restoredObjects, 'object')}, ${sizeText(undone.restoredBytes)}`)
        out.printJson(undone)
        return 'ok'
      }
      const plan = planCollection(store, {
        keepRuns: values.keepRuns,
        graceMs: values.olderThan,
        sources: values.sources,
        maxSizeBytes: values.maxSize,
        allowEmptyKeepSet: values.all,
        nowMs: context.nowMs(),
      })
      const rules = { keepRuns: values.keepRuns, graceMs: values.olderThan, nowMs: context.nowMs() }
      const runs = oldRuns(store.root, rules)
      const result = values.dryRun ? undefined : await collect(store, plan)
      if (!values.dryRun) removeRuns(store.root, runs)
      out.print(renderGc(plan, result, runs, out.style))
      out.printJson(gcJson(plan, result, runs))
      if (plan.overBudgetBytes > 0 && values.maxSize !== undefined) {
        throw new Fault({
          code: 'refused',
          what: `the store stays ${sizeText(plan.overBudgetBytes)} above --max-size: the rest cannot be made again, is a target, or is too young`,
          todo: 'keep fewer runs with --keep-runs, remove snapshots with "pipe snapshot rm", or take younger objects with --older-than',
        })
      }
      return 'ok'
    } finally {
      await close()
    }
  },
})

export function renderGc(plan: GcPlan, result: GcResult | undefined, runs: OldRuns, style: Style): string {
  const lines: string[] = []
  const tense = result === undefined ? 'would move' : 'moved'
  const moved = result === undefined ? plan.collect.length : result.collectedObjects
  const movedBytes = result === undefined ? plan.collectedBytes : result.collectedBytes
  if (moved === 0) lines.push(`nothing to collect`)
  else lines.push(`${tense} ${plural(moved, 'object')}, ${style.bold(sizeText(movedBytes))}, to the trash`)
  if (plan.evictedForSize.length > 0) {
    lines.push(`  of ${plural(plan.evictedForSize.length, 'artifact')} that can be made again, to fit the size`)
  }
  if (runs.ids.length > 0) {
    const did = result === undefined ? 'would delete' : 'deleted'
    lines.push(`${did} the folders of ${plural(runs.ids.length, 'old run')}, ${sizeText(runs.sizeBytes)}`)
  }
  const emptiedBytes = result?.emptiedBytes ?? plan.emptiedBytes
  if (emptiedBytes > 0)
    lines.push(`${result === undefined ? 'would delete' : 'deleted'} ${sizeText(emptiedBytes)} of old trash for good`)
  const putBack = result?.restoredObjects ?? plan.putBack.length
  if (putBack > 0)
    lines.push(
      `${result === undefined ? 'would take' : 'took'} ${plural(putBack, 'object')} back from the trash: something needs them again`,
    )
  if (result && result.sparedObjects > 0)
    lines.push(`spared ${plural(result.sparedObjects, 'object')} that somebody used meanwhile`)
  const young = plan.youngBytes > 0 ? `, of these ${sizeText(plan.youngBytes)} only for being young` : ''
  lines.push(`kept ${plural(plan.keptObjects, 'object')}, ${sizeText(plan.keptBytes)}${young}`)
  for (const root of plan.missingRoots.slice(0, 5)) {
    lines.push(`${style.warn('missing')}  ${shortId(root.digest)} of ${root.label}: run "pipe verify"`)
  }
  if (result === undefined) lines.push(style.dim('nothing was changed: this was a dry run'))
  else if (moved > 0) lines.push(style.dim('"pipe gc --undo" brings it back until the trash is emptied'))
  return lines.join('\n')
}

function gcJson(plan: GcPlan, result: GcResult | undefined, runs: OldRuns): object {
  const { options: _options, ...rest } = plan
  return { dryRun: result === undefined, ...rest, runs, result: result ?? null }
}
