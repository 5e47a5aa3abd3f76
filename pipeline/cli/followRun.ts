import { setMaxListeners } from 'node:events'
import { performance } from 'node:perf_hooks'
import type { RunEvent } from '../engine/event.ts'
import type { Context } from './context.ts'
import { jsonView } from './views/jsonView.ts'
import { linesView } from './views/linesView.ts'
import { liveView } from './views/liveView.ts'
import { runLog } from './views/runLog.ts'
import type { RunView } from './views/runView.ts'
import { visibleEvent } from './visible.ts'

/** A run as its command follows it: events to views and log, signals to the two ways of stopping. */
export interface Following {
  emit(event: RunEvent): void
  /** Aborted by the first interrupt: what runs may finish. */
  readonly stop: AbortSignal
  /** Aborted by the second. */
  readonly stopNow: AbortSignal
  /** Milliseconds since the run began, as events count them. */
  elapsedMs(): number
  /** Takes the views off the screen and lets go of signals; the log stays open until it is complete. */
  close(): void
  /** What was executed so far, for the provenance. */
  executions(): readonly Execution[]
  /** Resolves when the log is on disk. */
  finishLog(): Promise<void>
}

interface Execution {
  readonly address: string
  readonly startedAfterMs: number
  readonly wallMs: number
  readonly bytesOut: number
  readonly retries: readonly string[]
  readonly waitedOn: readonly string[]
}

/** @param options.isAnswer whether events go to standard output with --json: not where the command answers something else */
export function followRun(
  context: Context,
  startedMs: number,
  options: { readonly isAnswer: boolean } = { isAnswer: true },
): Following {
  const startMs = performance.now()
  const elapsedMs = (): number => performance.now() - startMs
  const log = runLog({
    startedMs,
    onTrouble: (message) => view.see({ kind: 'warning', elapsedMs: elapsedMs(), message }),
  })
  const view = context.out.json && !options.isAnswer ? noView : viewFor(context, elapsedMs)
  const executed = new Executions()
  const emit = (event: RunEvent): void => {
    executed.see(event)
    log.see(event)
    view.see(event)
  }

  const stop = new AbortController()
  const stopNow = new AbortController()
  // Every source that runs listens to both: Node would take more than ten for a leak, and say so.
  setMaxListeners(0, stop.signal, stopNow.signal)
  const stopListening = context.signals.onStop((_signal, times) => {
    if (times === 1) {
      emit({ kind: 'stopping', elapsedMs: elapsedMs(), how: 'after running nodes' })
      stop.abort()
    } else if (times === 2) {
      emit({ kind: 'stopping', elapsedMs: elapsedMs(), how: 'now' })
      stop.abort()
      stopNow.abort()
    }
  })

  return {
    emit,
    stop: stop.signal,
    stopNow: stopNow.signal,
    elapsedMs,
    close() {
      stopListening()
      view.close()
    },
    executions: () => executed.done,
    async finishLog() {
      await log.ready()
      log.close()
    },
  }
}

/** Which attempts and waits each executed node took. */
class Executions {
  readonly done: Execution[] = []
  private readonly open = new Map<string, { startedMs: number; retries: string[]; waitedOn: string[] }>()

  see(event: RunEvent): void {
    if (event.kind === 'node waiting') this.of(event.address).waitedOn.push(event.on)
    else if (event.kind === 'node started') this.of(event.address).startedMs = event.elapsedMs
    else if (event.kind === 'node retried') this.of(event.address).retries.push(event.error)
    else if (event.kind === 'node done') {
      const { startedMs, retries, waitedOn } = this.of(event.address)
      this.open.delete(event.address)
      const { address, wallMs, bytesOut } = event
      this.done.push({
        address,
        startedAfterMs: Math.round(startedMs),
        wallMs: Math.round(wallMs),
        bytesOut,
        retries,
        waitedOn,
      })
    }
  }

  private of(address: string) {
    let execution = this.open.get(address)
    if (execution === undefined) this.open.set(address, (execution = { startedMs: 0, retries: [], waitedOn: [] }))
    return execution
  }
}

function viewFor(context: Context, elapsedMs: () => number): RunView {
  if (context.out.json) return jsonView(context.out)
  const view = viewForPeople(context, elapsedMs)
  return { see: (event) => view.see(visibleEvent(event)), close: () => view.close() }
}

function viewForPeople({ out, terminal }: Context, elapsedMs: () => number): RunView {
  if (out.quiet) return quietView(linesView((line) => out.error(line), out.errStyle))
  if (!terminal) return linesView((line) => out.note(line), out.errStyle)
  return liveView(terminal, out.errStyle, {
    elapsedMs,
    every(intervalMs, tick) {
      const timer = setInterval(tick, intervalMs)
      return () => clearInterval(timer)
    },
  })
}

const noView: RunView = { see() {}, close() {} }

/** Only what went wrong. */
function quietView(view: RunView): RunView {
  const isTrouble = (event: RunEvent): boolean =>
    event.kind === 'node failed' ||
    event.kind === 'node disputed' ||
    event.kind === 'warning' ||
    event.kind === 'node healed'
  return {
    see: (event) => {
      if (isTrouble(event)) view.see(event)
    },
    close: () => view.close(),
  }
}
