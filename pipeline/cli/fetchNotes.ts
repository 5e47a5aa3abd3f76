import { keyOfSpec, type Manifest, specOf } from '../../snapshots/manifest.ts'
import type { RecordPayload } from '../engine/recordPayload.ts'
import type { Store } from './context.ts'

/** How a source came by what it holds: what was asked and answered, how often, and for how long it waited. */
export interface FetchNotes {
  readonly address: string
  readonly atMs: number
  readonly attempts?: number
  readonly notes: readonly Readonly<Record<string, unknown>>[]
}

/** Of every source of a run, also of those that were fetched by an earlier one: a snapshot says it of all its rows. */
export function fetchNotesOf(store: Store, manifest: Manifest): FetchNotes[] {
  return manifest.nodes.flatMap((node): FetchNotes[] => {
    if (node.kind !== 'source') return []
    const records = store.records.observations(keyOfSpec(specOf(node)))
    const record = records.findLast(({ artifact }) => artifact === node.artifact)
    const payload = record === undefined ? undefined : (store.records.payload(record) as RecordPayload | undefined)
    if (payload?.notes === undefined) return []
    const { atMs, attempts, notes } = payload
    return [{ address: node.address, atMs, ...(attempts === undefined ? {} : { attempts }), notes }]
  })
}
