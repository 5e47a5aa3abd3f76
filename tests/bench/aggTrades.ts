import { defineCsv } from '../../lib/csv/layout.ts'
import { formatScaled } from '../../lib/decimal.ts'
import type { TableOf } from '../../lib/tables/table.ts'
import { tradeTable } from '../lib/tables/sampleTrades.ts'

/** The seven columns as Binance's archives have them. */
export const aggTradesCsv = defineCsv({
  schema: tradeTable,
  fields: [
    { header: 'agg_trade_id', column: 'id' },
    { header: 'price', column: 'px' },
    { header: 'quantity', column: 'qty' },
    { header: 'first_trade_id', column: 'firstId' },
    { header: 'last_trade_id', column: 'lastId' },
    { header: 'transact_time', column: 'tsMs' },
    { header: 'is_buyer_maker', column: 'isBuyerMaker' },
  ],
})

/** The rows as such an archive would print them. */
export function aggTradesText({ columns, rowCount }: TableOf<typeof tradeTable>): Uint8Array {
  const { id, px, qty, firstId, lastId, tsMs, isBuyerMaker } = columns
  const pieces: Buffer[] = []
  for (let from = 0; from < rowCount; from += 50_000) {
    let text = from === 0 ? `${aggTradesCsv.fields.map(({ header }) => header).join(',')}\n` : ''
    for (let row = from; row < Math.min(rowCount, from + 50_000); row++) {
      text += `${id[row]},${formatScaled(px[row]!, 2)},${formatScaled(qty[row]!, 3)},${firstId[row]},${lastId[row]},`
      text += `${tsMs[row]},${isBuyerMaker[row] === 1}\n`
    }
    pieces.push(Buffer.from(text))
  }
  return Buffer.concat(pieces)
}
