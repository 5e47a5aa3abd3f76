import type { Duration } from '../../backtest/duration.ts'
import type { Column } from '../column.ts'
import { changeOver, constant, divide, input, minus, plus, sumOver, times } from '../column.ts'
import { featureGroup } from '../feature.ts'

/** Bought less sold by takers, in quote currency: what is not bought was sold. */
const delta = (takerBuy: string, total: string): Column => minus(times(constant(2), input(takerBuy)), input(total))
const perpDelta = delta('takerBuyQuote', 'quoteVolume')
const spotDelta = delta('spotTakerBuyQuote', 'spotQuoteVolume')

const perpVolume = (over: Duration): Column => sumOver(input('quoteVolume'), over)
const spotVolume = (over: Duration): Column => sumOver(input('spotQuoteVolume'), over)
const perpShare60m = divide(perpVolume('60m'), plus(perpVolume('60m'), spotVolume('60m')))

export const flowFeatures = featureGroup('flow', [
  {
    name: 'cvd_5m',
    says: 'cumulative volume delta of the perpetual over five minutes',
    column: sumOver(perpDelta, '5m'),
  },
  { name: 'cvd_15m', says: 'the same over fifteen minutes', column: sumOver(perpDelta, '15m') },
])

/** Apart, as they need the spot market's candles, which not every symbol has. */
export const spotFlowFeatures = featureGroup('spotFlow', [
  {
    name: 'spot_cvd_5m',
    says: 'cumulative volume delta on spot over five minutes',
    column: sumOver(spotDelta, '5m'),
  },
  { name: 'spot_cvd_15m', says: 'the same over fifteen minutes', column: sumOver(spotDelta, '15m') },
  { name: 'perp_share_60m', says: 'share of the perpetual in the volume of an hour', column: perpShare60m },
  { name: 'dperp_share_60m', says: 'its change over an hour', column: changeOver(perpShare60m, '60m') },
])
