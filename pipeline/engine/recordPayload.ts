import type { ManifestNode } from '../../snapshots/manifest.ts'

/** What the engine keeps beside a record: all that is needed to run the node again, and what it cost. */
export interface RecordPayload {
  readonly spec: Omit<ManifestNode, 'address' | 'artifact'>
  /** Where it stood when it ran: a hint for `why`, in no key. */
  readonly address: string
  readonly cost: {
    readonly wallMs: number
    readonly cpuMs: number
    readonly peakRssMb: number
    readonly bytesOut: number
    readonly requests: number
  }
  readonly atMs: number
  readonly runtime: string
  /** Sources only: how the fetching went, and when an absent answer is worth asking again. */
  readonly attempts?: number
  readonly notes?: readonly Readonly<Record<string, unknown>>[]
  readonly recheckAfterMs?: number
}
