import { declaredNames, type Node } from './syntax.ts'

/** What the top level of a module does, besides declaring. */
export interface TopLevel {
  /** Where calls begin that do nothing but make a value: unused, they may be dropped. */
  readonly pureCalls: readonly number[]
  /** Whether anything is left that may do something. In doubt it may: to keep too much costs a key, to drop too much
   *  would run another program than the one that was written. */
  readonly hasEffects: boolean
}

/** Functions of tickpipe that only make a value. Without them a task would reach every other task of its file. */
const pureFunctions: ReadonlySet<string> = new Set([
  'defineTask',
  'defineTable',
  'defineCsv',
  'definePipeline',
  'defineProject',
  'withConfig',
  'usdmPipeline',
  'defineStrategy',
  'featureGroup',
  'tableArtifact',
  'jsonArtifact',
  'filesArtifact',
  'many',
  'stored',
  'optional',
  'codePort',
  'absent',
  'i64',
  'i32',
  'f64',
  'bool',
  'utf8',
  'tsMs',
  'tsUs',
  'decimal',
  'wideDecimal',
  'nullable',
  'pickColumns',
])

/** What tickpipe exports that is a schema, or makes one. */
const pureSchemas: ReadonlySet<string> = new Set(['z', 'duration', 'secret'])

/** What tickpipe exports as one object whose functions only make values: the language features are written in. */
const pureNamespaces: ReadonlySet<string> = new Set(['column'])

/** What schemas have that runs a function it is given, or changes what others see. */
const impureMethod =
  /^(parse|safeParse|spa|encode|decode|safeEncode|safeDecode)(Async)?$|^(apply|register|globalRegistry|config|add|remove|clear|toJSONSchema)$/

const pureConstructors: ReadonlySet<string> = new Set([
  'Map',
  'Set',
  'WeakMap',
  'WeakSet',
  'TextEncoder',
  'TextDecoder',
  'Float64Array',
  'Float32Array',
  'Int32Array',
  'Uint32Array',
  'Uint8Array',
  'Uint16Array',
  'BigInt64Array',
  'BigUint64Array',
  'ArrayBuffer',
])

const wrappers: ReadonlySet<string> = new Set([
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'ChainExpression',
])

/** Reads the top level of a module. Functions are known as tickpipe's or zod's by the module's own imports, never by
 *  their names alone; only in tickpipe's own modules (`isOurs`) a name says enough. */
export function readTopLevel(program: Node, isOurs: boolean): TopLevel {
  const statements = program['body'] as readonly Node[]
  const purity = new Purity(statements, isOurs)
  let hasEffects = false
  for (const statement of statements) if (!purity.ofStatement(statement)) hasEffects = true
  return { pureCalls: purity.calls.sort((a, b) => a - b), hasEffects }
}

class Purity {
  readonly calls: number[] = []
  /** Names of zod, of what it exports, of tickpipe's schemas, and of schemas made of these here. */
  readonly #schemas = new Set<string>()
  readonly #functions = new Set<string>()
  readonly #namespaces = new Set<string>()
  /** Names of objects all of whose functions are pure. */
  readonly #languages = new Set<string>()
  /** Every name of the module's own: a global of that name is not meant. */
  readonly #own = new Set<string>()

  constructor(statements: readonly Node[], isOurs: boolean) {
    if (isOurs) {
      for (const name of pureFunctions) this.#functions.add(name)
      for (const name of pureSchemas) this.#schemas.add(name)
    }
    for (const statement of statements) {
      for (const name of declaredNames(declarationOf(statement))) this.#own.add(name)
      if (statement.type === 'ImportDeclaration') this.#readImport(statement)
    }
  }

  #readImport(statement: Node): void {
    const from = (statement['source'] as Node)['value'] as string
    const isZod = /^zod(\/|$)/.test(from)
    for (const specifier of statement['specifiers'] as readonly Node[]) {
      const local = (specifier['local'] as Node)['name'] as string
      const imported = specifier['imported'] as Node | undefined
      const name = (imported?.['name'] ?? imported?.['value']) as string | undefined
      this.#own.add(local)
      if (
        isZod
          ? name === undefined || !impureMethod.test(name)
          : from === 'tickpipe' && name !== undefined && pureSchemas.has(name)
      )
        this.#schemas.add(local)
      if (from !== 'tickpipe') continue
      if (name !== undefined && pureFunctions.has(name)) this.#functions.add(local)
      if (name !== undefined && pureNamespaces.has(name)) this.#languages.add(local)
      if (specifier.type === 'ImportNamespaceSpecifier') this.#namespaces.add(local)
    }
  }

  ofStatement(statement: Node): boolean {
    const declared = declarationOf(statement)
    switch (declared.type) {
      case 'ImportDeclaration':
        return true
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
      case 'EmptyStatement':
      case 'FunctionDeclaration':
      case 'TSInterfaceDeclaration':
      case 'TSTypeAliasDeclaration':
      case 'TSDeclareFunction':
        return true
      case 'VariableDeclaration':
        return declared['declare'] === true || this.#variables(declared)
      case 'ExpressionStatement':
        return this.#marked(declared['expression'])
      default:
        return declared['declare'] === true || this.#marked(declared)
    }
  }

  #variables(declaration: Node): boolean {
    let isPure = !/using$/.test(declaration['kind'] as string)
    for (const { id, init } of declaration['declarations'] as readonly { id: Node; init: Node | null }[]) {
      // A pattern calls iterators and getters.
      if (id.type === 'Identifier' ? !this.#marked(init) : true) isPure = false
      else if (declaration['kind'] === 'const' && init !== null && this.#isSchema(unwrapped(init)))
        this.#schemas.add(id['name'] as string)
    }
    return isPure
  }

  /** The calls of an expression may go only together: one without effects takes its arguments with it. */
  #marked(node: unknown): boolean {
    const known = this.calls.length
    const isPure = this.#isPure(node)
    if (!isPure) this.calls.length = known
    return isPure
  }

  #isPure(value: unknown): boolean {
    if (value === null || value === undefined) return true
    const node = value as Node
    if (wrappers.has(node.type)) return this.#isPure(node['expression'])
    switch (node.type) {
      case 'Literal':
      case 'Identifier':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
      case 'ImportExpression': // refused where it is reached
      case 'MetaProperty':
        return true
      case 'TemplateLiteral':
        return this.#all(node['expressions'])
      case 'UnaryExpression':
        return node['operator'] !== 'delete' && this.#isPure(node['argument'])
      case 'BinaryExpression':
      case 'LogicalExpression':
        return this.#isPure(node['left']) && this.#isPure(node['right'])
      case 'ConditionalExpression':
        return this.#isPure(node['test']) && this.#isPure(node['consequent']) && this.#isPure(node['alternate'])
      case 'MemberExpression':
        return this.#isPure(node['object']) && (node['computed'] !== true || this.#isPure(node['property']))
      case 'ArrayExpression':
        return this.#all(node['elements'])
      case 'SpreadElement':
        return this.#isPure(node['argument'])
      case 'ObjectExpression':
        return this.#all(node['properties'])
      case 'Property':
        return (node['computed'] !== true || this.#isPure(node['key'])) && this.#isPure(node['value'])
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#isPureClass(node)
      case 'CallExpression':
        if (!this.#isPureCallee(node['callee'] as Node, node['arguments'] as readonly Node[])) return false
        if (!this.#all(node['arguments'])) return false
        this.calls.push(node.start)
        return true
      case 'NewExpression':
        if (!this.#isPureNew(node)) return false
        this.calls.push(node.start)
        return true
      default:
        return false
    }
  }

  #all(nodes: unknown): boolean {
    return (nodes as readonly (Node | null)[]).every((node) => this.#isPure(node))
  }

  #isPureCallee(callee: Node, args: readonly Node[]): boolean {
    if (callee.type === 'Identifier') {
      const name = callee['name'] as string
      if (this.#functions.has(name) || this.#schemas.has(name)) return true
      return this.#isGlobal(callee, 'Symbol') || (this.#isGlobal(callee, 'BigInt') && args[0]?.type === 'Literal')
    }
    if (callee.type !== 'MemberExpression' || callee['computed'] === true) return false
    const [object, property] = [callee['object'] as Node, (callee['property'] as Node)['name'] as string]
    if (object.type === 'Identifier' && this.#namespaces.has(object['name'] as string)) {
      return pureFunctions.has(property)
    }
    if (this.#isLanguage(object)) return true
    if (this.#isGlobal(object, 'Object')) {
      // What is frozen must be new, or whoever else holds it would see.
      if (property === 'freeze') return /^(Object|Array)Expression$/.test(args[0] ? unwrapped(args[0]).type : '')
      return /^(keys|values|entries)$/.test(property)
    }
    return this.#isSchema(callee)
  }

  /** `column`, or `tickpipe.column` where the whole is imported by one name. */
  #isLanguage(node: Node): boolean {
    if (node.type === 'Identifier') return this.#languages.has(node['name'] as string)
    if (node.type !== 'MemberExpression' || node['computed'] === true) return false
    const [object, property] = [node['object'] as Node, (node['property'] as Node)['name'] as string]
    return (
      object.type === 'Identifier' && this.#namespaces.has(object['name'] as string) && pureNamespaces.has(property)
    )
  }

  /** A chain that begins with zod, such as `z.object({ … }).optional`. */
  #isSchema(node: Node): boolean {
    if (node.type === 'Identifier') return this.#schemas.has(node['name'] as string)
    if (node.type === 'CallExpression') {
      return this.#isSchema(node['callee'] as Node) && this.#all(node['arguments'])
    }
    if (node.type !== 'MemberExpression' || node['computed'] === true) return false
    const [object, property] = [node['object'] as Node, (node['property'] as Node)['name'] as string]
    if (object.type === 'Identifier' && this.#namespaces.has(object['name'] as string)) return pureSchemas.has(property)
    return !impureMethod.test(property) && this.#isSchema(object)
  }

  #isPureNew(node: Node): boolean {
    const callee = node['callee'] as Node
    if (callee.type !== 'Identifier' || !pureConstructors.has(callee['name'] as string)) return false
    if (!this.#isGlobal(callee, callee['name'] as string)) return false
    // Anything but a list written there may have an iterator that does something.
    return (node['arguments'] as readonly Node[]).every((argument) => {
      const { type } = unwrapped(argument)
      return (type === 'Literal' || type === 'ArrayExpression') && this.#isPure(argument)
    })
  }

  #isPureClass(node: Node): boolean {
    if ((node['decorators'] as readonly Node[] | undefined)?.length) return false
    if (!this.#isPure(node['superClass'])) return false
    return ((node['body'] as Node)['body'] as readonly Node[]).every((member) => {
      if (member.type === 'StaticBlock' || (member['decorators'] as readonly Node[] | undefined)?.length) return false
      if (member['computed'] === true && !this.#isPure(member['key'])) return false
      return member['static'] !== true || member.type === 'MethodDefinition' || this.#isPure(member['value'])
    })
  }

  #isGlobal(node: Node, name: string): boolean {
    return node.type === 'Identifier' && node['name'] === name && !this.#own.has(name)
  }
}

function unwrapped(node: Node): Node {
  return wrappers.has(node.type) ? unwrapped(node['expression'] as Node) : node
}

/** What an `export` stands before, or the statement itself. */
function declarationOf(statement: Node): Node {
  if (statement.type !== 'ExportNamedDeclaration' && statement.type !== 'ExportDefaultDeclaration') return statement
  return (statement['declaration'] as Node | null) ?? statement
}

const pureMark = '/* @__PURE__ */ '

/** The module with its pure calls marked for the bundler. Lines keep their numbers. */
export function markPureCalls(code: string, { pureCalls }: TopLevel): string {
  let text = ''
  let from = 0
  for (const at of new Set(pureCalls)) {
    text += code.slice(from, at) + pureMark
    from = at
  }
  return text + code.slice(from)
}

/** The column in the source of a column in the marked text of the same line. */
export function columnBeforeMarks(line: string, column: number): number {
  let before = column
  for (let at = line.indexOf(pureMark); at >= 0 && at < column; at = line.indexOf(pureMark, at + 1)) {
    before -= Math.min(pureMark.length, column - at)
  }
  return before
}
