import type { Column } from '../../lib/features/column.ts'
import * as language from '../../lib/features/column.ts'
import { evaluateFeatures } from '../../lib/features/evaluate.ts'
import { featureSet } from '../../lib/features/featureSet.ts'
import { randomFrame } from '../lib/features/frames.ts'
import { type Bench, medianMs, type Row, rounded } from './measure.ts'

/** By kind of column, over a year of minutes of one symbol; then the whole set. One thread. */
export const bench: Bench = {
  name: 'features',
  async run({ quick }) {
    const minutes = quick ? 131_400 : 525_600
    const frame = randomFrame(1, minutes, 0)
    const close = language.input('close')
    const kinds: [string, Column][] = [
      ['lag', language.ago(close, '60m')],
      ['rolling sum, 60m', language.sumOver(close, '60m')],
      ['rolling std, 24h', language.stdOver(close, '24h')],
      ['rolling slope, 60m', language.slopeOver(close, '60m')],
      ['ewm, 24h', language.ewmOver(close, '4h', '24h')],
      ['rolling max, 24h', language.maxOver(close, '24h')],
      ['rolling rank, 60m', language.rankOver(close, '60m')],
      ['rolling percentile, 24h', language.percentileOver(close, '24h')],
      ['rolling percentile, 30d', language.percentileOver(close, '30d')],
      ['rolling quantile, 24h', language.quantileOver(close, '24h', 0.9)],
    ]
    const rows: Row[] = []
    const runs = quick ? 3 : 5
    for (const [name, column] of kinds) {
      const ms = await medianMs(runs, () => evaluateFeatures([{ name, group: '', says: '', column }], [frame]))
      rows.push({ name, value: rounded(minutes / ms / 1000), unit: 'M values/s', note: `${minutes} minutes` })
    }
    const ms = await medianMs(runs, () => evaluateFeatures(featureSet, [frame]))
    const values = minutes * featureSet.length
    const note = `${featureSet.length} features`
    rows.push({ name: 'the feature set', value: rounded(values / ms / 1000), unit: 'M values/s', note })
    return rows
  },
}
