import { parseCanonicalJson } from '../../cas/canonicalJson.ts'
import { partitions } from '../../lib/market/plan/partitions.ts'
import type { DatasetPlan } from '../../lib/market/plan/planDataset.ts'
import type { Digest, Store } from './context.ts'

/** As much of a pure node of a manifest or a record as says what it is. */
export interface StoredNode {
  readonly task: string
  /** Parsed params; defaults are left out. */
  readonly params: unknown
  readonly artifact: Digest
}

/** Types of artifacts by the task that made them: a pure task makes one type, so one descriptor is read for each task,
 *  however many nodes it has. */
export class TypesByTask {
  readonly #store: Store
  readonly #types = new Map<string, string>()

  constructor(store: Store) {
    this.#store = store
  }

  of({ task, artifact }: Pick<StoredNode, 'task' | 'artifact'>): string | undefined {
    let type = this.#types.get(task)
    if (type === undefined) {
      try {
        type = this.#store.readDescriptor(artifact).type
      } catch {
        return undefined // evicted or damaged: the next node of the task may tell
      }
      this.#types.set(task, type)
    }
    return type
  }
}

/** The plan of a data set that a node made, where it made one that this program understands. */
function readPlan(store: Store, artifact: Digest): DatasetPlan | undefined {
  try {
    const { type, files } = store.readDescriptor(artifact)
    if (type !== partitions.name) return undefined
    const value = parseCanonicalJson(Buffer.from(store.peekObject(files[0]!.digest)).toString())
    const parsed = partitions.schema.safeParse(value)
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined // its bytes are gone
  }
}

/** The node among these that planned a data set, and its plan. */
export function findPlan<N extends StoredNode>(
  store: Store,
  nodes: Iterable<N>,
): { readonly node: N; readonly plan: DatasetPlan } | undefined {
  const types = new TypesByTask(store)
  for (const node of nodes) {
    if (types.of(node) !== partitions.name) continue
    const plan = readPlan(store, node.artifact)
    if (plan !== undefined) return { node, plan }
  }
  return undefined
}
