/** Every number that decides how prices behave over days: what can be earned, and what it can cost. Nothing else in
 *  the simulation gives any strategy an expected return. */
export type Effects = {
  /** Expected simple return of the market a day. Every asset earns it times beta, and nothing for its own risk. */
  readonly marketDriftDaily: number
  /** Typical standard deviation of the market's daily return. */
  readonly marketVolDaily: number
  /** Day-to-day autocorrelation of log volatility, and its stationary standard deviation: volatility clusters. */
  readonly volPersistence: number
  readonly volSpread: number
  /** Share of days whose shock is drawn `tailScale` times wider: tails are heavier than normal. */
  readonly tailShare: number
  readonly tailScale: number
  /** Crash risk: chance a day that the market falls by a uniform draw from [crashMin, crashMax] on top. The market's
   *  drift is raised by the expected loss, so crashes make returns skewed, not lower. */
  readonly crashPerDay: number
  readonly crashMin: number
  readonly crashMax: number

  /** Momentum: each asset's expected own return drifts slowly; this is the standard deviation of that drift as a share
   *  of the asset's own daily volatility. Past returns reveal it a little, which is all a momentum strategy lives on. */
  readonly trendShare: number
  readonly trendPersistence: number
  /** Momentum's risk: in a crash an asset falls further by this share of the crash for each standard deviation of
   *  its trend (bounded at one): yesterday's winners fall furthest. */
  readonly trendCrashLoading: number

  /** Carry: the premium wanders around each asset's level with this standard deviation and autocorrelation, and
   *  follows the asset's own returns by `premiumChase` (bps of premium for 1 % of return). Funding follows the premium. */
  readonly premiumSdBps: number
  readonly premiumPersistence: number
  readonly premiumChaseBps: number
  /** Share of the expected funding that the price takes back by drifting up: what is left is the carry premium. */
  readonly carryOffsetShare: number
  /** Carry's risk: chance a day of a squeeze, an upward jump of [squeezeMin, squeezeMax] that hits assets the likelier
   *  the higher their premium. Fully compensated by a lower drift, so it skews carry and costs it nothing on average. */
  readonly squeezePerDay: number
  readonly squeezeMin: number
  readonly squeezeMax: number
}

export const defaultEffects: Effects = {
  marketDriftDaily: 0.0003,
  marketVolDaily: 0.018,
  volPersistence: 0.96,
  volSpread: 0.35,
  tailShare: 0.07,
  tailScale: 2.2,
  crashPerDay: 1 / 120,
  crashMin: 0.05,
  crashMax: 0.14,
  trendShare: 0.11,
  trendPersistence: 0.965,
  trendCrashLoading: 0.35,
  premiumSdBps: 8,
  premiumPersistence: 0.95,
  premiumChaseBps: 0.04,
  carryOffsetShare: 0.3,
  squeezePerDay: 1 / 250,
  squeezeMin: 0.06,
  squeezeMax: 0.2,
}
