import type { NodeFailure, RunCounts, RunEvent } from '../../engine/event.ts'
import type { SourceWait } from '../../engine/task.ts'
import { durationText } from '../human.ts'

/** A run as far as its events tell. Every view reads it; only `advance` changes it. It changes in place: a run may
 *  have 100,000 events, and a fresh object for each would be the slowest part of a cached run. */
export interface Progress {
  run: Extract<RunEvent, { kind: 'run started' }> | undefined
  elapsedMs: number
  nodes: number
  unexpanded: number
  cached: number
  executed: number
  unchanged: number
  absent: number
  failed: number
  skipped: number
  healed: number
  disputed: number
  warnings: number
  bytesOut: number
  /** Of sources, as they report them. */
  bytesIn: number
  requests: number
  /** In the order they started. */
  readonly running: Map<string, RunningNode>
  /** What waits, by what it waits on: a limit, another process. */
  readonly waiting: Map<string, string>
  readonly failures: { readonly address: string; readonly task: string; readonly failure: NodeFailure }[]
  /** Time left as last said, and when. */
  expected: { readonly remainingMs: number; readonly atMs: number; readonly isLowerBound: boolean } | undefined
  stopping: 'after running nodes' | 'now' | undefined
  finished: { readonly outcome: string; readonly counts: RunCounts } | undefined
}

export interface RunningNode {
  readonly task: string
  readonly startedMs: number
  readonly expectedMs: number | undefined
  readonly group: string | undefined
  bytes: number
  requests: number
  attempt: number
  /** Before it asks again; over when the time is up or the node tells of anything else. */
  wait: { readonly told: SourceWait; readonly untilMs: number } | undefined
}

export function newProgress(): Progress {
  return {
    run: undefined,
    elapsedMs: 0,
    nodes: 0,
    unexpanded: 0,
    cached: 0,
    executed: 0,
    unchanged: 0,
    absent: 0,
    failed: 0,
    skipped: 0,
    healed: 0,
    disputed: 0,
    warnings: 0,
    bytesOut: 0,
    bytesIn: 0,
    requests: 0,
    running: new Map(),
    waiting: new Map(),
    failures: [],
    expected: undefined,
    stopping: undefined,
    finished: undefined,
  }
}

export function advance(progress: Progress, event: RunEvent): void {
  progress.elapsedMs = Math.max(progress.elapsedMs, event.elapsedMs)
  switch (event.kind) {
    case 'run started':
      progress.run = event
      break
    case 'graph grew':
      progress.nodes = event.nodes
      progress.unexpanded = event.unexpanded
      break
    case 'progress expected':
      progress.expected =
        event.remainingMs === undefined
          ? undefined
          : {
              remainingMs: event.remainingMs,
              atMs: event.elapsedMs,
              isLowerBound: (event.nodesWithoutHistory ?? 0) > 0,
            }
      break
    case 'node cached':
      progress.cached++
      break
    case 'node started':
      progress.waiting.delete(event.address)
      progress.running.set(event.address, {
        task: event.task,
        startedMs: event.elapsedMs,
        expectedMs: event.expectedMs,
        group: event.group,
        bytes: 0,
        requests: 0,
        attempt: 1,
        wait: undefined,
      })
      break
    case 'node progress': {
      // A node reports totals of its own; what is new since its last report goes to the run's totals.
      const node = progress.running.get(event.address)
      if (!node) break
      progress.bytesIn += Math.max(0, event.bytes - node.bytes)
      progress.requests += Math.max(0, event.requests - node.requests)
      node.wait = undefined
      node.bytes = event.bytes
      node.requests = event.requests
      break
    }
    case 'node waiting':
      progress.waiting.set(event.address, event.on)
      break
    case 'node retried': {
      const node = progress.running.get(event.address)
      if (node) node.attempt = event.attempt + 1
      break
    }
    case 'node waiting to retry': {
      const node = progress.running.get(event.address)
      if (node) node.wait = { told: event, untilMs: event.elapsedMs + event.waitMs }
      break
    }
    case 'node done':
      progress.executed++
      if (event.unchanged) progress.unchanged++
      if (event.absent !== undefined) progress.absent++
      progress.bytesOut += event.bytesOut
      settle(progress, event.address)
      break
    case 'node failed':
      progress.failed++
      progress.failures.push({ address: event.address, task: event.task, failure: event.failure })
      settle(progress, event.address)
      break
    case 'node skipped':
      progress.skipped++
      settle(progress, event.address)
      break
    case 'node healed':
      progress.healed++
      break
    case 'node disputed':
      progress.disputed++
      break
    case 'warning':
      progress.warnings++
      break
    case 'stopping':
      progress.stopping = event.how
      break
    case 'run finished':
      progress.finished = event
      break
    case 'node log':
    case 'snapshot pinned':
      break
    default:
      event satisfies never
  }
}

function settle(progress: Progress, address: string): void {
  progress.running.delete(address)
  progress.waiting.delete(address)
}

export const settledCount = (progress: Progress): number =>
  progress.cached + progress.executed + progress.failed + progress.skipped

/** Nodes there are as far as is known: one may settle before the growth that brought it is announced. */
export const nodesSoFar = (progress: Progress): number =>
  Math.max(progress.nodes, settledCount(progress) + progress.running.size)

/** Whether more nodes will come. */
export const isGrowing = ({ nodes, unexpanded }: Progress): boolean => nodes === 0 || unexpanded > 0

/** `about 12.0 s left` by the last estimate, less the time since; `over` where it leaves out nodes that never ran
 *  before or that are not known yet. Nothing where nothing can be told. */
export function leftText(progress: Progress, nowMs: number): string | undefined {
  if (!progress.expected) return undefined
  const leftMs = progress.expected.remainingMs - (nowMs - progress.expected.atMs)
  const isLowerBound = progress.expected.isLowerBound || isGrowing(progress)
  if (leftMs < 1000) return isLowerBound ? undefined : 'less than 1 s left'
  return `${isLowerBound ? 'over' : 'about'} ${durationText(leftMs)} left`
}
