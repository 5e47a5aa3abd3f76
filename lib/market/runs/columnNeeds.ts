/** Which data sets of the pipeline's config the standard columns are made of. A column whose data sets are switched off is
 *  left out, and whoever declares it is told what to switch on. Written out, for the groups themselves
 *  are code that a backtest must not depend on: editing one feature re-runs its users and nothing else. */
const needs: Readonly<Record<string, readonly string[]>> = {
  basis: ['mark', 'index'],
  dbasis_5m: ['mark', 'index'],
  dbasis_15m: ['mark', 'index'],
  funding_8h_eq: ['funding'],
  funding_pred: ['premium'],
  funding_slope_30m: ['premium'],
  funding_slope_60m: ['premium'],
  funding_slope_90m: ['premium'],
  funding_pctile_30d: ['funding'],
  funding_8h_z: ['funding'],
  doi_1h: ['openInterest'],
  doi_4h: ['openInterest'],
  spot_cvd_5m: ['spot'],
  spot_cvd_15m: ['spot'],
  near_settlement: ['funding'],
  perp_share_60m: ['spot'],
  dperp_share_60m: ['spot'],
}

export const dataSetsOf = (column: string): readonly string[] => needs[column] ?? []
