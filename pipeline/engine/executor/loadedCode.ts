import { join } from 'node:path'
import process from 'node:process'
import vm from 'node:vm'
import { Fault } from '../../../lib/fault.ts'
import { type DebugNotes, type Gates, type LinkedCode, linkCode, type PackageRequest } from '../code/linkCode.ts'
import type { Inspection } from './inspection.ts'
import type { CodeRef } from './job.ts'
import { readPlaced } from './movedFile.ts'
import type { PackageDirs } from './protocol.ts'

/** As many different tasks and strategies as a run commonly has going at once. A code object with zod takes some
 *  megabytes when compiled. */
const codeMax = 64

/** Code objects, compiled once for a thread. Nodes share what is compiled and nothing that runs. */
export class CodeCache {
  readonly #linked = new Map<string, LinkedCode>()
  readonly #packages = new Map<string, unknown>()
  readonly #requireBuiltin: (id: string) => unknown

  constructor(requireBuiltin: (id: string) => unknown) {
    this.#requireBuiltin = requireBuiltin
  }

  /** Its packages are loaded here, before the wires are armed: to set themselves up they may look around. */
  async load(ref: CodeRef, packageDirs: PackageDirs, inspection?: Inspection): Promise<LinkedCode> {
    const known = this.#linked.get(ref.digest)
    if (known !== undefined) {
      // The newest stand last, so that the first is the one to go.
      this.#linked.delete(ref.digest)
      this.#linked.set(ref.digest, known)
      return known
    }
    const bytes = readPlaced(ref)
    const gates: Gates = {
      requireBuiltin: this.#requireBuiltin,
      requirePackage: (request) => this.#packages.get(keyOf(request)),
    }
    const linked = linkCode(bytes, gates, inspection && debugNotes(inspection, ref))
    for (const { name, version, imports } of linked.bundle.packages) {
      for (const { specifier } of imports) {
        const request = { name, version, specifier }
        const key = keyOf(request)
        if (!this.#packages.has(key)) this.#packages.set(key, await loadPackage(request, packageDirs))
      }
    }
    this.#linked.set(ref.digest, linked)
    if (this.#linked.size > codeMax) this.#linked.delete(this.#linked.keys().next().value!)
    return linked
  }
}

const debugNotes = ({ pauseIn, sourceMaps }: Inspection, { digest }: CodeRef): DebugNotes => ({
  sourceMaps: sourceMaps[digest] ?? {},
  ...(pauseIn.code === digest ? { pauseIn: pauseIn.module } : {}),
})

const keyOf = ({ name, version, specifier }: PackageRequest) => `${name}@${version} ${specifier}`

async function loadPackage({ name, version, specifier }: PackageRequest, dirs: PackageDirs): Promise<unknown> {
  const dir = dirs[`${name}@${version}`]
  if (dir === undefined) throw missing(name, version)
  // Node's own loader, asked from inside the package's folder: it finds the package by the package's own rules. Node
  // calls this way of asking experimental once in every thread, which is nothing to a user.
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    const script = new vm.Script('(specifier) => import(specifier)', {
      filename: join(dir, 'imported-by-a-worker.mjs'),
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    const load = script.runInThisContext() as (specifier: string) => Promise<unknown>
    return await load(specifier)
  } catch (cause) {
    throw new Fault({
      code: 'failed',
      what: `the package ${name} ${version} could not be loaded: ${(cause as Error).message}`,
      where: dir,
      todo: 'check that it supports this platform and this version of Node',
      cause,
    })
  } finally {
    process.emitWarning = emitWarning
  }
}

const missing = (name: string, version: string) =>
  new Fault({
    code: 'unverifiable',
    what: `the package ${name} ${version}, which the code needs, was not laid out`,
    todo: 'run "pipe verify" to see which objects of it are here',
  })
