import type { ArtifactDescriptor } from '../cas/artifact.ts'
import type { Digest } from '../cas/digest.ts'
import type { Staged } from '../cas/staging.ts'
import type { Store } from '../cas/store.ts'
import type { Manifest, ManifestNode } from './manifest.ts'
import type { ComparedNode } from './nodeChange.ts'
import type { Snapshot } from './snapshotFolder.ts'
import type { VerifyProgress } from './verifyProgress.ts'
import type { Finding, Sample, VerifyCounts, VerifyLevel } from './verifyReport.ts'

/** What this folder cannot do itself, since it outlives the code that made a snapshot: decode tables, run nodes, know
 *  today's program. */
export interface VerifyHands {
  /** Decodes an artifact and says what is wrong with it; nothing, when all is well. */
  readArtifact?(artifact: StoredArtifact): Promise<readonly DataProblem[]>
  /** Runs a pure node by its stored code. Whatever it stages belongs to the caller. */
  execute?(node: ManifestNode, inputs: Readonly<Record<string, RebuildInput>>): Promise<Rebuilt>
  /** The first difference of two artifacts of one type, in words: row, column, both values. */
  diffArtifacts?(recorded: StoredArtifact, rebuilt: StoredArtifact): Promise<string | undefined>
  /** The nodes that today's code and config would make, as far as they are known without running any. */
  current?(manifest: Manifest): Promise<readonly ComparedNode[]>
}

export interface StoredArtifact {
  readonly id: Digest
  readonly type: string
  readonly descriptor: ArtifactDescriptor
  readonly files: readonly {
    readonly name: string
    readonly path: string
    readonly sizeBytes: number
    readonly rows?: number
  }[]
}

export interface DataProblem {
  readonly severity: 'error' | 'warning'
  readonly what: string
  readonly todo?: string
}

export type RebuildInput =
  | { readonly kind: 'one'; readonly artifact: StoredArtifact }
  | { readonly kind: 'many'; readonly artifacts: readonly StoredArtifact[] }
  | { readonly kind: 'absent' }

export interface Rebuilt {
  readonly type: string
  readonly files: readonly { readonly name: string; readonly staged: Staged; readonly rows?: number }[]
}

export interface VerifyOptions extends VerifyHands {
  readonly sample?: Sample
  /** Threads of the objects level, and nodes at once of the others. */
  readonly workers?: number
  readonly signal?: AbortSignal
  /** Where an interrupted verify notes what it did; without it nothing can be resumed. */
  readonly progressFile?: string
  /** Run the code of a snapshot that somebody else made. */
  readonly trustCode?: boolean
  readonly onProgress?: (progress: {
    readonly level: VerifyLevel
    readonly done: number
    readonly total: number
    readonly node?: string
  }) => void
}

export interface LevelContext {
  readonly store: Store
  readonly snapshot: Snapshot
  readonly options: VerifyOptions
  readonly progress: VerifyProgress
}

export interface LevelResult {
  readonly findings: readonly Finding[]
  readonly counts: VerifyCounts
  readonly interrupted: boolean
}

/** An artifact whose files are all here, with the paths to read them by. */
export function storedArtifact(store: Store, id: Digest): StoredArtifact | undefined {
  if (store.artifactPresence(id) !== 'present') return undefined
  const descriptor = store.readDescriptor(id)
  const files = []
  for (const { name, digest, sizeBytes, rows } of descriptor.files) {
    const path = store.locate(digest)
    if (path === undefined) return undefined
    files.push({ name, path, sizeBytes, ...(rows === undefined ? {} : { rows }) })
  }
  return { id, type: descriptor.type, descriptor, files }
}

/** Runs work on items, a few at a time, in their order, until a signal says stop. Returns how many were begun. */
export async function inParallel<T>(
  items: readonly T[],
  options: { readonly workers?: number; readonly signal?: AbortSignal },
  work: (item: T) => Promise<void>,
): Promise<number> {
  let next = 0
  const runner = async (): Promise<void> => {
    while (next < items.length && options.signal?.aborted !== true) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: Math.min(options.workers ?? 2, items.length) }, runner))
  return next
}
