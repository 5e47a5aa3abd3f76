import { readFileSync, rmSync } from 'node:fs'
import { parseDescriptor } from '../../cas/artifact.ts'
import { type GcOptions, type GcPlan, planGc, type Root, whyAlive } from '../../cas/gc.ts'
import { executeGc, type GcResult, undoGc } from '../../cas/gcExecute.ts'
import { verifyObjects } from '../../cas/verify.ts'
import { Fault } from '../../lib/fault.ts'
import { keptArtifacts, reachOf } from '../../snapshots/reach.ts'
import { remakeCommand } from '../../snapshots/remake.ts'
import { snapshotRoots } from '../../snapshots/roots.ts'
import type { VerifyOptions } from '../../snapshots/verifyLevel.ts'
import type { Finding, VerifyReport } from '../../snapshots/verifyReport.ts'
import { writeIndexFile } from '../engine/code/indexFile.ts'
import type { RecordPayload } from '../engine/recordPayload.ts'
import type { Digest, Store } from './context.ts'
import { type NamedManifest, newestRuns } from './names.ts'

/** What the store must keep, put together from what the command knows: snapshots, the last runs, what recomputing
 *  costs. The store itself knows nothing of either. */
export interface KeepRules {
  /** Keep whatever the last runs reach. */
  readonly keepRuns: number
  /** Leave alone what was written or used so recently. */
  readonly graceMs: number
  /** Take source bytes as well that nothing else keeps. */
  readonly sources: boolean
  readonly maxSizeBytes: number | undefined
  readonly allowEmptyKeepSet: boolean
  readonly nowMs: number
}

export const planCollection = (store: Store, rules: KeepRules): GcPlan => planGc(store, gcOptions(store, rules))

export const collect = (store: Store, plan: GcPlan): Promise<GcResult> => executeGc(store, plan)

export const undoCollection = (store: Store): Promise<{ restoredObjects: number; restoredBytes: number }> =>
  undoGc(store)

export const reasonsToKeep = (store: Store, rules: KeepRules, digest: Digest) =>
  whyAlive(store, gcOptions(store, rules), digest)

function gcOptions(store: Store, rules: KeepRules): GcOptions {
  const { sources, keepRuns, ...rest } = rules
  const roots = [...snapshotRoots(store), ...newestRuns(store.root, keepRuns).flatMap((run) => rootsOfRun(store, run))]
  return {
    ...rest,
    roots: [...roots, ...notesOn(store, roots)],
    ...(sources ? { keepSources: new Set<Digest>() } : {}),
    costOf: recomputeCosts(store),
  }
}

function rootsOfRun(store: Store, { label, manifest }: NamedManifest): Root[] {
  const kept = keptArtifacts(manifest)
  const artifacts = new Set(manifest.nodes.map((node) => node.artifact))
  const roots = [...artifacts].map((digest) => ({ label, digest, evictable: !kept.has(digest) }))
  // Code, package trees and lists; what cannot be read any more is damage for verify, and no reason to stop here.
  const reach = reachOf(
    manifest,
    (digest) => store.peekObject(digest),
    () => {},
  )
  for (const digest of reach.neverEvicted) if (!artifacts.has(digest)) roots.push({ label, digest, evictable: false })
  return roots
}

/** What `why` says of code rests on a note beside each code object. It stays as long as the code does. */
function notesOn(store: Store, roots: readonly Root[]): Root[] {
  const kept = new Set(roots.map((root) => root.digest))
  const notes: Root[] = []
  store.records.scan('note', ({ key, artifact }) => {
    if (artifact !== undefined && kept.has(key)) notes.push({ label: 'note on kept code', digest: artifact })
  })
  return notes
}

/** Milliseconds that making an artifact again took when it was made; read when the first eviction asks. */
function recomputeCosts(store: Store): (artifact: Digest) => number | undefined {
  let costs: Map<Digest, number> | undefined
  return (artifact) => {
    if (costs === undefined) {
      const read = new Map<Digest, number>()
      store.records.scan('result', (record) => {
        const payload = store.records.payload(record) as RecordPayload | undefined
        if (record.artifact !== undefined && payload !== undefined) read.set(record.artifact, payload.cost.wallMs)
      })
      costs = read
    }
    return costs.get(artifact)
  }
}

/** Hashes every object there is, and looks at the record files. */
export async function verifyEverything(store: Store, options: VerifyOptions): Promise<VerifyReport> {
  const { workers, signal, sample, onProgress, progressFile } = options
  const resumeFrom = progressFile === undefined ? undefined : readCursor(progressFile)
  const result = await verifyObjects(store, {
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
    ...(sample === undefined ? {} : { sample }),
    ...(resumeFrom === undefined ? {} : { resumeFrom }),
    onProgress: (progress) => {
      const { checkedObjects, totalObjects } = progress
      if (progressFile !== undefined && progress.resumeFrom !== undefined)
        writeIndexFile(progressFile, progress.resumeFrom)
      onProgress?.({ level: 'objects', done: checkedObjects, total: totalObjects })
    },
  })
  if (progressFile !== undefined && !result.interrupted) rmSync(progressFile, { force: true })
  const makers = makersOf(store, new Set(result.findings.flatMap(({ digest }) => digest ?? [])))
  const findings = result.findings.map(({ kind, digest, path, why, quarantined }): Finding => {
    const node = digest === undefined ? undefined : makers.get(digest)
    return {
      severity: kind === 'writable' || kind === 'stranger' ? 'warning' : 'error',
      kind: kind === 'missing' ? 'missing' : kind === 'stranger' || kind === 'notAFile' ? 'odd file' : 'damaged',
      ...(node === undefined ? {} : { node }),
      ...(digest === undefined ? {} : { digest }),
      what: `${path}: ${why}${quarantined ? '; moved to quarantine' : ''}`,
      ...(quarantined ? { todo: wayBack(node) } : {}),
    }
  })
  findings.push(...lostAnswers(store, new Set(result.findings.flatMap(({ digest }) => digest ?? []))))
  for (const { segment, from, to, why } of store.records.damage()) {
    findings.push({
      severity: 'error',
      kind: 'record',
      what: `${segment}, bytes ${from} to ${to}: ${why}`,
      todo: 'what was recorded there runs again',
    })
  }
  return {
    level: 'objects',
    snapshot: '',
    id: undefined,
    findings,
    counts: { total: result.totalObjects, checked: result.checkedObjects, notSampled: 0, resumed: 0, evicted: 0 },
    interrupted: result.interrupted,
  }
}

/** Naming the node brings it back whatever else is asked for: who only rests on its name does not notice that it is lost. */
const wayBack = (node: string | undefined): string =>
  node === undefined
    ? 'run your targets again: what can be made again is'
    : `make it again, if it is still part of your pipeline: ${remakeCommand(node)}`

/** Where the nodes stood that gave these objects, be they descriptors or files. */
function makersOf(store: Store, lost: ReadonlySet<Digest>): ReadonlyMap<Digest, string> {
  const makers = new Map<Digest, string>()
  if (lost.size === 0) return makers
  for (const kind of ['result', 'observation'] as const) {
    store.records.scan(kind, (record) => {
      const { artifact } = record
      const address = (store.records.payload(record) as RecordPayload | undefined)?.address
      if (artifact === undefined || address === undefined) return
      for (const digest of [artifact, ...filesOf(store, artifact)]) if (lost.has(digest)) makers.set(digest, address)
    })
  }
  return makers
}

function filesOf(store: Store, artifact: Digest): Digest[] {
  try {
    return parseDescriptor(store.peekObject(artifact)).files.map(({ digest }) => digest)
  } catch (error) {
    if (error instanceof Fault) return [] // nobody knows any more what it consisted of
    throw error
  }
}

/** What sources gave and is not here any more, although nobody gave it up: hashing what is here cannot notice it. */
function lostAnswers(store: Store, told: ReadonlySet<Digest>): Finding[] {
  const keys = new Set<Digest>()
  store.records.scan('observation', ({ key }) => void keys.add(key))
  const findings: Finding[] = []
  for (const key of keys) {
    const record = store.records.observations(key).at(-1)
    const artifact = record?.artifact
    if (
      record === undefined ||
      artifact === undefined ||
      told.has(artifact) ||
      store.artifactPresence(artifact) !== 'missing'
    )
      continue
    const files = store.hasObject(artifact) ? store.readDescriptor(artifact).files : []
    if (files.some(({ digest }) => told.has(digest))) continue
    const address = (store.records.payload(record) as RecordPayload | undefined)?.address
    findings.push({
      severity: 'error',
      kind: 'missing',
      ...(address === undefined ? {} : { node: address }),
      digest: artifact,
      what:
        files.length === 0
          ? 'the descriptor of what this source gave is gone'
          : 'bytes that this source gave are gone, or have another size',
      todo: `${address === undefined ? 'run your targets again' : remakeCommand(address)}: the source is asked again; or import a bundle that holds it`,
    })
  }
  return findings
}

/** Everything up to this object was checked by a verify that was interrupted. */
function readCursor(progressFile: string): Digest | undefined {
  try {
    const text = readFileSync(progressFile, 'utf8').trim()
    return /^[0-9a-f]{64}$/.test(text) ? (text as Digest) : undefined
  } catch {
    return undefined // nothing to resume
  }
}

export type { GcPlan, GcResult }
