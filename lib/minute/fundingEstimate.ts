import { HOUR_MS } from '../time.ts'

/** What the venue's formula is made with. */
export interface FundingRule {
  /** Paid for eight hours when the premium is small. */
  readonly interest8h: number
  /** How far the premium is pulled towards the interest at most. */
  readonly clamp: number
  /** The largest rate of one period, either way. */
  readonly cap: number
}

/**
 * The rate the running period would settle at by the premiums seen so far:
 *
 *   P = sum(k * premium_k) / sum(k), with k = 1, 2, … over the samples of the period, later ones weighing more
 *   rate = (P + clamp(interest - P, -clamp, +clamp)) * hours / 8, within the cap
 *
 * A sample is the close of a premium bar. Where one is missing its weight is left out, too.
 */
export class FundingEstimate {
  readonly #rule: FundingRule
  readonly #sampleMs: number
  #periodTsMs = Number.NaN
  #hours = Number.NaN
  #sum = 0
  #weights = 0

  constructor(rule: FundingRule, sampleMs: number) {
    this.#rule = rule
    this.#sampleMs = sampleMs
  }

  /** Never where the length of the period is not known. */
  #isRunning(nowTsMs: number): boolean {
    return nowTsMs - this.#periodTsMs <= this.#hours * HOUR_MS
  }

  /** A settlement on the minute it was due: the next period begins, as long as the last one until told otherwise. */
  settle(tsMs: number, hours: number): void {
    this.#periodTsMs = tsMs
    this.#hours = hours
    this.#sum = 0
    this.#weights = 0
  }

  /** The sample of the bar that closes at `closeTsMs`, which is after the last settlement. */
  sample(closeTsMs: number, premium: number): void {
    const weight = Math.round((closeTsMs - this.#periodTsMs) / this.#sampleMs)
    // Without a settlement in reach nobody knows when the period began, and one that is long over says nothing either.
    if (!(weight >= 1) || !this.#isRunning(closeTsMs) || Number.isNaN(premium)) return
    this.#sum += weight * premium
    this.#weights += weight
  }

  /** NaN while the running period has no sample, and once it should have been settled. */
  rate(nowTsMs: number): number {
    if (this.#weights === 0 || !this.#isRunning(nowTsMs)) return Number.NaN
    const { interest8h, clamp, cap } = this.#rule
    const premium = this.#sum / this.#weights
    const pulled = premium + Math.max(-clamp, Math.min(clamp, interest8h - premium))
    return Math.max(-cap, Math.min(cap, (pulled * this.#hours) / 8))
  }
}
