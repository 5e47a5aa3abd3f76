import type { Duration } from '../../backtest/duration.ts'
import type { Column } from '../column.ts'
import { ago, constant, divide, input, meanOver, minus, negative, root, stdOver, sumOver, times } from '../column.ts'
import { featureGroup } from '../feature.ts'

const close = input('close')
const simpleReturn = (by: Duration): Column => minus(divide(close, ago(close, by)), constant(1))
const return1m = simpleReturn('1m')
const volume60m = sumOver(input('quoteVolume'), '60m')

export const priceFeatures = featureGroup('prices', [
  { name: 'ret_1m', says: 'simple return of the last minute', column: return1m },
  { name: 'ret_5m', says: 'simple return over five minutes', column: simpleReturn('5m') },
  { name: 'ret_15m', says: 'simple return over fifteen minutes', column: simpleReturn('15m') },
  { name: 'ret_1h', says: 'simple return over an hour', column: simpleReturn('1h') },
  {
    name: 'rv_15m',
    says: 'realised volatility: root of the sum of squared minute returns over fifteen minutes',
    column: root(sumOver(times(return1m, return1m), '15m')),
  },
  { name: 'momentum_24h', says: 'simple return over a day', column: simpleReturn('24h') },
  { name: 'reversal_1h', says: 'the return of the last hour, turned over', column: negative(simpleReturn('1h')) },
  {
    name: 'volume_z_24h',
    says: 'quote volume of the last hour, in deviations from its mean over a day',
    column: divide(minus(volume60m, meanOver(volume60m, '24h')), stdOver(volume60m, '24h')),
  },
])
