import { performance } from 'node:perf_hooks'
import { nextNewsTsMs } from '../../../lib/market/plan/nextNews.ts'
import { floorTo, MINUTE_MS } from '../../../lib/time.ts'
import type { RunCounts } from '../../engine/event.ts'
import type { Status } from '../command.ts'
import { rememberProject } from '../completion/rememberProject.ts'
import type { Context } from '../context.ts'
import { followRun } from '../followRun.ts'
import { faultIn } from '../renderFault.ts'
import { shellWord } from '../shellWord.ts'
import { findPlan } from '../storedPlan.ts'
import { newRunId, writeRunSummary } from '../storedRuns.ts'
import { noTraffic, type Traffic, TrafficCount } from './health.ts'

/** What is kept complete: targets of one pipeline, with the config it has by now. */
export interface Kept {
  readonly pipeline: string
  readonly targets: readonly string[]
  readonly set: readonly string[]
  readonly workers: number | undefined
}

export interface PassReport {
  readonly pipeline: string
  readonly run: string | undefined
  readonly startedMs: number
  readonly wallMs: number
  readonly status: Status
  readonly counts: RunCounts | undefined
  readonly traffic: Traffic
  readonly failures: readonly { readonly address: string; readonly message: string }[]
  /** By our clock; absent where no plan came of it. */
  readonly newsAtMs: number | undefined
}

/** What will not mend by itself, and so ends a watch at its first pass. */
const hopeless: readonly Status[] = ['usage', 'noStore', 'refused']

/** One run as of now that goes on after failures. It fails by its report, and throws only at once and for good.
 *  @param isFirst whether somebody still waits in front of the terminal to hear of a mistake of his own */
export async function runPass(context: Context, kept: Kept, isFirst: boolean): Promise<PassReport> {
  const startedMs = context.nowMs()
  const startMs = performance.now()
  const base = { pipeline: kept.pipeline, startedMs, counts: undefined, traffic: noTraffic, newsAtMs: undefined }
  try {
    return await tryPass(context, kept, startedMs, startMs)
  } catch (error) {
    const fault = faultIn(error)
    if (fault === undefined || (isFirst && hopeless.includes(fault.code))) throw error
    const failures = [{ address: fault.where ?? '', message: fault.what }]
    return { ...base, run: undefined, wallMs: performance.now() - startMs, status: fault.code, failures }
  }
}

async function tryPass(context: Context, kept: Kept, startedMs: number, startMs: number): Promise<PassReport> {
  const { pipeline, targets, set, workers } = kept
  const world = await context.openWorld({ pipeline, set, workers, asOf: String(startedMs) })
  const following = followRun(quiet(context), startedMs)
  const traffic = new TrafficCount()
  try {
    const finished = await world.engine.run(targets, {
      asOfMs: world.asOfMs,
      keepGoing: true,
      runId: newRunId(startedMs, Math.random),
      rerunCommand: (address) =>
        ['pipe', 'run', address, '--pipeline', pipeline, ...set.flatMap((one) => ['--set', one])]
          .concat('--as-of', String(world.asOfMs))
          .map(shellWord)
          .join(' '),
      emit: (event) => {
        traffic.see(event)
        following.emit(event)
      },
      stop: following.stop,
      stopNow: following.stopNow,
    })
    const wallMs = performance.now() - startMs
    writeRunSummary(world.root, {
      run: finished.runId,
      pipeline,
      targets,
      asOfMs: world.asOfMs,
      startedMs,
      wallMs: Math.round(wallMs),
      outcome: finished.outcome,
      counts: finished.counts,
      manifestId: finished.manifestId ?? null,
      snapshot: null,
      commandLine: context.commandLine,
    })
    const nodes = finished.manifest?.nodes.filter(({ kind }) => kind === 'pure') ?? []
    if (finished.manifest !== undefined && finished.counts.executed > 0) {
      await rememberProject(
        context,
        world,
        finished.manifest.nodes.map(({ address }) => address),
      )
    }
    const plan = findPlan(world.store, nodes)?.plan
    return {
      pipeline,
      run: finished.runId,
      startedMs,
      wallMs,
      status: finished.status,
      counts: finished.counts,
      traffic: traffic.take(world.store, startedMs),
      failures: finished.failures.map(({ address, failure }) => ({ address, message: failure.message })),
      // The venue's clock may be another than ours: what counts is how long it takes until there.
      newsAtMs: plan === undefined ? undefined : floorTo(startedMs, MINUTE_MS) + (nextNewsTsMs(plan) - plan.nowTsMs),
    }
  } finally {
    following.close()
    await following.finishLog()
    await world.close()
  }
}

/** The answer is a line for each pass. Nodes are shown only where a terminal can take them off again. */
function quiet(context: Context): Context {
  const { out, terminal } = context
  const isShown = terminal !== undefined && !out.json && !out.quiet
  return {
    ...context,
    terminal: isShown ? terminal : undefined,
    out: { ...out, json: false, quiet: !isShown, error: isShown ? out.error : () => {} },
  }
}

/** A watch makes a run every few minutes, for ever. A complete one takes the place of those before it: their folders go,
 *  and what they recorded stays. Of passes that fail the last ones stay, for their logs. */
export class PassFolders {
  readonly #remove: (run: string) => void
  #runs: string[] = []
  #lastComplete: string | undefined

  constructor(remove: (run: string) => void) {
    this.#remove = remove
  }

  ended({ run, status }: Pick<PassReport, 'run' | 'status'>): void {
    if (run === undefined) return
    if (status === 'ok') this.#lastComplete = run
    const others = this.#runs.filter((id) => id !== this.#lastComplete)
    const spare = status === 'ok' ? others : others.slice(0, Math.max(0, others.length + 1 - failedKept))
    for (const id of spare) this.#remove(id)
    this.#runs = [...this.#runs.filter((id) => !spare.includes(id)), run]
  }
}

const failedKept = 20
