import { types } from 'node:util'
import vm from 'node:vm'
import { type CodeBundle, type PackageRef, parseCodeBundle } from './codeObject.ts'
import { SharedModules } from './sharedModules.ts'

/** How a bundle gets at what it does not contain. Both are called while a node's modules are instantiated, or later
 *  from CommonJS code, always with something the bundle lists. */
export interface Gates {
  /** A Node built-in by its `node:` id: the module itself, or whatever a guard puts in its place. */
  requireBuiltin(id: string): unknown
  /** What `await import(specifier)` gave for a package closure: it must be there already, for linking cannot wait. */
  requirePackage(request: PackageRequest): unknown
}

export interface PackageRequest {
  readonly name: string
  readonly version: string
  /** What the code imports, such as `apache-arrow` or `parquet-wasm/esm`. */
  readonly specifier: string
}

/** What a debugger is told about the modules of a bundle. */
export interface DebugNotes {
  readonly sourceMaps: Readonly<Record<string, string>>
  /** The module that stands still before it does anything. */
  readonly pauseIn?: string
}

export interface LinkedCode {
  readonly bundle: CodeBundle
  /** Runs every module afresh, so that no module state passes from one node to the next, and gives the exports of the
   *  entry. Only zod's modules are shared between nodes: see sharedModules.ts. */
  instantiate(): Record<string, unknown>
}

type ModuleFunction = (
  exports: object,
  require: (id: string) => unknown,
  requireExports: (id: string) => unknown,
) => void

/** Compiles a code object once. The modules' ids become their file names in stack traces; `mapStack` leads from there
 *  to the sources. */
export function linkCode(code: Uint8Array | CodeBundle, gates: Gates, notes?: DebugNotes): LinkedCode {
  const bundle = code instanceof Uint8Array ? parseCodeBundle(code) : code
  const functions = new Map(bundle.modules.map(({ id, code }) => [id, compile(id, code, notes)]))
  const packages = packagesById(bundle.packages)
  const shared = new SharedModules()

  return {
    bundle,
    instantiate() {
      shared.reset()
      const loaded = new Map<string, Record<string, unknown>>()
      const namespaces = new Map<string, unknown>()

      const outside = (id: string): unknown => {
        if (id.startsWith('node:')) return gates.requireBuiltin(id)
        const request = packages.get(id)
        if (request !== undefined) return gates.requirePackage(request)
        // What a CommonJS package finds when an optional dependency of its is not there.
        throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' })
      }
      const require = (id: string): unknown => {
        const run = functions.get(id)
        if (run === undefined) {
          if (!namespaces.has(id)) namespaces.set(id, namespaceOf(outside(id)))
          return namespaces.get(id)
        }
        const known = loaded.get(id) ?? shared.get(id)
        if (known !== undefined) return known // in a cycle: as far as it has got, as in any module system
        const exports = {}
        if (SharedModules.holds(id)) shared.add(id, exports)
        else loaded.set(id, exports)
        run(exports, require, requireExports)
        return exports
      }
      const requireExports = (id: string): unknown => exportsOf(outside(id))

      const entry = require(bundle.entry) as Record<string, unknown>
      shared.settle()
      return entry
    },
  }
}

/** Stands on one line with the code, so that line numbers are the code's own. */
export const wrapperStart = "(function (exports, require, requireExports) { 'use strict'; "

export const pause = 'debugger; '

function compile(id: string, code: string, notes: DebugNotes | undefined): ModuleFunction {
  const map = notes?.sourceMaps[id]
  const start = notes?.pauseIn === id ? wrapperStart + pause : wrapperStart
  const link = map === undefined ? '' : `\n//# sourceMappingURL=data:application/json;base64,${base64Of(map)}`
  const script = new vm.Script(`${start}${code}\n})${link}`, { filename: id })
  return script.runInThisContext() as ModuleFunction
}

const base64Of = (text: string): string => Buffer.from(text).toString('base64')

function packagesById(packages: readonly PackageRef[]): Map<string, PackageRequest> {
  const byId = new Map<string, PackageRequest>()
  for (const { name, version, imports } of packages) {
    for (const { id, specifier } of imports) byId.set(id, { name, version, specifier })
  }
  return byId
}

/** What `import * as` gives for a CommonJS module: its properties, and itself as `default`. */
function namespaceOf(value: unknown): unknown {
  if (types.isModuleNamespaceObject(value)) return value
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return { default: value }
  return Object.create(value, { default: { value, enumerable: true } })
}

/** What a CommonJS `require` gives for a module that is known by its namespace. */
function exportsOf(value: unknown): unknown {
  if (!types.isModuleNamespaceObject(value)) return value
  const namespace = value as { readonly 'module.exports'?: unknown; readonly default?: unknown }
  return namespace['module.exports'] ?? namespace.default ?? namespace
}
