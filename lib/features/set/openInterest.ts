import type { Duration } from '../../backtest/duration.ts'
import type { Column } from '../column.ts'
import { ago, constant, divide, input, minus } from '../column.ts'
import { featureGroup } from '../feature.ts'

const openInterest = input('openInterest')
const relativeChange = (by: Duration): Column => minus(divide(openInterest, ago(openInterest, by)), constant(1))

export const openInterestFeatures = featureGroup('openInterest', [
  { name: 'doi_1h', says: 'relative change of open interest over an hour', column: relativeChange('1h') },
  { name: 'doi_4h', says: 'relative change of open interest over four hours', column: relativeChange('4h') },
])
