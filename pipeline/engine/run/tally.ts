import assert from 'node:assert/strict'
import type { NodeFailure } from '../event.ts'
import type { NodeState, Walk } from '../walk/walk.ts'
import { manifestOf } from './manifest.ts'
import type { RunOptions, RunOutcome } from './options.ts'

/** What became of the nodes of one run, and what the run is worth by that. */
export class Tally {
  readonly failures: { address: string; failure: NodeFailure }[] = []
  readonly disputes: RunOutcome['disputes'][number][] = []
  /** A set, for a node that was cached may have to be made again after all. */
  readonly cached = new Set<NodeState>()
  executed = 0
  unchanged = 0
  private nextRecheckAtMs: number | undefined

  recheckAt(atMs: number): void {
    this.nextRecheckAtMs = Math.min(this.nextRecheckAtMs ?? Number.POSITIVE_INFINITY, atMs)
  }

  outcome(walk: Walk, options: RunOptions): RunOutcome {
    const states = [...walk.states.values()]
    const open = states.filter((state) => state.artifact === undefined).length
    const incomplete = open > 0 || walk.unexpanded > 0
    const outcome = this.word(incomplete, options)
    assert.ok(!incomplete || outcome !== 'ok', 'a run that is not complete says why')
    return {
      outcome,
      counts: {
        total: states.length,
        cached: this.cached.size,
        executed: this.executed,
        unchanged: this.unchanged,
        failed: this.failures.length,
        skipped: open - this.failures.length,
      },
      ...(incomplete || this.failures.length > 0 ? {} : { manifest: manifestOf(walk, options) }),
      failures: this.failures,
      disputes: this.disputes,
      ...(this.nextRecheckAtMs === undefined ? {} : { nextRecheckAtMs: this.nextRecheckAtMs }),
    }
  }

  private word(incomplete: boolean, { stop, stopNow, keepGoing }: RunOptions): RunOutcome['outcome'] {
    if (incomplete && (stop.aborted || stopNow.aborted)) return 'interrupted'
    if (this.failures.length > 0) return keepGoing && this.executed + this.cached.size > 0 ? 'partial' : 'failed'
    return this.disputes.length > 0 ? 'disputed' : 'ok'
  }
}
