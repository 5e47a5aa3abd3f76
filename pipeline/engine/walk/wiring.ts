import assert from 'node:assert/strict'
import type { ArtifactType } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import type { Port, Task } from '../task.ts'
import type { GraphNode, Part, Wire } from './nodes.ts'

/** Stands for a node by address until it is placed. */
export interface Reference {
  readonly handle: 'reference'
  readonly address: string
  readonly output: ArtifactType
  found: GraphNode | undefined
}

/** The node or collection behind a handle; a reference is followed. */
export function resolvePart(part: Part): Part {
  const reference = part as unknown as Reference
  if (reference.handle !== 'reference') return part
  assert.ok(reference.found !== undefined, `the reference to ${reference.address} is followed before it is placed`)
  return reference.found
}

export function asPart(handle: unknown, where: string): Part {
  const kind = (handle as { handle?: unknown } | null | undefined)?.handle
  if (kind === 'node' || kind === 'collection' || kind === 'reference') return handle as Part
  throw new Fault({
    code: 'usage',
    what: 'a node was expected here',
    where,
    todo: 'pass what graph.add, graph.each or graph.ref returned',
  })
}

export function wiresOf(task: Task, inputs: Readonly<Record<string, unknown>>, where: string): Wire[] {
  const ports = task.inputs ?? {}
  for (const name of Object.keys(inputs)) {
    if (!(name in ports)) {
      throw new Fault({
        code: 'usage',
        what: `the task ${task.name} has no input "${name}"${didYouMean(name, Object.keys(ports))}`,
        where,
        todo: `wire one of: ${Object.keys(ports).join(', ')}`,
      })
    }
  }
  return Object.keys(ports)
    .sort()
    .map((name) => wireOf(name, ports[name]!, inputs[name], where))
}

function wireOf(name: string, port: Port, wired: unknown, where: string): Wire {
  const isOptional = 'port' in port && port.port === 'optional'
  const inner = isOptional ? port.of : port
  if (wired === undefined) {
    if (isOptional) return { port: name, form: 'none', parts: [] }
    throw new Fault({
      code: 'usage',
      what: `the input "${name}" is not wired`,
      where,
      todo: 'wire it, or declare it optional',
    })
  }
  const isMany = 'port' in inner && inner.port === 'many'
  const parts = (Array.isArray(wired) ? wired : [wired]).map((part) => asPart(part, `${where}, input ${name}`))
  if (!isMany && (Array.isArray(wired) || parts[0]!.handle === 'collection')) {
    throw new Fault({
      code: 'usage',
      what: `the input "${name}" takes one artifact and got a collection`,
      where,
      todo: 'declare it many(…)',
    })
  }
  const wanted = typeNameOf(inner)
  for (const part of parts) {
    if (part.handle === 'node' && part.output.name !== wanted) {
      throw new Fault({
        code: 'usage',
        what: `the input "${name}" takes ${wanted} and got ${part.output.name} from ${part.address}`,
        where,
        todo: 'wire a node that makes it',
      })
    }
  }
  return { port: name, form: isMany ? 'many' : 'one', parts }
}

/** The artifact type's name under any wrapping of ports. */
function typeNameOf(port: Port): string {
  let inner: Port = port
  while ('port' in inner) inner = inner.of
  return inner.name
}

export function codeOf(
  task: Task,
  code: Readonly<Record<string, unknown>>,
  where: string,
): Readonly<Record<string, unknown>> {
  const ports = task.kind === 'pure' ? (task.code ?? {}) : {}
  for (const name of Object.keys(ports)) {
    if (code[name] === undefined)
      throw new Fault({
        code: 'usage',
        what: `the code port "${name}" is empty`,
        where,
        todo: `give code: { ${name}: … }, an exported value of a module`,
      })
  }
  for (const name of Object.keys(code)) {
    if (!(name in ports))
      throw new Fault({
        code: 'usage',
        what: `the task ${task.name} has no code port "${name}"${didYouMean(name, Object.keys(ports))}`,
        where,
        todo: 'remove it, or declare it in the task',
      })
  }
  return code
}
