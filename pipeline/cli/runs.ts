import { defineCommand } from './command.ts'
import { flag } from './flag.ts'
import { ageText, countText, durationText, shortId } from './human.ts'
import { listRunIds, type RunSummary, readRunSummary } from './storedRuns.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'

export const runs = defineCommand({
  name: 'runs',
  summary: 'List earlier runs, newest first',
  args: {},
  flags: {
    limit: flag.integerOr('How many at most', 20, { short: 'n', min: 1 }),
    pipeline: flag.text('Only runs of this pipeline', { short: 'p', hint: 'name', completes: 'pipeline' }),
  },
  examples: [
    { line: 'pipe runs', says: 'the last 20' },
    { line: 'pipe diff last~1 last', says: 'what set the last two apart' },
  ],
  json: '{"runs": [{"run", "pipeline", "targets", "asOfMs", "startedMs", "wallMs", "outcome", "counts", "manifestId", "snapshot", "commandLine"}]}',
  async run(context, values) {
    const { root, close } = await context.openRoot({ readOnly: true })
    try {
      const found: RunSummary[] = []
      for (const id of listRunIds(root)) {
        if (found.length === values.limit) break
        const summary = readRunSummary(root, id)
        if (summary && (values.pipeline === undefined || summary.pipeline === values.pipeline)) found.push(summary)
      }
      context.out.print(renderRuns(found, context.nowMs(), context.out.style))
      context.out.printJson({ runs: found })
      return 'ok'
    } finally {
      await close()
    }
  },
})

export function renderRuns(found: readonly RunSummary[], nowMs: number, style: Style): string {
  if (found.length === 0) return 'no run yet: "pipe run" makes the first'
  const columns = [
    { title: 'run' },
    { title: 'started' },
    { title: 'took', align: 'right' as const },
    { title: 'outcome' },
    { title: 'executed', align: 'right' as const },
    { title: 'cached', align: 'right' as const },
    { title: 'pipeline' },
    { title: 'manifest' },
    { title: 'snapshot' },
  ]
  const rows = found.map((run) => [
    run.run,
    ageText(run.startedMs, nowMs),
    run.outcome === 'unfinished' ? '' : durationText(run.wallMs),
    paintOutcome(run.outcome, style),
    run.counts ? countText(run.counts.executed) : '',
    run.counts ? countText(run.counts.cached) : '',
    `${run.pipeline}: ${run.targets.slice(0, 3).join(', ')}${run.targets.length > 3 ? ', …' : ''}`,
    run.manifestId ? shortId(run.manifestId) : '',
    run.snapshot ?? '',
  ])
  return textTable(columns, rows, style.dim).join('\n')
}

function paintOutcome(outcome: RunSummary['outcome'], style: Style): string {
  if (outcome === 'ok') return style.good(outcome)
  return outcome === 'interrupted' || outcome === 'unfinished' ? style.warn(outcome) : style.bad(outcome)
}
