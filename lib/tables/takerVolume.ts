import { tableArtifact } from '../artifact.ts'
import { decimal, defineTable, tsMs, utf8, wideDecimal } from './schema.ts'

/** What takers bought and sold in each period, as the API's statistics tell. */
export const takerVolumeTable = defineTable({
  name: 'takerVolume',
  version: 2,
  columns: {
    symbol: utf8(),
    tsMs: tsMs({ doc: 'as the API labels it' }),
    buyVolume: wideDecimal(8, { unit: 'base' }),
    sellVolume: wideDecimal(8, { unit: 'base' }),
    buySellRatio: decimal(8, 18),
  },
  sortKey: ['symbol', 'tsMs'],
})
export const takerVolume = tableArtifact(takerVolumeTable)
