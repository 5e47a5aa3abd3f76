import type { EventClass } from './eventOrder.ts'

/** Events of one kind from one source, in their own order: rising instants, and rising sequence within an instant. */
export interface ReplayStream {
  /** Unique, and the same however the streams are listed: it breaks ties after rank and sequence. */
  readonly source: string
  readonly class: EventClass
  /** When the event was known, not when it began: a bar's is its close. */
  readonly knownAtMs: Float64Array
  /** The venue's own sequence, where it has one. */
  readonly sequence?: Float64Array
  readonly columns: Readonly<Record<string, Float64Array>>
}
