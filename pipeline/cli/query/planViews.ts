import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ArtifactDescriptor } from '../../../cas/artifact.ts'
import { short } from '../../../cas/digest.ts'
import { readChecked } from '../../../cas/objects.ts'
import { Fault } from '../../../lib/fault.ts'
import { openAnyTable } from '../../../lib/tables/parquet.ts'
import { schemaDifferences, type TableSchema } from '../../../lib/tables/schema.ts'
import { absentType, type Manifest, type ManifestNode } from '../../../snapshots/manifest.ts'
import type { Digest, Store } from '../context.ts'

/** A stored file, and the node that made it. */
export interface ViewFile {
  readonly node: string
  /** Its name in the artifact. */
  readonly file: string
  readonly digest: Digest
  readonly path: string
  /** Of its node's params: what tells bars of one symbol from each other that stand in one table. */
  readonly interval: string | undefined
  readonly market: string | undefined
}

/** Files of a snapshot that are read as one table. */
export interface View {
  readonly name: string
  /** `json`: values of a JSON artifact, a row each. */
  readonly form: 'table' | 'json'
  readonly files: readonly ViewFile[]
  /** Of one of the files: it has the units. Files that other programs wrote have none. */
  readonly schema: TableSchema | undefined
  /** The files may differ in columns or digits. */
  readonly mixed: boolean
  /** An artifact holds several of its files, so that a row needs the file's name to be traced. */
  readonly manyFiles: boolean
}

export interface ViewPlan {
  readonly views: readonly View[]
  readonly nodes: readonly ManifestNode[]
  /** The artifact type of each node; nothing where not even that is here any more. */
  readonly types: ReadonlyMap<string, string>
  /** Nodes whose bytes are not here, by the views that are incomplete without them. */
  readonly lost: readonly LostNode[]
}

export interface LostNode {
  readonly node: ManifestNode
  readonly evicted: boolean
  readonly views: readonly string[]
}

/**
 * Which views a snapshot has. A table artifact is a view under its type. A Parquet file inside another artifact is a view
 * under the name of the table it says it holds (`equity`, `fills`, `features`), or `<type>_<file>` where another program
 * wrote it. A JSON artifact is a view under its type, a row for each value.
 *
 * Where a node and variants of it (`backtest`, `backtest[fees,none]`) made the same table, its name means the node, for
 * adding up the fees of one run with those of six others is nobody's wish; `fills_all` has all of them. A file that a node
 * only hands on from what it read, as a report does, is in neither.
 */
export function planViews(store: Store, { nodes }: Manifest): ViewPlan {
  const groups = new Map<string, Group>()
  const types = new Map<string, string>()
  const gone: { node: ManifestNode; evicted: boolean }[] = []
  const here: { node: ManifestNode; descriptor: ArtifactDescriptor }[] = []
  const sampled = new Map<string, TableSchema | undefined>()
  for (const node of nodes) {
    const presence = store.artifactPresence(node.artifact)
    if (presence === 'present') here.push({ node, descriptor: store.readDescriptor(node.artifact) })
    else gone.push({ node, evicted: presence === 'evicted' })
  }
  const isHandedOn = handedOn(here)
  for (const { node, descriptor } of here) {
    const { type, files } = descriptor
    types.set(node.address, type)
    if (type === absentType) continue
    for (const { name, digest } of files) {
      const isTable = name.endsWith('.parquet')
      if ((!isTable && name !== 'value.json') || isHandedOn(node, digest)) continue
      const file = { node: node.address, file: name, digest, path: store.locate(digest)!, ...seriesOf(node) }
      if (!isTable) {
        groupOf(groups, type, 'json').add(file, node.task, undefined)
        continue
      }
      // Files of one task and name hold the same table; a thousand footers need not be read to know that.
      const alike = `${node.task}\n${type}\n${name}`
      if (!sampled.has(alike)) sampled.set(alike, readSchema(file))
      const schema = sampled.get(alike)
      const viewName =
        name === 'table.parquet' ? type : (schema?.name ?? `${type}_${name.slice(0, -'.parquet'.length)}`)
      groupOf(groups, viewName, 'table').add(file, node.task, schema)
    }
  }
  const variants = variantsAmong(nodes)
  const views = named([...groups.values()], variants)
  const lost = gone.map(({ node, evicted }) => ({
    node,
    evicted,
    views: views
      .filter(({ group, isWhole }) => group.tasks.has(node.task) && (isWhole || !variants.has(node.address)))
      .map(({ view }) => view.name),
  }))
  return { views: views.map(({ view }) => view), nodes, types, lost }
}

function seriesOf({ params }: ManifestNode): Pick<ViewFile, 'interval' | 'market'> {
  const { interval, market } = (params ?? {}) as { readonly interval?: unknown; readonly market?: unknown }
  if (typeof interval !== 'string') return { interval: undefined, market: undefined }
  // Params that are what they are by default stand in no manifest.
  return { interval, market: typeof market === 'string' ? market : 'usdm' }
}

/** Addresses such as `backtest[fees,none]`, where a node of the same task is called `backtest`. */
function variantsAmong(nodes: readonly ManifestNode[]): ReadonlySet<string> {
  const tasks = new Map(nodes.map(({ address, task }) => [address, task]))
  const isVariant = ({ address, task }: ManifestNode): boolean => {
    const bracket = address.indexOf('[')
    return bracket > 0 && tasks.get(address.slice(0, bracket)) === task
  }
  return new Set(nodes.filter(isVariant).map(({ address }) => address))
}

/** Whether a node has a file, byte for byte, from one of the artifacts it read. */
function handedOn(
  here: readonly { readonly node: ManifestNode; readonly descriptor: ArtifactDescriptor }[],
): (node: ManifestNode, file: Digest) => boolean {
  const held = new Map(
    here.map(({ node, descriptor }) => [node.artifact, new Set(descriptor.files.map(({ digest }) => digest))]),
  )
  return ({ inputs }, file) =>
    Object.values(inputs).some((input) => typeof input === 'string' && held.get(input)?.has(file) === true)
}

class Group {
  readonly files: ViewFile[] = []
  readonly tasks = new Set<string>()
  readonly form: View['form']
  readonly base: string
  schema: TableSchema | undefined
  mixed = false
  #nodes = new Set<string>()

  constructor(base: string, form: View['form']) {
    this.base = base
    this.form = form
  }

  add(file: ViewFile, task: string, schema: TableSchema | undefined): void {
    if (this.files.length > 0) {
      // What a file artifact holds is its task's own affair: another node's file may have other digits.
      const same =
        file.file === 'table.parquet' && this.schema !== undefined && schema !== undefined
          ? this.schema === schema || schemaDifferences(this.schema, schema).length === 0
          : this.form === 'json'
      if (!same) this.mixed = true
    }
    this.files.push(file)
    this.tasks.add(task)
    this.#nodes.add(file.node)
    this.schema ??= schema
  }

  get manyFiles(): boolean {
    return this.form === 'table' && this.#nodes.size < this.files.length
  }
}

function groupOf(groups: Map<string, Group>, name: string, form: View['form']): Group {
  // SQL takes `Prices` and `prices` for one name, and has no other signs in a plain one.
  const base = name.replace(/\W/g, '_').replace(/^(?=\d)/, '_')
  const key = `${form} ${base.toLowerCase()}`
  let group = groups.get(key)
  if (group === undefined) groups.set(key, (group = new Group(base, form)))
  return group
}

interface NamedView {
  readonly view: View
  readonly group: Group
  /** It has every file of its group. */
  readonly isWhole: boolean
}

function named(groups: readonly Group[], variants: ReadonlySet<string>): NamedView[] {
  const tables = new Set(groups.flatMap(({ form, base }) => (form === 'table' ? [base.toLowerCase()] : [])))
  const found: NamedView[] = groups.map((group) => {
    const { base, form, schema, mixed, manyFiles } = group
    const name = form === 'json' && tables.has(base.toLowerCase()) ? `${base}_json` : base
    const own = group.files.filter(({ node }) => !variants.has(node))
    // Where the node itself did not make the table, or its bytes are gone, there is nothing to tell apart.
    const files = own.length === 0 ? group.files : own
    const isWhole = files.length === group.files.length
    return { view: { name, form, files, schema, mixed, manyFiles }, group, isWhole }
  })
  const taken = new Set(found.map(({ view }) => view.name.toLowerCase()))
  for (const { view, group, isWhole } of [...found]) {
    if (isWhole) continue
    let name = `${view.name}_all`
    while (taken.has(name.toLowerCase())) name += '_'
    taken.add(name.toLowerCase())
    found.push({ view: { ...view, name, files: group.files }, group, isWhole: true })
  }
  return found.sort((a, b) => (a.view.name < b.view.name ? -1 : 1))
}

function readSchema({ path, digest, node, file }: ViewFile): TableSchema | undefined {
  const fd = openSync(path, 'r')
  try {
    const sizeBytes = fstatSync(fd).size
    const readAt = (offset: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      readSync(fd, bytes, 0, length, offset)
      return bytes
    }
    return openAnyTable({ sizeBytes, readAt }).schema
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const damage = damageOf({ path, digest, node, file })
    if (damage !== undefined) throw damage
    return undefined // whole, and written by another program
  } finally {
    closeSync(fd)
  }
}

/** What is wrong with a stored file, by its hash; nothing where its bytes are what their name says. */
export function damageOf({ path, digest, node, file }: Omit<ViewFile, 'interval' | 'market'>): Fault | undefined {
  const read = readChecked(path, digest)
  if (read instanceof Uint8Array) return undefined
  return new Fault({
    code: 'corrupt',
    what: `object ${short(digest)} is damaged: ${read.problem}`,
    where: `${node}, ${file}`,
    todo: 'run "pipe verify" to list every damaged object, then "pipe run" to make again what can be made again',
    details: { digest, node, file },
  })
}
