import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunCounts } from '../engine/event.ts'

/** What `pipe runs` lists of a run, kept beside its manifest as `summary.json`: reading 100,000 events to print one line
 *  would be slow. */
export interface RunSummary {
  readonly run: string
  readonly pipeline: string
  readonly targets: readonly string[]
  readonly asOfMs: number
  readonly startedMs: number
  readonly wallMs: number
  /** `unfinished`: it is still running, or its process died. */
  readonly outcome: 'ok' | 'failed' | 'partial' | 'interrupted' | 'disputed' | 'unfinished'
  readonly counts: RunCounts | null
  readonly manifestId: string | null
  readonly snapshot: string | null
  readonly commandLine: readonly string[]
}

export const runFolder = (root: string, run: string): string => join(root, 'runs', run)

/** Ids that sort by time to the millisecond, readable, and apart even when two runs start in one. */
export function newRunId(nowMs: number, random: () => number): string {
  const stamp = new Date(nowMs)
    .toISOString()
    .replace(/[-:.Z]/g, '')
    .replace('T', '-')
  const suffix = Math.floor(random() * 36 ** 4)
    .toString(36)
    .padStart(4, '0')
  return `${stamp}-${suffix}`
}

export function writeRunSummary(root: string, summary: RunSummary): void {
  writeFileSync(join(runFolder(root, summary.run), 'summary.json'), `${JSON.stringify(summary)}\n`)
}

/** Run ids, newest first. */
export function listRunIds(root: string): string[] {
  try {
    return readdirSync(join(root, 'runs')).sort().reverse()
  } catch {
    return [] // no run yet
  }
}

/** Of a run without a summary only what its first event says is known. */
export function readRunSummary(root: string, run: string): RunSummary | undefined {
  const folder = runFolder(root, run)
  const summary = readJson(join(folder, 'summary.json')) as RunSummary | undefined
  if (summary !== undefined) return summary
  const first = firstEvent(join(folder, 'events.jsonl'))
  if (first === undefined) return undefined
  return {
    run,
    pipeline: first.pipeline ?? '?',
    targets: first.targets ?? [],
    asOfMs: first.asOfMs ?? 0,
    startedMs: startOf(run),
    wallMs: 0,
    outcome: 'unfinished',
    counts: null,
    manifestId: null,
    snapshot: first.snapshot ?? null,
    commandLine: [],
  }
}

interface FirstEvent {
  readonly pipeline?: string
  readonly targets?: string[]
  readonly asOfMs?: number
  readonly snapshot?: string
}

function firstEvent(path: string): FirstEvent | undefined {
  try {
    const text = readFileSync(path, 'utf8')
    return JSON.parse(text.slice(0, text.indexOf('\n'))) as FirstEvent
  } catch {
    return undefined
  }
}

/** The instant in a run's id. */
export function startOf(run: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)/.exec(run)
  if (!match) return 0
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // absent, or torn by a crash: the caller falls back
  }
}
