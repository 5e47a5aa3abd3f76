import type { ArtifactType, FileSet } from '../../lib/artifact.ts'
import type { StartOver } from '../../lib/tables/batches.ts'
import { assertSorted } from '../../lib/tables/order.ts'
import { concatTables, type Table } from '../../lib/tables/table.ts'
import type { Graph, Pipeline } from '../../pipeline/engine/graph.ts'
import type { OutputFile, Port, PureTask, SourceTask, Task } from '../../pipeline/engine/task.ts'
import { collected } from './batches.ts'
import { preparedInputs } from './preparedInputs.ts'
import { fileSet } from './rawFiles.ts'
import { notedTable } from './runTask.ts'

type Node = {
  handle: 'node'
  address: string
  output: ArtifactType
  task: Task
  params: unknown
  inputs: Record<string, unknown>
  code: Record<string, unknown>
}
type Collection = {
  handle: 'collection'
  source: Node
  items: (value: never) => readonly unknown[]
  grow: (item: never, index: number) => unknown
}

/** What came of a source that had nothing. */
const nothing = Symbol('absent')

const notesOfTables = new WeakMap<Table, string>()

/** A pipeline's graph run in memory, without a store: real tasks, real wiring, and every artifact at hand by address. */
export class MemoryRun {
  readonly values = new Map<string, unknown>()
  readonly notes: Readonly<Record<string, unknown>>[] = []
  private readonly nodes = new Map<string, Node>()
  private readonly targets = new Map<string, readonly unknown[]>()
  private readonly grown = new Map<Collection, unknown[]>()
  private readonly asOfMs: number
  /** Artifacts of an earlier run, by task and params: what is there is not fetched again. */
  private readonly known: Map<string, unknown>

  constructor(pipeline: Pipeline, config: unknown, asOfMs: number, known = new Map<string, unknown>()) {
    this.asOfMs = asOfMs
    this.known = known
    pipeline.build(this.graph(), pipeline.config.parse(config))
  }

  /** Makes a target. Sources run one after another, so that tests are repeatable. */
  async make(target: string): Promise<void> {
    for (const what of this.targets.get(target)!) await this.all(what)
  }

  /** Values of all nodes of a task, by address. */
  of<T>(task: string): Map<string, T> {
    const found = [...this.nodes.values()].filter((node) => node.task.name === task && this.values.has(node.address))
    return new Map(found.map(({ address }) => [address, this.values.get(address) as T]))
  }

  private graph(): Graph {
    const add = (
      task: Task,
      placement: {
        at?: readonly (string | number)[]
        params?: unknown
        inputs?: Record<string, unknown>
        code?: Record<string, unknown>
      } = {},
    ) => {
      const address = (placement.at ?? []).length === 0 ? task.name : `${task.name}[${placement.at!.join(',')}]`
      if (this.nodes.has(address)) throw new Error(`the address ${address} is used twice`)
      const node: Node = {
        handle: 'node',
        address,
        output: task.output,
        task,
        params: task.params.parse(placement.params ?? {}),
        inputs: placement.inputs ?? {},
        code: placement.code ?? {},
      }
      this.nodes.set(address, node)
      return node
    }
    return {
      add,
      each: (source: Node, items: Collection['items'], grow: Collection['grow']) => ({
        handle: 'collection',
        source,
        items,
        grow,
      }),
      ref: (_output: ArtifactType, address: string) => ({ handle: 'reference', address }),
      target: (name: string, ...what: readonly unknown[]) => this.targets.set(name, what),
      absentTarget: () => {},
    } as unknown as Graph
  }

  private async all(what: unknown): Promise<unknown[]> {
    if (Array.isArray(what)) {
      const values: unknown[] = []
      for (const one of what) values.push(...(await this.all(one)))
      return values
    }
    const { handle } = what as { handle: string }
    if (handle === 'node') return [await this.value(what as Node)]
    if (handle === 'reference') return [await this.value(this.nodes.get((what as { address: string }).address)!)]
    const collection = what as Collection
    let grown = this.grown.get(collection)
    if (grown === undefined) {
      const value = await this.value(collection.source)
      grown = collection.items(value as never).map((item, i) => collection.grow(item as never, i))
      this.grown.set(collection, grown)
    }
    return this.all(grown)
  }

  private async value(node: Node): Promise<unknown> {
    if (this.values.has(node.address)) return this.values.get(node.address)
    const ports = ('inputs' in node.task ? (node.task.inputs ?? {}) : {}) as Record<string, Port>
    const inputs: Record<string, unknown> = {}
    for (const [name, port] of Object.entries(ports)) inputs[name] = await this.input(port, node.inputs[name])
    const value = node.task.kind === 'source' ? await this.fetched(node, inputs) : await this.computed(node, inputs)
    this.values.set(node.address, value)
    return value
  }

  private async input(port: Port, wire: unknown): Promise<unknown> {
    const inner = 'port' in port && port.port === 'optional' ? port.of : port
    if (wire === undefined) return undefined
    const values = (await this.all(wire)).filter((value) => value !== nothing)
    if ('port' in inner && inner.port === 'many') return values.map((value) => shaped(inner.of, value))
    return values.length === 0 ? undefined : shaped(inner, values[0])
  }

  private async computed({ task, params, code }: Node, inputs: Record<string, unknown>): Promise<unknown> {
    const made = await (task as PureTask).run(
      preparedInputs(task as PureTask, { ...inputs, ...code }, params) as never,
      params as never,
      {
        seed: (stream) => stream,
        log: () => {},
      },
    )
    if (task.output.form === 'json') return task.output.schema.parse(made)
    if (task.output.form === 'files')
      return fileSet(Object.fromEntries([...(made as Iterable<OutputFile>)].map(({ name, bytes }) => [name, bytes])))
    const { tables, notes } =
      'rowCount' in (made as object)
        ? { tables: [made as Table], notes: undefined }
        : collected(made as Iterable<Table | StartOver>)
    const table = concatTables(task.output.schema, tables)
    assertSorted(table)
    if (notes !== undefined) notesOfTables.set(table, notes)
    return table
  }

  private async fetched({ task, params }: Node, inputs: Record<string, unknown>): Promise<unknown> {
    const source = task as SourceTask
    const key = JSON.stringify([source.name, source.version, params, source.usesAsOf === true ? this.asOfMs : 0])
    if (this.known.has(key)) return this.known.get(key)
    const files: Record<string, Uint8Array> = {}
    const made = await source.run(inputs as never, params as never, {
      signal: new AbortController().signal,
      asOfMs: this.asOfMs,
      attempt: 1,
      log: () => {},
      note: (fact) => this.notes.push(fact),
      progress: () => {},
      openFile: (name) => {
        const chunks: Uint8Array[] = []
        return {
          write: (chunk) => chunks.push(Uint8Array.from(chunk)),
          finish: () => (files[name] = Buffer.concat(chunks)),
        }
      },
    })
    const value =
      'absent' in (made as object)
        ? nothing
        : fileSet({ ...files, ...Object.fromEntries((made as OutputFile[]).map(({ name, bytes }) => [name, bytes])) })
    this.known.set(key, value)
    return value
  }
}

function shaped(port: Port, value: unknown): unknown {
  if (!('port' in port && port.port === 'stored')) return value
  const isTable = 'rowCount' in (value as object)
  return isTable
    ? notedTable(value as Table, notesOfTables.get(value as Table))
    : { read: () => value, files: value as FileSet }
}
