import { createHash } from 'node:crypto'
import { setImmediate as afterMicrotasks } from 'node:timers'
import { canonicalJson, parseCanonicalJson } from '../../../cas/canonicalJson.ts'
import { isDigest } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'
import { type Guard, installGuard } from '../guard/guard.ts'
import { framesOf, type Violation } from '../guard/trip.ts'
import { memoryMbOf } from '../run/admission.ts'
import type { PureContext } from '../task.ts'
import { issuesText } from '../walk/params.ts'
import type { TaskExports } from './driver.ts'
import { InputReader } from './inputs.ts'
import type { Inspection } from './inspection.ts'
import type { Job, JobResult } from './job.ts'
import { startJobClock } from './jobClock.ts'
import { JobLog } from './jobLog.ts'
import { KeptInputs } from './keptInputs.ts'
import { CodeCache } from './loadedCode.ts'
import { writeOutput } from './outputs.ts'
import type { JobFailure, JobOutcome, PackageDirs, Phase } from './protocol.ts'

export interface JobRunner {
  /** Never rejects: what went wrong is in the outcome. One job at a time. */
  run(job: Job, packageDirs: PackageDirs, inspection?: Inspection): Promise<JobOutcome>
}

/** What of a thread's memory may go to inputs that are kept for the nodes to come. */
const keptShare = 0.25

/** Makes this thread, or this child process, one that runs pure tasks and nothing else.
 *  @param memoryMb its share of what all pure tasks may use together
 *  @param reached told how far in market time the job has come */
export function createJobRunner(stagingDir: string, memoryMb: number, reached: (tsMs: number) => void): JobRunner {
  // Taken now: the guard replaces what the names stand for.
  const drained = () => new Promise<void>((resolve) => void wait(resolve))
  const wait = afterMicrotasks
  const guard = installGuard(isOwnFrame)
  const codes = new CodeCache(guard.requireBuiltin)
  const kept = new KeptInputs(memoryMb * keptShare * 2 ** 20)

  // A promise that a task left behind and that fails, or an error in a microtask of its, belongs to the job at hand.
  let stray: { readonly error: unknown } | undefined
  const catchStray = (error: unknown) => {
    stray ??= { error }
  }
  realProcess.on('unhandledRejection', catchStray)
  realProcess.on('uncaughtException', catchStray)

  return {
    async run(job, packageDirs, inspection) {
      const clock = startJobClock()
      const log = new JobLog()
      const step: Step = { phase: 'code', subject: undefined }
      let files: JobResult['files'] = []
      let type = ''
      let problem: { readonly error: unknown } | undefined
      stray = undefined
      kept.begin((memoryMb - memoryMbOf(job)) * 2 ** 20)
      try {
        const code = await codes.load(job.code, packageDirs, inspection)
        const ports = new Map<string, () => Record<string, unknown>>()
        for (const [name, ref] of Object.entries(job.ports)) {
          const linked = await codes.load(ref, packageDirs, inspection)
          ports.set(name, () => linked.instantiate())
        }
        guard.begin((message) => log.write(message), ports.size > 0)
        const exports = code.instantiate() as unknown as TaskExports
        type = exports.task.output.name
        files = await runTask(exports, ports, { job, guard, kept, log, reached, stagingDir }, step)
      } catch (error) {
        problem = { error }
      }
      // Whatever the task left in the queue of microtasks runs now, wires armed, and counts as the task's.
      await drained()
      const { violation, sound } = guard.end()
      kept.end()
      if (problem === undefined && stray !== undefined) {
        problem = stray
        Object.assign(step, { phase: 'run', subject: undefined })
      }
      if (violation === undefined && problem === undefined) {
        return { kind: 'done', sound, result: { type, files, log: log.lines(), ...clock.read() } }
      }
      return { kind: 'failed', sound, failure: describeFailure(step, problem?.error, violation), log: log.lines() }
    },
  }
}

const realProcess = process

interface Step {
  phase: Phase
  subject: string | undefined
}

interface Surroundings {
  readonly job: Job
  readonly guard: Guard
  readonly kept: KeptInputs
  readonly log: JobLog
  readonly reached: (tsMs: number) => void
  readonly stagingDir: string
}

async function runTask(
  exports: TaskExports,
  ports: ReadonlyMap<string, () => Record<string, unknown>>,
  { job, guard, kept, log, reached, stagingDir }: Surroundings,
  step: Step,
): Promise<JobResult['files']> {
  const { task } = exports
  const values: Record<string, unknown> = {}
  for (const [name, instantiate] of ports) {
    step.subject = name
    values[name] = instantiate()['value']
  }
  Object.assign(step, { phase: 'params', subject: undefined })
  const params: unknown = task.params.parse(parseCanonicalJson(job.paramsJson))

  const reader = new InputReader(exports, guard, kept, job.code.digest)
  try {
    const { prepare, inputs: ports } = task
    const reading = (name: string) => Object.assign(step, { phase: 'input', subject: name })
    const making = () => Object.assign(step, { phase: 'run', subject: undefined })
    const code = { ...values }
    for (const [name, port] of Object.entries(ports)) {
      if (prepare?.inputs.includes(name) === true) continue
      reading(name)
      values[name] = reader.read(port, job.inputs[name] ?? { kind: 'absent' })
    }
    if (prepare !== undefined) {
      values['prepared'] = reader.prepare(prepare, { ports, inputs: job.inputs, params, code, reading, making })
    }
    making()
    const context: PureContext = Object.freeze({
      seed: (stream: string) => seedOf(task.name, params, stream),
      log: (message: string) => log.write(String(message)),
      reached,
    })
    const output: unknown = await task.run(values as never, params as never, context)
    Object.assign(step, { phase: 'output' })
    const files = writeOutput(exports, output, guard, stagingDir)
    if (reader.damage !== undefined) throw reader.damage
    return files
  } catch (error) {
    if (reader.damage === undefined) throw error
    // Also where the task made something else of the error, or a value in spite of it.
    if (step.phase !== 'input') Object.assign(step, { phase: 'input', subject: undefined })
    throw reader.damage
  } finally {
    reader.close()
  }
}

/** 64 bits that are the same for every key and version of a task, so that a refactor never reseeds. */
function seedOf(taskName: string, params: unknown, stream: string): string {
  const seed = (params as { readonly seed?: unknown } | null | undefined)?.seed ?? 0
  return createHash('sha256')
    .update(canonicalJson([taskName, seed, stream]))
    .digest('hex')
    .slice(0, 16)
}

function describeFailure(step: Step, error: unknown, violation: Violation | undefined): JobFailure {
  if (violation !== undefined) {
    const { did, call, advice, stack } = violation
    return {
      ...step,
      name: 'TripwireError',
      message: `${did} ${call}`,
      stack,
      tripwire: { did, call, advice },
      fault: undefined,
    }
  }
  if (!(error instanceof Error)) {
    const message = `it threw ${typeof error === 'string' ? JSON.stringify(error) : typeof error}, which is not an Error`
    return { ...step, name: 'Error', message, stack: message, tripwire: undefined, fault: undefined }
  }
  const name = String(error.name)
  const message = isZodError(error) ? issuesText(error) : String(error.message)
  const frames = framesOf(String(innermost(error).stack), isOwnFrame)
  return {
    ...step,
    name,
    message,
    stack: [`${name}: ${message}`, ...frames].join('\n'),
    tripwire: undefined,
    fault: faultOf(error, step.phase),
  }
}

/** Whoever wrapped an error to say more about it gave it a stack that ends where it was caught. */
function innermost(error: Error): Error {
  let found = error
  for (let depth = 0; depth < 10 && found.cause instanceof Error; depth++) found = found.cause
  return found
}

const isZodError = (error: Error): error is Error & Parameters<typeof issuesText>[0] =>
  error.name.endsWith('ZodError') && Array.isArray((error as { issues?: unknown }).issues)

/** The bundle has a copy of the class of its own. What its decoders say of stored bytes is a finding about the store;
 *  what the task itself says is a task that failed. */
function faultOf(error: Error, phase: Phase): JobFailure['fault'] {
  if (error.name !== 'Fault') return undefined
  const { code, what, where, todo } = error as Fault
  const ours = error instanceof Fault || phase === 'input'
  return {
    code: ours ? code : 'failed',
    what,
    ...(where === undefined ? {} : { where }),
    ...(todo === undefined ? {} : { todo }),
    ...(error instanceof Fault && isDigest(error.details['digest']) ? { digest: error.details['digest'] } : {}),
  }
}

/** This file, and whatever it is bundled with. Bundles of tasks go by module ids, which are no URLs. */
const isOwnFrame = (frame: string): boolean => frame.includes(ownUrl)
const ownUrl = import.meta.url.replace(/[^/]*$/, '')
