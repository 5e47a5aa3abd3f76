import type { Digest } from '../../../cas/digest.ts'
import { parseCodeBundle } from '../code/codeObject.ts'
import { failureFault } from './failure.ts'
import type { Inspection } from './inspection.ts'
import { runIsolated } from './isolateProcess.ts'
import type { CodeRef, Executor, Job } from './job.ts'
import { readPlaced } from './movedFile.ts'
import { createWorkerPool } from './pool.ts'
import type { PackageDirs } from './protocol.ts'

export interface LocalExecutorOptions {
  /** Threads; as many as the machine has cores is a good number. */
  readonly workers: number
  /** Where outputs are written. It must be on the filesystem of the store's objects. */
  readonly stagingDir: string
  /** What pure tasks may use together. Inputs that more than one node reads are kept within a part of it. */
  readonly memoryMb?: number
  /** Lays out a package closure and gives the package's folder inside a `node_modules`. Asked once for each. */
  readonly resolvePackage: (name: string, version: string, tree: Digest) => string | Promise<string>
  /** Names the places of a stack that lie in a code object as the sources do, and leaves the others. */
  readonly mapStack?: (code: Digest, stack: string) => string
  /** Shows some of the jobs to a debugger. */
  readonly inspect?: InspectOptions
  /** The built entries. They lie beside the program unless it runs from elsewhere. */
  readonly workerUrl?: URL
  readonly isolateUrl?: URL
}

export interface InspectOptions {
  /** On 127.0.0.1; 0 for any that is free. */
  readonly port: number
  isChosen(address: string): boolean
  inspectionOf(job: Job): Inspection
  /** The job waits for a debugger at this address. */
  onListening(address: string, url: string): void
}

const memoryMbDefault = 2048

/** Runs pure tasks on this machine: in threads, or in a child process each where a job asks for that. */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const { workers, stagingDir, mapStack } = options
  const workerUrl = options.workerUrl ?? new URL('./worker.js', import.meta.url)
  const isolateUrl = options.isolateUrl ?? new URL('./isolate.js', import.meta.url)
  // Threads take the time zone from their process, and only as it was when they start.
  process.env.TZ = 'UTC'
  const pool = createWorkerPool({ workers, workerUrl, stagingDir, memoryMb: options.memoryMb ?? memoryMbDefault })
  const packages = new PackageFinder(options.resolvePackage)

  return {
    // One job runs in each thread, and one waits there.
    slots: workers * 2,
    async execute(job, signal) {
      const packageDirs = await packages.dirsFor(job)
      const { inspect } = options
      const ending = inspect?.isChosen(job.address)
        ? await runIsolated(
            {
              isolateUrl,
              stagingDir,
              inspect: { port: inspect.port, ...inspect.inspectionOf(job) },
              onListening: (url) => inspect.onListening(job.address, url),
            },
            job,
            packageDirs,
            signal,
          )
        : job.isolate
          ? await runIsolated({ isolateUrl, stagingDir }, job, packageDirs, signal)
          : await pool.run(job, packageDirs, signal)
      if (ending.kind === 'done') return ending.result
      throw failureFault(job, ending, mapStack ?? ((_, stack) => stack))
    },
    close: () => pool.close(),
  }
}

/** Which packages a code object needs is read from it, once. */
class PackageFinder {
  readonly #resolve: LocalExecutorOptions['resolvePackage']
  readonly #byCode = new Map<Digest, Promise<PackageDirs>>()
  readonly #dirs = new Map<string, Promise<string>>()

  constructor(resolve: LocalExecutorOptions['resolvePackage']) {
    this.#resolve = resolve
  }

  async dirsFor(job: Job): Promise<PackageDirs> {
    const main = this.#dirsOf(job.code)
    const ports = Object.values(job.ports)
    if (ports.length === 0) return main
    return Object.assign({}, ...(await Promise.all([main, ...ports.map((ref) => this.#dirsOf(ref))]))) as PackageDirs
  }

  #dirsOf(ref: CodeRef): Promise<PackageDirs> {
    let known = this.#byCode.get(ref.digest)
    if (known === undefined) {
      known = this.#read(ref)
      this.#byCode.set(ref.digest, known)
      // What failed may succeed later: the object may be healed by then.
      known.catch(() => this.#byCode.delete(ref.digest))
    }
    return known
  }

  async #read(ref: CodeRef): Promise<PackageDirs> {
    const { packages } = parseCodeBundle(readPlaced(ref))
    const dirs: Record<string, string> = {}
    for (const { name, version, tree } of packages) dirs[`${name}@${version}`] = await this.#dir(name, version, tree)
    return dirs
  }

  #dir(name: string, version: string, tree: Digest): Promise<string> {
    let known = this.#dirs.get(tree)
    if (known === undefined) {
      known = Promise.resolve(this.#resolve(name, version, tree))
      this.#dirs.set(tree, known)
      known.catch(() => this.#dirs.delete(tree))
    }
    return known
  }
}
