import type { Duration } from '../../backtest/duration.ts'
import type { Column } from '../column.ts'
import { asOf, asOfPercentile, constant, input, slopeOver, times, zScoreAcross } from '../column.ts'
import { featureGroup } from '../feature.ts'

/** A settlement counts until the next one of the longest interval is an hour late. */
const maxAge = '9h'
const estimate = input('fundingEstimate')
const settled8h = asOf('funding', 'rate8h', maxAge)
const slopePerHour = (over: Duration): Column => times(slopeOver(estimate, over), constant(60))

export const fundingFeatures = featureGroup('funding', [
  { name: 'funding_8h_eq', says: 'last settled rate, as if paid each 8 hours', column: settled8h },
  { name: 'funding_pred', says: "the venue's estimate of the next rate, from premiums so far", column: estimate },
  { name: 'funding_slope_30m', says: 'slope of the estimate over 30 minutes, per hour', column: slopePerHour('30m') },
  { name: 'funding_slope_60m', says: 'slope of the estimate over 60 minutes, per hour', column: slopePerHour('60m') },
  { name: 'funding_slope_90m', says: 'slope of the estimate over 90 minutes, per hour', column: slopePerHour('90m') },
  {
    name: 'funding_pctile_30d',
    says: 'percentile of the last settled 8-hour rate among the settlements of 30 days',
    column: asOfPercentile('funding', 'rate8h', '30d', maxAge),
  },
  {
    name: 'funding_8h_z',
    says: 'the settled 8-hour rate against that of the other symbols',
    column: zScoreAcross(settled8h),
  },
])
