import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { type Digest, digestOf, isDigest } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'

/** What a task (or a strategy) reaches, as bytes: their hash is the code identity, and exactly they are what a worker
 *  runs. */
export interface CodeObject {
  readonly digest: Digest
  readonly bytes: Uint8Array
}

/** A code object taken apart. */
export interface CodeBundle {
  readonly format: typeof codeFormat
  /** The id of the module whose exports are the point of it all: `task` or `value`, and the driver's. */
  readonly entry: string
  /** Sorted by id. An id is `<package>/<path inside it, without extension>`: it says nothing of where things lie. */
  readonly modules: readonly CodeModule[]
  /** The Node built-ins that are imported, as `node:` ids, sorted. */
  readonly builtins: readonly string[]
  /** Packages that are not inlined because they hold WASM or native code, with all they depend on, sorted. */
  readonly packages: readonly PackageRef[]
}

/** The body of a function of `exports`, `require` and `requireExports`, run in strict mode. `require(id)` gives what
 *  an `import * as` of that id would; `requireExports(id)` what a CommonJS `require` would. */
export interface CodeModule {
  readonly id: string
  readonly code: string
}

export interface PackageRef {
  readonly name: string
  readonly version: string
  /** The tree object: every file with its digest. */
  readonly tree: Digest
  /** Which version of each of its own dependencies it meets. */
  readonly dependencies: Readonly<Record<string, string>>
  /** How the modules above import it: by `id` in the code, by `specifier` for Node. */
  readonly imports: readonly { readonly id: string; readonly specifier: string }[]
}

export const codeFormat = 'tickpipe-code-1'

export function makeCodeObject(bundle: CodeBundle): CodeObject {
  const bytes = new TextEncoder().encode(canonicalJson(bundle))
  return { digest: digestOf(bytes), bytes }
}

/** For bytes that come out of a store, perhaps somebody else's. */
export function parseCodeBundle(bytes: Uint8Array): CodeBundle {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw notCode('it is not JSON', cause)
  }
  if (!isRecord(value)) throw notCode('it is not an object')
  if (value['format'] !== codeFormat) {
    throw new Fault({
      code: 'refused',
      what: `this code object has the format ${JSON.stringify(value['format'])}; this version reads ${codeFormat}`,
      todo: 'use the version of tickpipe that wrote it, or a newer one',
    })
  }
  const { entry, modules, builtins, packages } = value
  if (typeof entry !== 'string') throw notCode('it names no entry')
  if (!isArrayOf(modules, isModule)) throw notCode('a module lacks its id or code')
  if (!modules.some(({ id }) => id === entry)) throw notCode('its entry is not among its modules')
  if (new Set(modules.map(({ id }) => id)).size !== modules.length) throw notCode('two of its modules have one id')
  if (!isArrayOf(builtins, (name) => typeof name === 'string' && name.startsWith('node:'))) {
    throw notCode('a built-in lacks the "node:" prefix')
  }
  if (!isArrayOf(packages, isPackageRef)) throw notCode('a package lacks name, version, tree, dependencies or imports')
  return value as unknown as CodeBundle
}

const notCode = (why: string, cause?: unknown) =>
  new Fault({ code: 'corrupt', what: `this object is not a code object: ${why}`, cause })

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function isArrayOf(value: unknown, isItem: (item: unknown) => boolean): value is { readonly id: string }[] {
  return Array.isArray(value) && value.every(isItem)
}

const isModule = (item: unknown) => isRecord(item) && typeof item['id'] === 'string' && typeof item['code'] === 'string'

const isPackageRef = (item: unknown) =>
  isRecord(item) &&
  typeof item['name'] === 'string' &&
  typeof item['version'] === 'string' &&
  isDigest(item['tree']) &&
  isRecord(item['dependencies']) &&
  Object.values(item['dependencies']).every((version) => typeof version === 'string') &&
  isArrayOf(
    item['imports'],
    (it) => isRecord(it) && typeof it['id'] === 'string' && typeof it['specifier'] === 'string',
  )
