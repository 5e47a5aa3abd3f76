import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeIndexFile } from '../code/indexFile.ts'

/** What earlier executions of a task cost, newest last. A cache: it may be deleted at any time. */
export interface TaskHistory {
  readonly wallMs: number[]
  readonly bytesOut: number[]
  readonly requests: number[]
}

export interface Estimate {
  readonly p50Ms: number
  readonly p90Ms: number
  readonly bytes: number
  readonly requests: number
}

const samplesMax = 64

/** Durations, sizes and fan-out widths of earlier runs: for estimates, time left, and what to start first. */
export class History {
  private readonly path: string
  private readonly tasks: Map<string, TaskHistory>
  private readonly widths: Map<string, number>
  private changed = false

  constructor(root: string) {
    this.path = join(root, 'index', 'history.json')
    const saved = readSaved(this.path)
    this.tasks = new Map(Object.entries(saved.tasks))
    this.widths = new Map(Object.entries(saved.widths))
  }

  estimate(task: string): Estimate | undefined {
    const samples = this.tasks.get(task)
    if (samples === undefined || samples.wallMs.length === 0) return undefined
    const sorted = [...samples.wallMs].sort((a, b) => a - b)
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
    return { p50Ms: at(0.5), p90Ms: at(0.9), bytes: mean(samples.bytesOut), requests: mean(samples.requests) }
  }

  add(task: string, wallMs: number, bytesOut: number, requests: number): void {
    let samples = this.tasks.get(task)
    if (samples === undefined) this.tasks.set(task, (samples = { wallMs: [], bytesOut: [], requests: [] }))
    for (const [list, value] of [
      [samples.wallMs, wallMs],
      [samples.bytesOut, bytesOut],
      [samples.requests, requests],
    ] as const) {
      list.push(Math.round(value * 100) / 100)
      if (list.length > samplesMax) list.shift()
    }
    this.changed = true
  }

  /** How many nodes a fan-out grew when it was last known. */
  lastWidth(collectionId: string): number | undefined {
    return this.widths.get(collectionId)
  }

  setWidth(collectionId: string, width: number): void {
    if (this.widths.get(collectionId) === width) return
    this.widths.set(collectionId, width)
    this.changed = true
  }

  /** Never fails: on a full disk only estimates are lost. */
  save(): void {
    if (!this.changed) return
    const saved: Saved = { tasks: Object.fromEntries(this.tasks), widths: Object.fromEntries(this.widths) }
    writeIndexFile(this.path, JSON.stringify(saved))
    this.changed = false
  }
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : Math.round(values.reduce((sum, value) => sum + value, 0) / values.length)

interface Saved {
  readonly tasks: Record<string, TaskHistory>
  readonly widths: Record<string, number>
}

function readSaved(path: string): Saved {
  try {
    const saved = JSON.parse(readFileSync(path, 'utf8')) as Partial<Saved>
    return { tasks: saved.tasks ?? {}, widths: saved.widths ?? {} }
  } catch {
    return { tasks: {}, widths: {} } // absent or damaged: only estimates are lost
  }
}
