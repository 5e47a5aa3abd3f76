import { performance } from 'node:perf_hooks'
import type { FinishedRun } from '../engine/engine.ts'
import { type Asked, type AskValues, openAsk } from './ask.ts'
import type { Context } from './context.ts'
import { followRun } from './followRun.ts'
import { rerunCommand } from './rerunCommand.ts'
import { newRunId, writeRunSummary } from './storedRuns.ts'
import type { World } from './world.ts'

/** A run on the way to a command's answer. It is shown and kept like any other, and what it made is not printed. */
export async function makeTargets(
  context: Context,
  values: AskValues & { readonly workers: number | undefined },
  choose: (world: World) => Promise<{ readonly targets: readonly string[]; readonly keepGoing: boolean }>,
): Promise<Pick<Asked, 'world' | 'frozen'> & { readonly finished: FinishedRun }> {
  const { world, ask, frozen } = await openAsk(context, values, { workers: values.workers })
  const startMs = performance.now()
  const startedMs = context.nowMs()
  try {
    const { targets, keepGoing } = await choose(world)
    const following = followRun(context, startedMs, { isAnswer: false })
    try {
      const finished = await world.engine.run(targets, {
        ...ask,
        keepGoing,
        runId: newRunId(startedMs, Math.random),
        rerunCommand: (address) =>
          rerunCommand([address], { ...values, snapshot: frozen?.name, root: context.globals.root }),
        emit: following.emit,
        stop: following.stop,
        stopNow: following.stopNow,
      })
      writeRunSummary(world.root, {
        run: finished.runId,
        pipeline: world.pipeline.name,
        targets,
        asOfMs: ask.asOfMs,
        startedMs,
        wallMs: Math.round(performance.now() - startMs),
        outcome: finished.outcome,
        counts: finished.counts,
        manifestId: finished.manifestId ?? null,
        snapshot: null,
        commandLine: context.commandLine,
      })
      return { world, frozen, finished }
    } finally {
      following.close()
      await following.finishLog()
    }
  } catch (error) {
    await world.close()
    throw error
  }
}
