const INTEREST = 10_000 // 0.01 % per eight hours, in 10^-8
const CLAMP = 50_000 // 0.05 %
export const FUNDING_CAP = 2_000_000 // 2 %

/** The rate a period of `hours` settles at: the premium, pulled towards the interest by at most the clamp, scaled
 *  from eight hours to the period, within the cap. */
export function rateOf(premium: number, hours: number): number {
  const pulled = premium + Math.max(-CLAMP, Math.min(CLAMP, INTEREST - premium))
  const scaled = (pulled * hours) / 8
  const rounded = scaled < 0 ? -Math.round(-scaled) : Math.round(scaled)
  return Math.max(-FUNDING_CAP, Math.min(FUNDING_CAP, rounded))
}
