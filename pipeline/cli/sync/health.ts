import type { RunEvent } from '../../engine/event.ts'
import type { RecordPayload } from '../../engine/recordPayload.ts'
import type { Store } from '../context.ts'

/** How a pass went at the venue's door: what was asked, what came, what it had to wait for. */
export interface Traffic {
  /** Sources that gave something, by task. */
  readonly fetched: Readonly<Record<string, number>>
  /** Sources that had nothing. */
  readonly absent: number
  /** Tries, failed ones of sources that then succeeded included. */
  readonly requests: number
  readonly bytes: number
  /** For budgets, and because the venue asked for patience; summed over all requests, so it may exceed the pass. */
  readonly waitedMs: number
  /** By name: `rateLimited`, `serverError`, … */
  readonly troubles: Readonly<Record<string, number>>
}

/** Counts what sources did, from the run's events and from what they noted beside their records. */
export class TrafficCount {
  readonly #sources = new Set<string>()
  readonly #artifacts = new Set<string>()
  readonly #fetched = new Map<string, number>()
  #absent = 0
  #bytes = 0

  see(event: RunEvent): void {
    if (event.kind === 'node started' && event.taskKind === 'source') this.#sources.add(event.address)
    if (event.kind !== 'node done' || !this.#sources.has(event.address)) return
    this.#artifacts.add(event.artifact)
    if (event.absent !== undefined) this.#absent++
    else this.#fetched.set(event.task, (this.#fetched.get(event.task) ?? 0) + 1)
    this.#bytes += event.bytesOut
  }

  /** @param sinceMs when the pass began, by the clock that stamps records */
  take(store: Store, sinceMs: number): Traffic {
    const troubles = new Map<string, number>()
    let requests = 0
    let waitedMs = 0
    if (this.#artifacts.size > 0) {
      store.records.scan('observation', (record) => {
        if (record.recordedAtMs < sinceMs || !this.#artifacts.has(record.artifact ?? '')) return
        const { cost, notes = [] } = store.records.payload(record) as RecordPayload
        let asked = 0
        for (const note of notes) {
          // An answer that there is nothing is told by its note alone.
          if (note['url'] !== undefined) asked += typeof note['attempts'] === 'number' ? note['attempts'] : 1
          if (typeof note['waitedMs'] === 'number') waitedMs += note['waitedMs']
          for (const trouble of Array.isArray(note['troubles']) ? note['troubles'] : [])
            troubles.set(String(trouble), (troubles.get(String(trouble)) ?? 0) + 1)
        }
        requests += Math.max(asked, cost.requests)
      })
    }
    return {
      fetched: Object.fromEntries([...this.#fetched].sort(([a], [b]) => (a < b ? -1 : 1))),
      absent: this.#absent,
      requests,
      bytes: this.#bytes,
      waitedMs: Math.round(waitedMs),
      troubles: Object.fromEntries([...troubles].sort(([a], [b]) => (a < b ? -1 : 1))),
    }
  }
}

export const noTraffic: Traffic = { fetched: {}, absent: 0, requests: 0, bytes: 0, waitedMs: 0, troubles: {} }
