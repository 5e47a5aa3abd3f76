import { performance } from 'node:perf_hooks'
import pRetry from 'p-retry'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { openStagedWriter, stageBytes } from '../../../cas/staging.ts'
import { Fault } from '../../../lib/fault.ts'
import { absentType } from '../../../snapshots/manifest.ts'
import type { Absent, SourceTask, SourceWait } from '../task.ts'
import { type MadeFile, stageOutput } from './materials.ts'
import type { SecretValues } from './secretValues.ts'

export interface SourceJob {
  readonly task: SourceTask
  readonly address: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly params: unknown
  readonly asOfMs: number
  readonly stagingDir: string
  /** The run is to end: whoever waits ends with it, and whoever is just receiving soon after. */
  readonly stop: AbortSignal
  /** It is to end now. */
  readonly stopNow: AbortSignal
  readonly stopGraceMs?: number
  /** What it tells is kept without these. */
  readonly secrets: SecretValues
  onRetry(attempt: number, error: Error): void
  /** Of all attempts so far. */
  onProgress(bytes: number, requests: number): void
  onWait(wait: SourceWait): void
  onLog(line: string): void
}

export interface SourceResult {
  readonly type: string
  readonly files: readonly MadeFile[]
  readonly absent?: Absent
  readonly attempts: number
  readonly requests: number
  readonly notes: readonly Readonly<Record<string, unknown>>[]
}

const attemptsDefault = 5
/** How long bytes may go on coming once the run is to stop: most files are here by then. */
const stopGraceMsDefault = 5_000
/** Who has received nothing for so long waits, and has nothing to lose. */
const quietMs = 500

/** Runs a source on the event loop: tried again with growing, jittered waits until it works, its attempts are used up,
 *  or it says that trying again cannot help. */
export async function runSource(job: SourceJob): Promise<SourceResult> {
  const { task, secrets } = job
  const stopping = stoppingOf(job)
  const attemptsMax = task.limits?.attempts ?? attemptsDefault
  const notes: Readonly<Record<string, unknown>>[] = []
  let bytes = 0
  let requests = 0
  let attempts = 0

  const { returned, streamed } = await withAttempts(
    () => attempts,
    stopping,
    pRetry(
      async (attempt) => {
        attempts = attempt
        const files: MadeFile[] = []
        const open = new Set<{ abort(): void }>()
        try {
          const returned = await withTimeout(task, stopping.signal, (attemptSignal) =>
            task.run(job.inputs, job.params, {
              signal: attemptSignal,
              get asOfMs() {
                if (task.usesAsOf !== true)
                  throw new Error(
                    `the source ${task.name} reads asOfMs and does not declare usesAsOf: it would not be in its key`,
                  )
                return job.asOfMs
              },
              attempt,
              log: (line) => job.onLog(secrets.hideInText(String(line))),
              note: (fact) => notes.push(secrets.hideInFact(fact)),
              progress: (done) => {
                const more = countIn(done.bytes)
                bytes += more
                requests += countIn(done.requests)
                if (more > 0) stopping.received()
                job.onProgress(bytes, requests)
              },
              waiting: (wait) => job.onWait(toldWait(wait, secrets)),
              openFile: (name) => {
                const writer = openStagedWriter(job.stagingDir)
                open.add(writer)
                return {
                  write: (chunk) => writer.write(chunk),
                  finish: () => {
                    open.delete(writer)
                    files.push({ name, staged: writer.finish() })
                  },
                }
              },
            }),
          )
          return { returned, streamed: files }
        } finally {
          // An attempt that failed half-way leaves no file behind.
          for (const writer of open) writer.abort()
        }
      },
      {
        retries: attemptsMax - 1,
        minTimeout: 500,
        maxTimeout: 60_000,
        randomize: true,
        signal: stopping.signal,
        shouldRetry: ({ error }) => !isPermanent(error),
        onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
          if (retriesLeft > 0 && !isPermanent(error)) job.onRetry(attemptNumber, secrets.hideInError(error) as Error)
        },
      },
    ),
  )

  if (isAbsent(returned)) {
    const staged = stageBytes(job.stagingDir, canonicalJson({ reason: secrets.hideInText(String(returned.reason)) }))
    return { type: absentType, files: [{ name: 'absent.json', staged }], absent: returned, attempts, requests, notes }
  }
  const made = await stageOutput(job.stagingDir, task.output, returned, job.address)
  return { type: task.output.name, files: [...streamed, ...made], attempts, requests, notes }
}

/** A source in plain JavaScript may hand in anything, and whatever it is would be told. */
const countIn = (value: unknown): number => (typeof value === 'number' && value > 0 && value < Infinity ? value : 0)

const toldWait = ({ on, after, waitMs, attempt, attemptsMax }: SourceWait, secrets: SecretValues): SourceWait => ({
  on: secrets.hideInText(String(on)),
  after: secrets.hideInText(String(after)),
  waitMs: countIn(waitMs),
  ...(attempt === undefined ? {} : { attempt: countIn(attempt) }),
  ...(attemptsMax === undefined ? {} : { attemptsMax: countIn(attemptsMax) }),
})

/** Told to stop before it had anything. Nothing is lost: the node was not done, and the next run does it. */
export class SourceStopped extends Error {
  override readonly name = 'SourceStopped'
}

interface Stopping {
  readonly signal: AbortSignal
  /** Bytes have just come. */
  received(): void
  /** Lets go of the run's signals. */
  over(): void
}

/** When a source is told to stop. The first request of the run is enough for one that waits, pauses or asks in vain; one
 *  whose bytes are coming may finish, for some seconds. */
function stoppingOf({ stop, stopNow, stopGraceMs = stopGraceMsDefault }: SourceJob): Stopping {
  const told = new AbortController()
  // Who has only just begun may be done in a moment.
  let receivedMs = performance.now()
  let timer: NodeJS.Timeout | undefined
  const end = () => told.abort(new SourceStopped('the run is to stop'))
  const onStop = () => {
    const endMs = performance.now() + stopGraceMs
    const look = () => {
      const nowMs = performance.now()
      if (nowMs >= endMs || nowMs - receivedMs >= quietMs) end()
      else timer = setTimeout(look, Math.min(quietMs, endMs - nowMs))
    }
    look()
  }
  if (stopNow.aborted) end()
  else if (stop.aborted) onStop()
  stop.addEventListener('abort', onStop)
  stopNow.addEventListener('abort', end)
  return {
    signal: told.signal,
    received: () => {
      receivedMs = performance.now()
    },
    over: () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', onStop)
      stopNow.removeEventListener('abort', end)
    },
  }
}

/** A failure that says how often it was tried. */
export class SourceFailure extends Error {
  override readonly name = 'SourceFailure'
  readonly attempts: number

  constructor(cause: unknown, attempts: number) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.attempts = attempts
    if (cause instanceof Error && cause.stack !== undefined) this.stack = cause.stack
  }
}

async function withAttempts<T>(attempts: () => number, stopping: Stopping, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    // Whatever a source says once it was told to stop: that is why.
    if (stopping.signal.aborted) throw stopping.signal.reason
    throw error instanceof Fault ? error : new SourceFailure(error, attempts())
  } finally {
    stopping.over()
  }
}

/** Tasks come from another bundle, so an error tells what it is by its own words and not by its class. */
const isPermanent = (error: unknown): boolean => (error as { permanent?: unknown } | null)?.permanent === true

const isAbsent = (value: unknown): value is Absent =>
  (value as { absent?: unknown } | null | undefined)?.absent === true

async function withTimeout<T>(
  task: SourceTask,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeoutMs = task.limits?.timeoutMs
  if (timeoutMs === undefined) return run(signal)
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  const gaveUp = new Promise<never>((_, reject) =>
    limit.signal.addEventListener('abort', () => reject(limit.signal.reason)),
  )
  try {
    return await Promise.race([run(AbortSignal.any([signal, limit.signal])), gaveUp])
  } finally {
    clearTimeout(timer)
  }
}
