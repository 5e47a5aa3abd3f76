import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatasetPlan } from '../../../lib/market/plan/planDataset.ts'
import type { Manifest } from '../../../snapshots/manifest.ts'
import type { RunEvent } from '../../engine/event.ts'
import type { RecordPayload } from '../../engine/recordPayload.ts'
import type { Store } from '../context.ts'
import { findPlan, type StoredNode } from '../storedPlan.ts'
import { listRunIds, type RunSummary, readRunSummary, runFolder } from '../storedRuns.ts'

/** A node that failed in a run. */
export interface FailedNode {
  readonly task: string
  readonly params: unknown
  readonly message: string
}

/** The newest plan of a pipeline, and all that is stored of it. */
export interface LastPlan {
  readonly pipeline: string
  readonly run: string
  readonly outcome: string
  readonly asOfMs: number
  readonly plan: DatasetPlan
  /** The params of the task that planned. */
  readonly params: unknown
  /** Pure nodes: those of the run where it was complete, else everything that is recorded. */
  readonly nodes: readonly StoredNode[]
  readonly failures: readonly FailedNode[]
}

export interface WantedPlans {
  readonly pipeline: string | undefined
  readonly targets: readonly string[]
}

/** The newest plan of each pipeline. A run that was killed, or that failed, counts as soon as it had its plan. */
export function lastPlans(store: Store, wanted: WantedPlans): LastPlan[] {
  const { root } = store
  const found = new Map<string, LastPlan>()
  let recorded: readonly RecordedNode[] | undefined
  // What failed before there was a plan is part of the picture of the plan before.
  const failedSince = new Map<string, FailedNode[]>()
  let newerStartedMs = Number.POSITIVE_INFINITY
  for (const run of listRunIds(root)) {
    const summary = readRunSummary(root, run)
    if (summary === undefined || found.has(summary.pipeline)) continue
    const { pipeline, outcome, asOfMs } = summary
    if (!isWanted(summary, wanted)) continue
    const complete = readManifest(root, run)?.nodes.filter(({ kind }) => kind === 'pure')
    const events = complete === undefined ? readEvents(root, run) : { nodes: [], failures: [] }
    const untilMs = newerStartedMs
    newerStartedMs = summary.startedMs
    let planned = findPlan<StoredNode>(store, complete ?? events.nodes)
    if (planned === undefined && outcome === 'unfinished') {
      // Events reach the disk now and then, records when they are durable: a kill may leave the record alone.
      recorded ??= recordedNodes(store)
      const meanwhile = recorded.filter(({ atMs }) => atMs >= summary.startedMs && atMs < untilMs)
      planned = findPlan<StoredNode>(store, meanwhile.reverse())
    }
    const failures = [...(failedSince.get(pipeline) ?? []), ...events.failures]
    if (planned === undefined) {
      failedSince.set(pipeline, failures)
      continue
    }
    if (complete === undefined) recorded ??= recordedNodes(store)
    const nodes = complete ?? recorded!
    const params = complete === undefined ? paramsOf(nodes, planned.node.artifact) : planned.node.params
    found.set(pipeline, { pipeline, run, outcome, asOfMs, plan: planned.plan, params, nodes, failures })
  }
  return [...found.values()]
}

/** How many nodes of the newest run asked for are not whole any more. Any of them may have been the plan. */
export function damagedNodes(store: Store, wanted: WantedPlans): { run: string; count: number } | undefined {
  for (const run of listRunIds(store.root)) {
    const summary = readRunSummary(store.root, run)
    if (summary === undefined || !isWanted(summary, wanted)) continue
    const nodes = readManifest(store.root, run)?.nodes ?? readEvents(store.root, run).nodes
    const count = nodes.filter(({ artifact }) => store.artifactPresence(artifact) === 'missing').length
    if (count > 0) return { run, count }
  }
  return undefined
}

const isWanted = ({ pipeline, targets }: RunSummary, wanted: WantedPlans): boolean =>
  (wanted.pipeline === undefined || wanted.pipeline === pipeline) &&
  (wanted.targets.length === 0 || wanted.targets.some((name) => targets.includes(name)))

function readManifest(root: string, run: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(runFolder(root, run), 'manifest.json'), 'utf8')) as Manifest
  } catch {
    return undefined // the run did not finish, or its manifest is torn: its events tell what there is
  }
}

/** One node of each pure task that came to an end in a run, and all that failed. */
function readEvents(root: string, run: string): { nodes: StoredNode[]; failures: FailedNode[] } {
  let text = ''
  try {
    text = readFileSync(join(runFolder(root, run), 'events.jsonl'), 'utf8')
  } catch {
    // no events: it died before its first
  }
  const nodes = new Map<string, StoredNode>()
  const failures: FailedNode[] = []
  const kindPattern = /^\{"kind":"node (cached|done|failed)"/
  for (const line of text.split('\n')) {
    const kind = kindPattern.exec(line)?.[1]
    if (kind === undefined) continue
    const task = /"task":"([^"\\]+)"/.exec(line)?.[1]
    if (kind !== 'failed' && task !== undefined && nodes.has(task)) continue
    let event: RunEvent
    try {
      event = JSON.parse(line) as RunEvent
    } catch {
      continue // the last line of a run that was killed
    }
    if (event.kind === 'node failed') {
      failures.push({ task: event.task, params: event.failure.params, message: event.failure.message })
    } else if (event.kind === 'node cached' || event.kind === 'node done') {
      nodes.set(event.task, { task: event.task, params: undefined, artifact: event.artifact })
    }
  }
  return { nodes: [...nodes.values()], failures }
}

interface RecordedNode extends StoredNode {
  readonly atMs: number
}

/** Everything pure that was ever recorded, the newest last. */
function recordedNodes(store: Store): RecordedNode[] {
  const found: (RecordedNode & { sequence: number })[] = []
  store.records.scan('result', (record) => {
    if (record.artifact === undefined) return
    const { spec, atMs } = store.records.payload(record) as RecordPayload
    const { artifact, sequence } = record
    found.push({ task: spec.task, params: spec.params, artifact, atMs, sequence })
  })
  return found.sort((a, b) => a.sequence - b.sequence)
}

const paramsOf = (nodes: readonly StoredNode[], artifact: StoredNode['artifact']): unknown =>
  nodes.findLast((node) => node.artifact === artifact)?.params
