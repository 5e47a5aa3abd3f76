import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import type { Project } from '../engine/graph.ts'
import { defineCommand, type Status } from './command.ts'
import type { Context } from './context.ts'
import { arg, flag } from './flag.ts'
import { runFolder } from './storedRuns.ts'
import { type Kept, PassFolders, type PassReport, runPass } from './sync/pass.ts'
import { passJson, renderPass } from './sync/renderPass.ts'
import { watch } from './sync/watch.ts'
import type { Signals } from './terminal.ts'

const usualTarget = 'dataset'

export const sync = defineCommand({
  name: 'sync',
  summary: 'Keep data sets complete: fetch what is missing, once or for ever',
  about:
    'A pass is a run as of this moment: what is still open is asked for again, what is closed and here is never asked for twice, and a failure stops nothing that does not depend on it. With --watch pass follows pass: after each it sleeps until there is something new, a little late and by chance, and longer after failures. Ctrl-C or SIGTERM between two passes ends it with 0; within one it stops as a run does: running nodes finish and are kept, sources that wait do not, and it ends with 130. Twice stops at once. Killed at any moment, no download that it called done is lost. Without --watch it ends as "pipe run --keep-going" does. A complete pass takes the place of the run folders of those before it.',
  args: {
    targets: arg.many('Targets to keep complete; every target called "dataset" by default', { completes: 'target' }),
  },
  flags: {
    watch: flag.boolean('Go on for ever', { short: 'W' }),
    every: flag.durationMsOr('With --watch: the least time from pass to pass', 300_000),
    pipeline: flag.text('Only this pipeline of the project', { short: 'p', hint: 'name', completes: 'pipeline' }),
    set: flag.texts('Override the config, such as --set universe.size=10', {
      short: 's',
      hint: 'path=value',
      completes: 'setting',
    }),
    workers: flag.integer('Worker threads for pure tasks; as many as cores by default', {
      short: 'w',
      min: 1,
      max: 256,
    }),
  },
  examples: [
    { line: 'pipe sync', says: 'one pass over every target called "dataset"' },
    { line: 'pipe sync --watch', says: 'for ever, a line for each pass' },
    { line: 'pipe sync --watch --every 1h --json >> sync.jsonl', says: 'for a service manager' },
    { line: 'pipe sync dataset -p usdm', says: 'one target of one pipeline' },
  ],
  json: 'A line for each pass of each pipeline: {"kind": "pass", "pipeline", "run", "startedAt", "wallMs", "status", "counts", "fetched": {task: n}, "absent", "requests", "requestsPerMinute", "bytes", "waitedMs", "troubles": {name: n}, "failures": [{"address", "message"}], "failuresInARow", "nextAt"}.',
  jsonLines: true,
  async run(context, values) {
    if (values.every < 1000 || values.every > 7 * 86_400_000) {
      throw new Fault({ code: 'usage', what: '--every is between 1s and 7d', where: '--every' })
    }
    const { root, kept } = await chooseKept(context, values)
    const folders = new Map(
      kept.map(({ pipeline }) => [pipeline, new PassFolders((run) => removeRunFolder(root, run))]),
    )
    const stop = new AbortController()
    const relay = new Relay(context.signals, () => stop.abort())
    const passContext: Context = { ...context, signals: relay }

    const pass = async (serial: number) => {
      const reports: PassReport[] = []
      for (const one of kept) {
        if (stop.signal.aborted) break
        const report = await runPass(passContext, one, serial === 1)
        folders.get(one.pipeline)!.ended(report)
        reports.push(report)
      }
      const news = reports.flatMap(({ newsAtMs }) => (newsAtMs === undefined ? [] : [newsAtMs]))
      return {
        reports,
        failed: reports.some(({ status }) => status !== 'ok'),
        interrupted: reports.length < kept.length || reports.some(({ status }) => status === 'interrupted'),
        newsAtMs: news.length < reports.length ? undefined : Math.min(...news),
      }
    }
    const report = ({ reports }: Awaited<ReturnType<typeof pass>>, next: Next): void => {
      for (const one of reports) {
        context.out.print(renderPass(one, next, context.out.style))
        context.out.printJsonLine(passJson(one, next))
      }
      // Nobody reads it any more, as after `| head`: whoever started it has gone.
      if (context.out.closed) stop.abort()
    }
    try {
      if (!values.watch) {
        const only = await pass(1)
        report(only, { atMs: undefined, failuresInARow: only.failed ? 1 : 0 })
        return only.interrupted ? 'interrupted' : statusOf(only.reports)
      }
      const ended = await watch({
        everyMs: values.every,
        stop: stop.signal,
        nowMs: context.nowMs,
        random: Math.random,
        sleep: (ms, signal) => pause(ms, undefined, { signal }).catch(() => undefined),
        pass,
        report,
      })
      return ended === 'interrupted' ? 'interrupted' : 'ok'
    } finally {
      relay.close()
    }
  },
})

type Next = Parameters<typeof renderPass>[1]

const removeRunFolder = (root: string, run: string): void =>
  rmSync(runFolder(root, run), { recursive: true, force: true })

/** The gravest of several: a whole failure above a part, anything above nothing. */
function statusOf(reports: readonly PassReport[]): Status {
  const failed = reports.map(({ status }) => status).filter((status) => status !== 'ok')
  if (failed.length === 0) return 'ok'
  const whole = failed.find((status) => status !== 'partial')
  return whole === undefined || reports.length > failed.length ? 'partial' : whole
}

/** Which targets of which pipelines are meant. */
async function chooseKept(
  context: Context,
  values: Pick<Kept, 'set' | 'workers'> & {
    readonly targets: readonly string[]
    readonly pipeline: string | undefined
  },
): Promise<{ readonly root: string; readonly kept: readonly Kept[] }> {
  const { set, workers } = values
  const kept: Kept[] = []
  const known = new Set<string>()
  let root = ''
  let names: readonly (string | undefined)[] = [values.pipeline]
  for (let i = 0; i < names.length; i++) {
    const world = await context.openWorld({ pipeline: names[i], set, readOnly: true })
    try {
      root = world.root
      const { pipelines } = world.project.config as Project
      if (i === 0 && values.pipeline === undefined) names = pipelines.map(({ pipeline }) => pipeline.name)
      const offered = await world.engine.targets()
      for (const name of offered) known.add(name)
      const wanted = values.targets.length === 0 ? [usualTarget] : values.targets
      const targets = wanted.filter((name) => offered.includes(name))
      if (targets.length > 0) kept.push({ pipeline: world.pipeline.name, targets, set, workers })
    } finally {
      await world.close()
    }
  }
  const missing = values.targets.find((name) => !known.has(name))
  if (missing !== undefined || kept.length === 0) {
    const name = missing ?? usualTarget
    const where =
      values.pipeline === undefined ? 'no pipeline of the project' : `the pipeline ${values.pipeline} does not`
    throw new Fault({
      code: 'usage',
      what: `${where} ${values.pipeline === undefined ? 'offers' : 'offer'} a target "${name}"${didYouMean(name, [...known])}`,
      todo: `name what is to be kept complete: ${[...known].join(', ')}`,
    })
  }
  return { root, kept }
}

/** One listener for the whole command: a pass hears of signals while it runs, and the watch between passes. */
class Relay implements Signals {
  readonly #listeners = new Set<Parameters<Signals['onStop']>[0]>()
  readonly close: () => void

  constructor(signals: Signals, onFirst: () => void) {
    this.close = signals.onStop((signal, times) => {
      for (const listener of this.#listeners) listener(signal, times)
      onFirst()
    })
  }

  onStop(listener: Parameters<Signals['onStop']>[0]): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
