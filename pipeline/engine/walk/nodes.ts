import assert from 'node:assert/strict'
import type { ArtifactType } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import { didYouMean } from '../../../lib/nearMatch.ts'
import type { Collection, Graph, Grown, NodeHandle, Pipeline } from '../graph.ts'
import type { Task } from '../task.ts'
import { refuseCycles } from './cycles.ts'
import { canonicalParams } from './params.ts'
import { asPart, codeOf, type Reference, resolvePart, wiresOf } from './wiring.ts'

/** A node in the engine's own form: plain objects linked to each other, no library graph on the hot path. */
export interface GraphNode {
  readonly handle: 'node'
  readonly address: string
  readonly output: ArtifactType
  readonly task: Task
  /** Canonical: parsed, defaults elided. */
  readonly params: unknown
  readonly wires: readonly Wire[]
  /** Values wired to code ports, by port name. */
  readonly code: Readonly<Record<string, unknown>>
  /** Order of placing: the tie-break wherever one is needed. */
  readonly index: number
}

export interface Wire {
  readonly port: string
  readonly form: 'one' | 'many' | 'none'
  readonly parts: readonly Part[]
}

export type Part = GraphNode | GraphCollection

export interface GraphCollection {
  readonly handle: 'collection'
  readonly id: string
  readonly source: GraphNode
  readonly items: (value: never) => readonly unknown[]
  readonly grow: (item: never, index: number) => unknown
  /** Known once the source's artifact is. */
  parts: readonly Part[] | undefined
}

/** All nodes placed so far, and what they are called. It grows as artifacts become known. */
export class NodeGraph implements Graph {
  readonly nodes = new Map<string, GraphNode>()
  readonly targets = new Map<string, readonly Part[]>()
  readonly collections: GraphCollection[] = []
  private readonly absentTargets = new Map<string, string>()
  /** How many of them rest on a node. */
  private readonly collectionCounts = new Map<GraphNode, number>()
  private readonly sources = new Map<string, Task>()
  private readonly references = new Map<string, Reference[]>()
  private placing: string | undefined // the collection being grown, for messages

  constructor(pipeline: Pipeline, config: unknown) {
    ofProject(`the build function of pipeline "${pipeline.name}"`, () => pipeline.build(this, config))
    if (this.targets.size === 0) {
      throw new Fault({
        code: 'usage',
        what: 'the pipeline names no target',
        where: pipeline.name,
        todo: 'call graph.target(name, node) in its build function',
      })
    }
    this.checkReferences()
  }

  add(task: Task, ...args: readonly unknown[]): NodeHandle<never> {
    const placement = (args[0] ?? {}) as {
      at?: readonly (string | number)[]
      params?: unknown
      inputs?: Readonly<Record<string, unknown>>
      code?: Readonly<Record<string, unknown>>
    }
    const address = addressOf(task.name, placement.at ?? [])
    if (this.nodes.has(address)) {
      throw new Fault({
        code: 'usage',
        what: `the address ${address} is used twice`,
        where: this.placing === undefined ? undefined : `growing ${this.placing}`,
        todo: 'give each placement its own `at`, such as at: [symbol, month]',
      })
    }
    const named = this.sources.get(task.name)
    if (task.kind !== 'pure' && named !== undefined && named !== task) {
      throw new Fault({
        code: 'usage',
        what: `two different ${task.kind}s are named "${task.name}": their answers could not be told apart`,
        where: address,
        todo: 'give each its own name',
      })
    }
    if (task.kind !== 'pure') this.sources.set(task.name, task)
    const node: GraphNode = {
      handle: 'node',
      address,
      output: task.output,
      task,
      params: canonicalParams(task, placement.params, address),
      wires: wiresOf(task, placement.inputs ?? {}, address),
      code: codeOf(task, placement.code ?? {}, address),
      index: this.nodes.size,
    }
    this.nodes.set(address, node)
    for (const reference of this.references.get(address) ?? []) reference.found = node
    return node as unknown as NodeHandle<never>
  }

  each<Value, Item, A extends ArtifactType>(
    artifact: NodeHandle,
    items: (value: Value) => readonly Item[],
    grow: (item: Item, index: number) => Grown<A>,
  ): Collection<A> {
    const source = resolvePart(asPart(artifact, 'each'))
    assert.ok(source.handle === 'node', 'each takes one node')
    if (source.output.form !== 'json') {
      throw new Fault({
        code: 'usage',
        what: `each needs a JSON artifact, and ${source.output.name} is ${source.output.form}`,
        where: source.address,
        todo: 'list the items in a JSON artifact',
      })
    }
    const sameSource = this.collectionCounts.get(source) ?? 0
    this.collectionCounts.set(source, sameSource + 1)
    const collection: GraphCollection = {
      handle: 'collection',
      id: `${source.address}.each${sameSource === 0 ? '' : sameSource + 1}`,
      source,
      items: items as GraphCollection['items'],
      grow: grow as GraphCollection['grow'],
      parts: undefined,
    }
    this.collections.push(collection)
    return collection as unknown as Collection<A>
  }

  ref<A extends ArtifactType>(output: A, address: string): NodeHandle<A> {
    const reference: Reference = { handle: 'reference', address, output, found: this.nodes.get(address) }
    this.references.set(address, [...(this.references.get(address) ?? []), reference])
    return reference as unknown as NodeHandle<A>
  }

  target(name: string, ...what: readonly (NodeHandle | Collection)[]): void {
    if (this.targets.has(name))
      throw new Fault({ code: 'usage', what: `the target "${name}" is named twice`, todo: 'name each target once' })
    this.targets.set(
      name,
      what.map((part) => asPart(part, `target ${name}`)),
    )
  }

  absentTarget(name: string, todo: string): void {
    this.absentTargets.set(name, todo)
  }

  /** Places the nodes of a fan-out, now that the list it rests on can be read. */
  expand(collection: GraphCollection, value: unknown): readonly Part[] {
    assert.equal(collection.parts, undefined)
    this.placing = collection.id
    try {
      const parts: Part[] = []
      const items = ofProject(`items of ${collection.id}`, () =>
        (collection.items as (value: unknown) => unknown)(value),
      )
      if (!Array.isArray(items)) {
        throw new Fault({
          code: 'usage',
          what: `items must give an array, and gave ${items === null ? 'null' : typeof items}`,
          where: collection.id,
          todo: 'let the second argument of each pick the list out of the artifact',
        })
      }
      for (let i = 0; i < items.length; i++) {
        const grown = ofProject(`grow of ${collection.id}, item ${i}`, () =>
          (collection.grow as (item: unknown, index: number) => unknown)(items[i], i),
        )
        for (const part of Array.isArray(grown) ? grown : [grown]) parts.push(asPart(part, collection.id))
      }
      if (parts.some((part) => holds(part, collection))) {
        throw new Fault({
          code: 'usage',
          what: `the graph has a cycle: ${collection.id} grows itself`,
          todo: 'return the nodes that grow places',
        })
      }
      collection.parts = parts
      this.checkReferences()
      return parts
    } finally {
      this.placing = undefined
    }
  }

  has(name: string): boolean {
    return this.targets.has(name) || this.nodes.has(name)
  }

  /** The parts of a named target, or the node at an address. */
  find(name: string): readonly Part[] {
    const target = this.targets.get(name)
    if (target !== undefined) return target
    const node = this.nodes.get(name)
    if (node !== undefined) return [node]
    const todo = this.absentTargets.get(name)
    if (todo !== undefined)
      throw new Fault({ code: 'usage', what: `the config as it is has no target "${name}"`, where: name, todo })
    const known = [...this.targets.keys(), ...this.absentTargets.keys(), ...this.nodes.keys()]
    throw new Fault({
      code: 'usage',
      what: `there is no target or node "${name}"${didYouMean(name, known)}`,
      todo: `name one of the targets: ${[...this.targets.keys()].join(', ')}`,
    })
  }

  private checkReferences(): void {
    if (this.references.size === 0) return
    for (const [address, references] of this.references) {
      const found = references[0]!.found
      if (found === undefined) {
        throw new Fault({
          code: 'usage',
          what: `no node has the address ${address}${didYouMean(address, this.nodes.keys())}`,
          where: 'ref',
          todo: 'correct the address; ref reaches nodes placed by the same build or expansion, or before it',
        })
      }
      for (const reference of references) {
        if (reference.output.name !== found.output.name) {
          throw new Fault({
            code: 'usage',
            what: `${address} makes ${found.output.name}, not ${reference.output.name}`,
            where: 'ref',
            todo: 'reference it with the type it makes',
          })
        }
      }
    }
    refuseCycles(this.nodes.values())
  }
}

/** Calls a function of the project. What it throws is the project's mistake and not ours. */
function ofProject<T>(what: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    if (error instanceof Fault) throw error
    // A Fault of the project's own copy of tickpipe is no instance of ours, and says as much.
    if ((error as { name?: unknown } | null)?.name === 'Fault') throw new Fault(error as Fault)
    throw new Fault({
      code: 'usage',
      what: `it threw: ${error instanceof Error ? error.message : String(error)}`,
      where: what,
      todo: 'correct it; the stack is in the cause',
      cause: error,
    })
  }
}

function holds(part: Part, collection: GraphCollection): boolean {
  return (
    part.handle === 'collection' &&
    (part === collection || (part.parts ?? []).some((inner) => holds(inner, collection)))
  )
}

/** Readable, stable, and safe to type: `klines[BTCUSDT,1m,2024-01]`. */
function addressOf(task: string, at: readonly (string | number)[]): string {
  for (const part of at) {
    if (!/^[\p{L}\p{N}._:+@-]+$/u.test(String(part))) {
      throw new Fault({
        code: 'usage',
        what: `"${part}" cannot be part of an address`,
        where: task,
        todo: 'use letters, digits and . _ : + @ - only',
      })
    }
  }
  return at.length === 0 ? task : `${task}[${at.join(',')}]`
}
