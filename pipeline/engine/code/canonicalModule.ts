import { type Edit, type EditedText, editText } from './editedText.ts'
import {
  callOf,
  declaredNames,
  memberOf,
  type NameUse,
  type Node,
  nameUse,
  needlessQuotes,
  stringOf,
  walk,
} from './syntax.ts'

/** One module as the bundler printed it, taken apart into what its code object will hold. The bundler's output still
 *  shows in which order things were imported and what else had their names; the canonical form shows neither. */
export interface AnalysedModule {
  readonly imports: readonly Import[]
  /** Reached top-level statements, in the order they run. Functions come first: they exist before anything runs. */
  readonly statements: readonly Statement[]
  readonly exports: readonly Export[]
  /** Things that may not be in a task's code. */
  readonly refusals: readonly Refusal[]
}

export interface Import {
  readonly id: string
  /** The variable that holds the module in the code; undefined for an import only for its effects. */
  readonly local: string | undefined
  /** A second variable, for a CommonJS module as an import of it looks. */
  readonly interop: EditedText | undefined
}

export interface Statement {
  /** The names it declares; empty for one that only does something. */
  readonly names: readonly string[]
  readonly isFunction: boolean
  readonly code: EditedText
  readonly uses: readonly Use[]
}

/** What a statement refers to: a top-level name of its module (`id` undefined) or of another. `*` is all of it. */
export interface Use {
  readonly id: string | undefined
  readonly name: string
}

export interface Export {
  readonly name: string
  readonly code: EditedText
  readonly uses: readonly Use[]
  /** Set before anything runs, as in ES modules: a cycle then finds functions where it would find nothing. */
  readonly isEarly: boolean
}

export interface Refusal {
  readonly what: 'import()' | 'import.meta' | '__filename'
  readonly offset: number
}

/** The id of the bundler's own helpers. */
export const runtimeId = 'rolldown/runtime'

/** Marks what an `import()` asked for, so that it is found again in the bundler's output. */
export const dynamicPrefix = 'tickpipe-dynamic:'

/** @param resolve from a specifier in the output to a module's id, a `node:` id or an `npm:` id */
export function analyseModule(
  code: string,
  { program, comments }: { readonly program: Node; readonly comments: readonly { start: number; end: number }[] },
  resolve: (specifier: string) => string,
): AnalysedModule {
  const statements = program['body'] as readonly Node[]
  const heads = readHeads(statements, resolve)
  const locals = canonicalLocals(heads, allNames(program))
  const topLevel = new Set(heads.rest.flatMap(declaredNames))
  const functions = new Set(heads.rest.filter(({ type }) => type === 'FunctionDeclaration').flatMap(declaredNames))
  const refusals: Refusal[] = []

  const edits: Edit[] = comments.map(({ start, end }) => ({ start, end: code[end] === ' ' ? end + 1 : end, text: '' }))
  const usesOf = (statement: Node): Use[] => {
    const uses = new Map<string, Use>()
    const add = (use: Use) => uses.set(`${use.id}#${use.name}`, use)
    walk(statement, (node, parent) => {
      if (node.type === 'ImportExpression') refusals.push({ what: 'import()', offset: node.start })
      if (node.type === 'MetaProperty' && (node['meta'] as { name?: string })['name'] === 'import') {
        refusals.push({ what: 'import.meta', offset: node.start })
      }
      const quoted = needlessQuotes(node)
      if (quoted !== undefined) edits.push(quoted)
      const required = stringOf(callOf(node, 'require')?.[0])
      if (required !== undefined) {
        // CommonJS code inside a wrapper: it wants what module.exports is, not what an import gives.
        const callee = node['callee'] as Node
        const argument = (node['arguments'] as Node[])[0]!
        const id = resolve(required)
        edits.push({ start: callee.start, end: callee.end, text: 'requireExports' })
        edits.push({ start: argument.start, end: argument.end, text: JSON.stringify(id) })
        add({ id, name: '*' })
      }
      const use = nameUse(node, parent)
      if (use === undefined) return true
      if (use.name === '__filename' || use.name === '__dirname')
        refusals.push({ what: '__filename', offset: use.start })
      const local = locals.get(use.name)
      if (local !== undefined) {
        edits.push(renaming(use, local.name))
        const member = parent?.type === 'MemberExpression' && parent['object'] === node ? memberOf(parent) : undefined
        add({ id: local.id, name: local.isInterop ? '*' : (member?.property ?? '*') })
      } else if (topLevel.has(use.name)) {
        add({ id: undefined, name: use.name })
      }
      return true
    })
    return [...uses.values()]
  }
  const edited = ({ start, end }: Node) => editText(code, start, end, edits)

  // In this order: the uses must be known, and with them the edits, before a statement's text is.
  const interops = heads.interops.map(({ id, statement }) => ({ id, uses: usesOf(statement), code: edited(statement) }))
  const exports = heads.exports.map(({ name, local, statement }): Export => {
    const uses = usesOf(statement)
    return { name, uses, code: edited(statement), isEarly: local === undefined || functions.has(local) }
  })
  const rest = heads.rest.map((statement): Statement => {
    const names = declaredNames(statement)
    const uses = usesOf(statement).filter(({ id, name }) => id !== undefined || !names.includes(name))
    return { names, uses, code: edited(statement), isFunction: statement.type === 'FunctionDeclaration' }
  })
  const used = new Set([...exports, ...rest, ...interops].flatMap(({ uses }) => uses.map(({ id }) => id)))
  const imports = heads.imports
    // The linker wraps built-ins and packages itself, so the bundler's helper for that may be left without a use.
    .filter(({ id }) => id !== runtimeId || used.has(id))
    .map(({ id, local }): Import => {
      const interop = interops.find((candidate) => candidate.id === id)?.code
      return { id, local: local && locals.get(local)!.name, interop }
    })
  return { imports, statements: byKind(rest), exports: sortedByName(exports), refusals }
}

interface Heads {
  readonly imports: { id: string; local: string | undefined }[]
  readonly interops: { id: string; local: string; statement: Node }[]
  /** `local` is the plain name that is assigned, if it is one; undefined for a getter. */
  readonly exports: { name: string; local: string | undefined; statement: Node }[]
  readonly rest: Node[]
}

/** Tells the statements the bundler added from those of the source. */
function readHeads(statements: readonly Node[], resolve: (specifier: string) => string): Heads {
  const heads: Heads = { imports: [], interops: [], exports: [], rest: [] }
  const idOf = (local: string) => heads.imports.find((entry) => entry.local === local)?.id
  for (const statement of statements) {
    const declared = singleDeclarator(statement)
    const required = stringOf(callOf(declared?.init, 'require')?.[0])
    if (declared !== undefined && required !== undefined) {
      heads.imports.push({ id: resolve(required), local: declared.name })
      continue
    }
    const wrapped = declared === undefined ? undefined : interopTarget(declared.init)
    const wrappedId = wrapped === undefined ? undefined : idOf(wrapped)
    if (declared !== undefined && wrappedId !== undefined) {
      heads.interops.push({ id: wrappedId, local: declared.name, statement })
      continue
    }
    const expression = statement.type === 'ExpressionStatement' ? (statement['expression'] as Node) : undefined
    const effect = stringOf(callOf(expression, 'require')?.[0])
    if (effect !== undefined) {
      heads.imports.push({ id: resolve(effect), local: undefined })
      continue
    }
    if (expression !== undefined && (isInteropOfOutside(expression) || isModuleMark(expression))) continue
    const exported = expression === undefined ? undefined : exportOf(expression)
    if (exported !== undefined) heads.exports.push({ ...exported, statement })
    else if (statement['directive'] !== 'use strict' && statement.type !== 'EmptyStatement') heads.rest.push(statement)
  }
  return heads
}

function singleDeclarator(statement: Node): { name: string; init: Node | null } | undefined {
  if (statement.type !== 'VariableDeclaration') return undefined
  const [first, ...others] = statement['declarations'] as readonly { id: Node; init: Node | null }[]
  if (first === undefined || others.length > 0 || first.id.type !== 'Identifier') return undefined
  return { name: first.id['name'] as string, init: first.init }
}

/** `require_runtime.__toESM(require_x.default, 1)`: the name of `require_x`. */
function interopTarget(init: Node | null): string | undefined {
  const args = toEsmArguments(init)
  const target = memberOf(args?.[0])
  return target?.property === 'default' ? target.object : undefined
}

/** `x = require_runtime.__toESM(x, 1)`, for something outside the bundle. */
function isInteropOfOutside(expression: Node): boolean {
  return expression.type === 'AssignmentExpression' && toEsmArguments(expression['right'])?.[0]?.type === 'Identifier'
}

function toEsmArguments(node: unknown): readonly Node[] | undefined {
  const call = node as Node | null
  if (call?.type !== 'CallExpression') return undefined
  return memberOf(call['callee'])?.property === '__toESM' ? (call['arguments'] as Node[]) : undefined
}

/** `Object.defineProperty(exports, Symbol.toStringTag, …)` and `Object.defineProperties(exports, { __esModule … })`. */
function isModuleMark(expression: Node): boolean {
  const defined = definedOnExports(expression)
  if (defined === undefined) return false
  return defined.method === 'defineProperties' || memberOf(defined.args[1])?.property === 'toStringTag'
}

function definedOnExports(expression: Node): { method: string; args: readonly Node[] } | undefined {
  if (expression.type !== 'CallExpression') return undefined
  const callee = memberOf(expression['callee'])
  const args = expression['arguments'] as readonly Node[]
  if (callee?.object !== 'Object' || args[0]?.type !== 'Identifier' || args[0]['name'] !== 'exports') return undefined
  return { method: callee.property, args }
}

/** `exports.name = local` and `Object.defineProperty(exports, 'name', { get … })`. */
function exportOf(expression: Node): { name: string; local: string | undefined } | undefined {
  const getter = stringOf(definedOnExports(expression)?.args[1])
  if (getter !== undefined) return { name: getter, local: undefined }
  if (expression.type !== 'AssignmentExpression') return undefined
  const left = expression['left'] as Node
  if (left.type !== 'MemberExpression' || (left['object'] as Node)['name'] !== 'exports') return undefined
  const name = stringOf(left['property'] as Node) ?? memberOf(left)?.property
  if (name === undefined) return undefined
  const right = expression['right'] as Node
  return { name, local: right.type === 'Identifier' ? (right['name'] as string) : '' }
}

function allNames(program: Node): Set<string> {
  const names = new Set<string>()
  walk(program, (node) => {
    if (node.type === 'Identifier') names.add(node['name'] as string)
    return true
  })
  return names
}

interface Local {
  readonly id: string
  readonly name: string
  readonly isInterop: boolean
}

/** New names for the variables that hold imports, after the ids of the modules and nothing else. */
function canonicalLocals(heads: Heads, taken: Set<string>): Map<string, Local> {
  const old = [
    ...heads.imports.flatMap(({ id, local }) => (local === undefined ? [] : [{ id, local, prefix: 'require' }])),
    ...heads.interops.map(({ id, local }) => ({ id, local, prefix: 'import' })),
  ].sort((a, b) => (`${a.prefix} ${a.id}` < `${b.prefix} ${b.id}` ? -1 : 1))
  const free = new Set(taken)
  for (const { local } of old) free.delete(local)
  const locals = new Map<string, Local>()
  for (const { id, local, prefix } of old) {
    let name = `${prefix}_${id.replace(/[^A-Za-z0-9_$]/g, '_')}`
    while (free.has(name)) name += '_'
    free.add(name)
    locals.set(local, { id, name, isInterop: prefix === 'import' })
  }
  return locals
}

const renaming = ({ name, start, end, shorthand }: NameUse, to: string): Edit => ({
  start,
  end,
  text: shorthand ? `${name}: ${to}` : to,
})

function byKind(statements: readonly Statement[]): Statement[] {
  const functions = statements.filter(({ isFunction }) => isFunction)
  functions.sort((a, b) => (a.names.join() < b.names.join() ? -1 : 1))
  return [...functions, ...statements.filter(({ isFunction }) => !isFunction)]
}

const sortedByName = (exports: readonly Export[]): Export[] =>
  [...exports].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
