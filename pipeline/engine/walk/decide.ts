import type { Digest } from '../../../cas/digest.ts'

/** Everything the decision about one node rests on. Plan and run build it from the same places and ask the same
 *  function, so that a plan cannot promise what a run does not do. */
export interface NodeFacts {
  readonly kind: 'source' | 'pure' | 'sink'
  /** Nodes this one reads whose artifact is not known yet because they run (or may run) first. */
  readonly pending: boolean
  /** What is recorded under the node's key; nothing while `pending`, for then there is no key. */
  readonly recorded?: {
    readonly artifact: Digest
    readonly recheckDue: boolean
    /** A source's answer whose descriptor is gone or damaged. It says nothing any more, not even that nothing was
     *  there, so the source is asked again, whether its bytes are demanded or not. */
    readonly lost?: 'evicted' | 'missing' | 'quarantined'
  }
  /** Whether anything was ever recorded for this task with this code and these params, whatever its inputs were. */
  readonly everRecorded: boolean
  /** Selected by --force or --refresh. */
  readonly forced: boolean
  /** The bytes of the recorded artifact, looked at only when somebody demands them. */
  readonly presence: 'not demanded' | 'present' | 'evicted' | 'missing' | 'quarantined'
  /** The network is closed: a frozen or offline run. */
  readonly closed: boolean
}

export type Decision =
  | { readonly kind: 'cached'; readonly artifact: Digest }
  /** Runs for its recorded artifact, which is known beforehand: nothing downstream has to wait to be decided. */
  | { readonly kind: 'restore'; readonly artifact: Digest; readonly why: 'evicted' | 'missing' | 'quarantined' }
  | {
      readonly kind: 'run'
      readonly why: 'not recorded' | 'forced' | 'recheck due' | 'evicted' | 'missing' | 'quarantined'
    }
  | { readonly kind: 'maybe' }
  | { readonly kind: 'blocked' } // a source that would have to touch the closed network

export function decide(facts: NodeFacts): Decision {
  const mayRun = facts.kind !== 'source' || !facts.closed
  if (facts.pending) {
    // With other inputs it gets another key. Where this code and these params never ran at all, no key of theirs can be
    // recorded, so it surely runs; where they did, the inputs may come out as they were then.
    if (!mayRun) return { kind: 'maybe' }
    return facts.everRecorded && !facts.forced
      ? { kind: 'maybe' }
      : { kind: 'run', why: facts.forced ? 'forced' : 'not recorded' }
  }
  if (facts.recorded === undefined) return mayRun ? { kind: 'run', why: 'not recorded' } : { kind: 'blocked' }
  if (facts.forced && mayRun) return { kind: 'run', why: 'forced' }
  if (facts.recorded.lost !== undefined && mayRun) return { kind: 'run', why: facts.recorded.lost }
  if (facts.recorded.recheckDue && mayRun) return { kind: 'run', why: 'recheck due' }
  switch (facts.presence) {
    case 'not demanded':
    case 'present':
      return { kind: 'cached', artifact: facts.recorded.artifact }
    default:
      return mayRun ? { kind: 'restore', artifact: facts.recorded.artifact, why: facts.presence } : { kind: 'blocked' }
  }
}
