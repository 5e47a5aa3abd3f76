import assert from 'node:assert/strict'
import process from 'node:process'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import type { Digest } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'
import type { Job, JobArtifact, JobInput } from '../executor/job.ts'
import type { NodeState } from '../walk/walk.ts'
import { Materials, stageOutput } from './materials.ts'
import { placeOf } from './objectPlace.ts'
import type { RunOptions, UntimedEvent } from './options.ts'
import type { Made } from './publish.ts'
import type { Readers } from './readers.ts'
import { SecretValues } from './secretValues.ts'
import { runSource } from './source.ts'

/** Executes one node: a pure one in the executor, sources and sinks on this process's event loop. */
export class Execution {
  private readonly options: RunOptions
  private readonly materials: Materials
  private readonly readers: Readers
  private readonly emit: (event: UntimedEvent) => void

  constructor(options: RunOptions, readers: Readers, emit: (event: UntimedEvent) => void) {
    this.options = options
    this.materials = new Materials(options.store)
    this.readers = readers
    this.emit = emit
  }

  async make(state: NodeState): Promise<Made> {
    if (state.node.task.kind === 'pure') return this.pure(state)
    const secrets = new SecretValues(process.env)
    try {
      const made = await this.here(state, secrets)
      refuseSecretNames(made, state, secrets)
      return made
    } catch (error) {
      throw secrets.hideInError(error)
    }
  }

  /** In words where two artifacts differ first, down to row and column; nothing where the bytes of one are gone. */
  async differenceOf(first: Digest, second: Digest): Promise<string | undefined> {
    try {
      const { firstDifference } = await import('./firstDifference.ts')
      return firstDifference(this.jobArtifact(first), this.jobArtifact(second))
    } catch {
      return undefined
    }
  }

  private async pure(state: NodeState): Promise<Made> {
    const { task } = state.node
    const { code, ports } = await this.options.storeCode(state)
    const job: Job = {
      address: state.node.address,
      task: task.name,
      code,
      ports,
      paramsJson: canonicalJson(state.node.params),
      inputs: Object.fromEntries(state.inputs.map((input) => [input.port, this.jobInput(input)])),
      timeoutMs: task.limits?.timeoutMs ?? this.options.patience.timeoutMs,
      silenceMs: this.options.patience.silenceMs,
      ...(task.limits?.memoryMb === undefined ? {} : { memoryMb: task.limits.memoryMb }),
      ...(task.limits?.isolate === undefined ? {} : { isolate: task.limits.isolate }),
    }
    const result = await this.options.executor.execute(job, this.options.stopNow)
    for (const line of result.log) this.emit({ kind: 'node log', address: state.node.address, line })
    return { ...result, requests: 0 }
  }

  private jobInput({ form, states }: NodeState['inputs'][number]): JobInput {
    if (form === 'none') return { kind: 'absent' }
    const artifacts = states
      .filter((state) => !this.materials.isAbsent(state.artifact!))
      .map((state) => this.jobArtifact(state.artifact!))
    if (form === 'many') return { kind: 'many', artifacts }
    return artifacts[0] === undefined ? { kind: 'absent' } : { kind: 'one', artifact: artifacts[0] }
  }

  private jobArtifact(artifact: Digest): JobArtifact {
    const { store } = this.options
    const { type, files } = store.readDescriptor(artifact)
    return {
      id: artifact,
      type,
      readAgain: this.readers.hasMore(artifact),
      files: files.map(({ name, digest, sizeBytes }) => ({ name, sizeBytes, ...placeOf(store, digest) })),
    }
  }

  /** Sources and sinks run on this process's event loop. */
  private async here(state: NodeState, secrets: SecretValues): Promise<Made> {
    const { node } = state
    const { options } = this
    const { task } = node
    assert.ok(task.kind !== 'pure')
    const inputs: Record<string, unknown> = {}
    for (const { port, states } of state.inputs) {
      inputs[port] = await this.materials.portValue(
        task.inputs![port]!,
        states.map((inner) => inner.artifact!),
        `${node.address}, input ${port}`,
      )
    }
    // Its own: a task that changes what it was given changes nothing that is recorded of it.
    const params = task.params.parse(structuredClone(node.params))
    const onLog = (line: string) => this.emit({ kind: 'node log', address: node.address, line })
    const startMs = options.monotonicMs()
    if (task.kind === 'sink') {
      const receipt = await task.run(inputs, params, {
        signal: options.stopNow,
        idempotencyKey: state.key!,
        log: (line) => onLog(secrets.hideInText(String(line))),
      })
      const files = await stageOutput(options.store.stagingDir, task.output, receipt, node.address)
      return {
        type: task.output.name,
        files,
        wallMs: options.monotonicMs() - startMs,
        cpuMs: 0,
        peakRssMb: 0,
        requests: 0,
      }
    }
    const result = await runSource({
      task,
      address: node.address,
      inputs,
      params,
      asOfMs: options.knowledge.asOfMs,
      stagingDir: options.store.stagingDir,
      secrets,
      stop: options.stop,
      stopNow: options.stopNow,
      ...(options.stopGraceMs === undefined ? {} : { stopGraceMs: options.stopGraceMs }),
      onRetry: (attempt, error) =>
        this.emit({ kind: 'node retried', address: node.address, attempt, error: error.message }),
      onProgress: (bytes, requests) => this.emit({ kind: 'node progress', address: node.address, bytes, requests }),
      onWait: (wait) => this.emit({ kind: 'node waiting to retry', address: node.address, ...wait }),
      onLog,
    })
    return {
      type: result.type,
      files: result.files,
      wallMs: options.monotonicMs() - startMs,
      cpuMs: 0,
      peakRssMb: 0,
      requests: result.requests,
      attempts: result.attempts,
      notes: result.notes,
      ...(result.absent?.recheckAfterMs === undefined ? {} : { recheckAfterMs: result.absent.recheckAfterMs }),
    }
  }
}

/** An artifact keeps the names of its files for good, and hands them on: one that is made of a secret gets none. */
function refuseSecretNames({ files }: Made, { node }: NodeState, secrets: SecretValues): void {
  const found = files.map(({ name }) => [name, secrets.hideInText(String(name))]).find(([name, told]) => name !== told)
  if (found === undefined) return
  throw new Fault({
    code: 'failed',
    what: `the name of a file is made of a secret: "${found[1]}"`,
    where: node.address,
    todo: `give the file another name in the task ${node.task.name}`,
  })
}
