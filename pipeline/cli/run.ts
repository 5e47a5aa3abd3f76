import { performance } from 'node:perf_hooks'
import { askFlags, openAsk } from './ask.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { followRun } from './followRun.ts'
import { inspecting } from './inspect.ts'
import { rerunCommand } from './rerunCommand.ts'
import { recallRun } from './runMemo.ts'
import { newRunId } from './storedRuns.ts'

export const run = defineCommand({
  name: 'run',
  summary: 'Make targets: skip what is recorded, execute the rest',
  about:
    'Without a target every target of the pipeline is made. With --snapshot and a name that exists, the run is frozen: only what the snapshot observed counts and the network is closed. With a new name, the finished run is pinned under it. A target that checks for time travel and finds some fails the run: status 3, as with check-lookahead. Ctrl-C or SIGTERM once lets running nodes finish, but no source that waits or pauses, and downloads for five seconds only; twice stops at once; what is finished is kept either way.',
  args: { targets: arg.many('Targets or addresses to make', { completes: 'target' }) },
  flags: {
    ...askFlags,
    keepGoing: flag.boolean('After a failure go on with what does not depend on it', { short: 'k' }),
    workers: flag.integer('Worker threads for pure tasks; as many as cores by default', {
      short: 'w',
      min: 1,
      max: 256,
    }),
    inspect: flag.boolean(
      'Stop the first node asked for in a debugger, at the top of its own source; it runs before all others, recorded or not',
    ),
    inspectPort: flag.integer('Where the debugger finds it, on 127.0.0.1: 9229 by default, 0 for any free port', {
      min: 0,
      max: 65_535,
    }),
  },
  examples: [
    { line: 'pipe run', says: 'make everything' },
    { line: 'pipe run report --snapshot demo', says: 'make report, pinned or frozen as "demo"' },
    { line: 'pipe run --refresh fetchExchangeInfo', says: 'ask that source again; a glob names several' },
    { line: 'pipe run --snapshot demo2 --from demo', says: 'a new snapshot on top of an old one' },
    { line: 'pipe run backtest --inspect', says: 'stop in a debugger, in the strategy' },
    { line: 'pipe run --set execution.latencyMs=500 --keep-going', says: 'another config; go on after failures' },
  ],
  json: 'One event a line as it happens: {"kind", "elapsedMs", …}, the kinds being those of pipeline/engine/event.ts. After "run finished" comes one last line {"kind": "verdict", "outcome", "status", "run", "runFolder", "counts", "wallMs", "manifestId", "snapshot", "note", "survivorship", "targets", "failures", "pages", "numbers", "sweep", "walkForward"}; the last three are the tables of a backtest, a sweep and a walk-forward as they are shown, a heading and then rows of text. Where a target that checks for time travel found some, {"kind": "leaks", "checked", "leaks"} comes before the verdict, as "check-lookahead" has them.',
  jsonLines: true,
  async run(context, values) {
    const startMs = performance.now()
    // Whoever wants to look at a node is told where there is nothing to see.
    const recalled = values.inspect ? undefined : recallRun(context, values)
    if (recalled !== undefined) {
      const { printVerdict } = await import('./printVerdict.ts')
      return printVerdict(context.out, { ...recalled, wallMs: performance.now() - startMs }, 'ok')
    }
    const inspect = values.inspect ? inspecting(context, values.inspectPort ?? 9229) : undefined
    const asked = await openAsk(context, values, {
      workers: inspect === undefined ? values.workers : 1,
      inspect: inspect?.open,
    })
    const { world, targets, ask, frozen } = asked
    let first: string | undefined
    try {
      first = await inspect?.choose(asked)
    } catch (error) {
      await world.close()
      throw error
    }
    const startedMs = context.nowMs()
    // A live view would draw over the address that somebody has to copy.
    const following = followRun(inspect === undefined ? context : { ...context, terminal: undefined }, startedMs)
    try {
      const finished = await world.engine.run(targets, {
        ...ask,
        keepGoing: values.keepGoing,
        isToBePinned: values.snapshot !== undefined && frozen === undefined,
        ...(first === undefined ? {} : { first }),
        runId: newRunId(startedMs, Math.random),
        rerunCommand: (address) =>
          rerunCommand([address], { ...values, snapshot: frozen?.name, root: context.globals.root }),
        emit: following.emit,
        stop: following.stop,
        stopNow: following.stopNow,
      })
      const { endRun } = await import('./endRun.ts')
      const { snapshot } = values
      return await endRun({
        context,
        values,
        world,
        finished,
        frozen,
        snapshot,
        following,
        startedMs,
        startMs,
        targets,
      })
    } finally {
      following.close()
      await following.finishLog()
      await world.close()
    }
  },
})
