import type { Digest } from '../cas/digest.ts'
import type { FaultCode } from '../lib/fault.ts'

/** What is checked, from the cheapest to the dearest.
 *  - objects: the bytes of every object the snapshot stands on
 *  - manifest: its id, its lists, its wiring, and what the records say of its keys
 *  - data: what is in the artifacts, by whoever can decode them
 *  - rebuild: every pure node executed again
 *  - current: what today's code and config would make of it */
export const verifyLevels = ['objects', 'manifest', 'data', 'rebuild', 'current'] as const
export type VerifyLevel = (typeof verifyLevels)[number]

export type FindingKind =
  | 'damaged' // bytes are not what their name says
  | 'missing' // bytes are gone, and nobody gave them up on purpose
  | 'odd file' // something that does not belong where it lies
  | 'manifest' // the manifest or a list beside it is not what it should be
  | 'wiring' // an input that no node of the run made
  | 'record' // the records say something else of a key, or nothing
  | 'disputed' // one key, two results, and nobody chose
  | 'data' // what an artifact holds breaks its own rules
  | 'differs' // a rebuild gave other bytes
  | 'failed' // a rebuild did not finish
  | 'unverifiable' // it could not be checked, and why
  | 'changed' // today's code or config would make it otherwise

export interface Finding {
  readonly severity: 'error' | 'warning' | 'info'
  readonly kind: FindingKind
  /** The address of the node it is about. */
  readonly node?: string
  readonly digest?: Digest
  readonly what: string
  readonly todo?: string
}

export interface VerifyCounts {
  /** What there was to check: objects or nodes, by the level. */
  readonly total: number
  readonly checked: number
  /** Left out by the sample. */
  readonly notSampled: number
  /** Done by an earlier, interrupted verify. */
  readonly resumed: number
  /** Given up on purpose, and so not there to be checked. */
  readonly evicted: number
}

export interface VerifyReport {
  readonly level: VerifyLevel
  readonly snapshot: string
  readonly id: Digest | undefined
  readonly findings: readonly Finding[]
  readonly counts: VerifyCounts
  /** Stopped before the end: what is missing can be resumed. */
  readonly interrupted: boolean
}

export interface Sample {
  /** From 0 to 1. */
  readonly share: number
  /** Which of them: another seed checks others. */
  readonly seed: string
}

/** How a verify ends: the worst that was found. Warnings and what merely changed are no failure. */
export function outcomeOf(reports: readonly VerifyReport[]): 'ok' | FaultCode {
  const errors = reports.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'error')
  const has = (...kinds: readonly FindingKind[]): boolean => errors.some(({ kind }) => kinds.includes(kind))
  if (has('damaged', 'missing', 'odd file', 'manifest', 'wiring', 'record', 'data')) return 'corrupt'
  if (has('disputed')) return 'nondeterministic'
  if (has('differs', 'failed')) return 'notReproducible'
  if (has('unverifiable')) return 'unverifiable'
  return reports.some(({ interrupted }) => interrupted) ? 'interrupted' : 'ok'
}
