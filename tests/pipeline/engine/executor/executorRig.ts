import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { canonicalJson } from '../../../../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../../../../cas/digest.ts'
import { Fault } from '../../../../lib/fault.ts'
import { makeCodeObject, type PackageRef } from '../../../../pipeline/engine/code/codeObject.ts'
import type { CodeRef, Executor, Job, JobArtifact, JobResult } from '../../../../pipeline/engine/executor/job.ts'
import { createLocalExecutor, type LocalExecutorOptions } from '../../../../pipeline/engine/executor/localExecutor.ts'
import { buildWorker } from './builtWorker.ts'

export interface ExecutorRig {
  readonly executor: Executor
  readonly dir: string
  /** Code of one module: what stands in `module` is run as CommonJS. */
  code(module: string, extra?: { id?: string; packages?: readonly PackageRef[] }): CodeRef
  /** A task around one `run`, with no schema to speak of. */
  task(run: string, top?: string): CodeRef
  artifact(type: string, files: Readonly<Record<string, string | Uint8Array>>): JobArtifact
  job(code: CodeRef, more?: Partial<Job>): Job
  run(code: CodeRef, more?: Partial<Job>): Promise<JobResult>
  /** The JSON value that a task gave. */
  value(code: CodeRef, more?: Partial<Job>): Promise<unknown>
  /** The Fault that a job ended with. */
  fault(code: CodeRef, more?: Partial<Job>): Promise<Fault>
  close(): Promise<void>
}

export async function executorRig(options: Partial<LocalExecutorOptions> = {}): Promise<ExecutorRig> {
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-executor-'))
  const { workerUrl, isolateUrl, remove } = await buildWorker()
  const executor = createLocalExecutor({
    workers: 1,
    stagingDir: dir,
    resolvePackage: () => dir,
    workerUrl,
    isolateUrl,
    ...options,
  })
  const put = (bytes: Uint8Array | string): { digest: Digest; path: string; finalPath: string } => {
    const digest = digestOf(bytes)
    const path = join(dir, `object-${digest}`)
    writeFileSync(path, bytes)
    return { digest, path, finalPath: path }
  }
  const code: ExecutorRig['code'] = (module, { id = 'project/tasks/x', packages = [] } = {}) => {
    const bundle = makeCodeObject({
      format: 'tickpipe-code-1',
      entry: id,
      modules: [{ id, code: module }],
      builtins: [],
      packages,
    })
    return put(bundle.bytes)
  }
  const rig: ExecutorRig = {
    executor,
    dir,
    code,
    task: (run, top = '') =>
      code(`${top}
const any = { parse: (value) => value }
exports.task = {
  name: 'x', kind: 'pure', params: any, inputs: {}, output: { form: 'json', name: 'out', schema: any },
  run(inputs, params, context) { ${run} }
}`),
    artifact(type, files) {
      const stored = Object.entries(files).map(([name, bytes]) => {
        const { digest, path, finalPath } = put(bytes)
        return { name, path, finalPath, sizeBytes: Buffer.byteLength(bytes as string), digest }
      })
      const id = digestOf(canonicalJson(stored.map(({ name, digest }) => [name, digest])))
      return {
        id,
        type,
        files: stored,
      }
    },
    job: (code, more = {}) => ({ address: 'x[1]', task: 'x', code, ports: {}, paramsJson: '{}', inputs: {}, ...more }),
    run: (code, more) => executor.execute(rig.job(code, more), new AbortController().signal),
    async value(code, more) {
      const { files } = await rig.run(code, more)
      return JSON.parse(readFileSync(files[0]!.staged.stagedPath, 'utf8'))
    },
    async fault(code, more) {
      try {
        await rig.run(code, more)
      } catch (error) {
        if (error instanceof Fault) return error
        throw error
      }
      throw new Error('the job was expected to fail')
    },
    async close() {
      await executor.close()
      remove()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  return rig
}
