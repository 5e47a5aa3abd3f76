/** A node of the syntax tree that rolldown's parser gives (ESTree), as far as we look at it. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** A place where a name stands for a variable. In `{ name }` it is also the key. */
export interface NameUse {
  readonly name: string
  readonly start: number
  readonly end: number
  readonly shorthand: boolean
}

/** Calls `visit` for every node, parents first. Returning false leaves out what is below it. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => boolean | undefined, parent?: Node) {
  if (visit(node, parent) === false) return
  for (const key in node) {
    const child = node[key]
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) walk(item, visit, node)
    } else if (isNode(child)) {
      walk(child, visit, node)
    }
  }
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'

/** An identifier that stands for a variable: not a property, a key or a label. */
export function nameUse(node: Node, parent: Node | undefined): NameUse | undefined {
  if (node.type !== 'Identifier') return undefined
  const { name, start, end } = node as Node & { readonly name: string }
  if (parent !== undefined) {
    if (parent.type === 'MemberExpression' && parent['property'] === node && parent['computed'] !== true)
      return undefined
    if (parent.type === 'LabeledStatement' || parent.type === 'BreakStatement' || parent.type === 'ContinueStatement') {
      if (parent['label'] === node) return undefined
    }
    if (parent.type === 'MetaProperty') return undefined
    // The value of a shorthand property, a node of its own at the same place, is the use.
    if (isKeyed(parent) && parent['key'] === node && parent['computed'] !== true) return undefined
  }
  return { name, start, end, shorthand: parent?.type === 'Property' && parent['shorthand'] === true }
}

/** The quoted key of a property that needs no quotes. Formatters add and remove them. */
export function needlessQuotes(node: Node): { start: number; end: number; text: string } | undefined {
  if (!isKeyed(node) || node['computed'] === true) return undefined
  const key = node['key']
  if (!isNode(key) || key.type !== 'Literal' || typeof key['value'] !== 'string') return undefined
  const text = key['value']
  // Both words mean something else without quotes: one sets a prototype, the other may not name a field.
  if (!/^[A-Za-z_$][\w$]*$/.test(text) || text === '__proto__' || text === 'constructor') return undefined
  return { start: key.start, end: key.end, text }
}

const isKeyed = ({ type }: Node) =>
  type === 'Property' || type === 'MethodDefinition' || type === 'PropertyDefinition' || type === 'AccessorProperty'

/** The names a statement declares in its scope. */
export function declaredNames(statement: Node): string[] {
  if (statement.type === 'VariableDeclaration') {
    return (statement['declarations'] as Node[]).flatMap(({ id }) => patternNames(id as Node))
  }
  if (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') {
    const { id } = statement as unknown as { id: { name: string } | null }
    return id === null ? [] : [id.name]
  }
  return []
}

function patternNames(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern['name'] as string]
    case 'ObjectPattern':
      return (pattern['properties'] as Node[]).flatMap((property) =>
        patternNames((property.type === 'RestElement' ? property['argument'] : property['value']) as Node),
      )
    case 'ArrayPattern':
      return (pattern['elements'] as (Node | null)[]).flatMap((element) =>
        element === null ? [] : patternNames(element),
      )
    case 'AssignmentPattern':
      return patternNames(pattern['left'] as Node)
    case 'RestElement':
      return patternNames(pattern['argument'] as Node)
    default:
      return []
  }
}

/** `callee(…)` with a plain name for the callee: its arguments. */
export function callOf(node: unknown, callee: string): readonly Node[] | undefined {
  if (!isNode(node) || node.type !== 'CallExpression') return undefined
  const target = node['callee'] as Node
  return target.type === 'Identifier' && target['name'] === callee ? (node['arguments'] as Node[]) : undefined
}

export const stringOf = (node: Node | undefined): string | undefined =>
  node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined

/** `object.property` with plain names. */
export function memberOf(node: unknown): { object: string; property: string } | undefined {
  if (!isNode(node) || node.type !== 'MemberExpression' || node['computed'] === true) return undefined
  const [object, property] = [node['object'] as Node, node['property'] as Node]
  if (object.type !== 'Identifier' || property.type !== 'Identifier') return undefined
  return { object: object['name'] as string, property: property['name'] as string }
}
