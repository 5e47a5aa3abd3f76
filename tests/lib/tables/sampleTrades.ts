import { bool, decimal, defineTable, i64, tsMs } from '../../../lib/tables/schema.ts'
import { makeTable, type Table } from '../../../lib/tables/table.ts'

/** The seven columns of an aggregated trade. */
export const tradeTable = defineTable({
  name: 'sampleTrades',
  version: 1,
  columns: {
    id: i64(),
    px: decimal(2),
    qty: decimal(3),
    firstId: i64(),
    lastId: i64(),
    tsMs: tsMs(),
    isBuyerMaker: bool(),
  },
  sortKey: ['tsMs', 'id'],
})

/** A market that looks like one: the same rows on every machine, from integer arithmetic alone. */
export function sampleTrades(rowCount: number, seed = 1): Table<typeof tradeTable.columns> {
  let state = seed | 1
  const below = (limit: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 4294967296) * limit)
  }
  const id = new BigInt64Array(rowCount)
  const px = new BigInt64Array(rowCount)
  const qty = new BigInt64Array(rowCount)
  const firstId = new BigInt64Array(rowCount)
  const lastId = new BigInt64Array(rowCount)
  const times = new Float64Array(rowCount)
  const isBuyerMaker = new Uint8Array(rowCount)
  let [tick, tradeId, nowMs] = [3_750_000, 4_000_000_000, 1_700_000_000_000]
  for (let row = 0; row < rowCount; row++) {
    if (below(10) >= 4) nowMs += below(1 << below(9))
    if (below(4) === 0) tick += below(9) - 4
    const fills = below(10) < 6 ? 1 : 1 + below(5)
    id[row] = BigInt(2_000_000_000 + row)
    px[row] = BigInt(tick + below(2))
    qty[row] = BigInt(below(4) === 0 ? [1, 2, 5, 10, 100, 1000][below(6)]! : 1 + below(1 << (3 + below(11))))
    firstId[row] = BigInt(tradeId)
    tradeId += fills
    lastId[row] = BigInt(tradeId - 1)
    times[row] = nowMs
    isBuyerMaker[row] = below(2)
  }
  return makeTable(tradeTable, { id, px, qty, firstId, lastId, tsMs: times, isBuyerMaker })
}
