import { closeSync, openSync, writeSync } from 'node:fs'
import { tableWriter } from '../../../lib/tables/parquetWriter.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { tradeTable } from '../../../lib/tables/trades.ts'
import { DAY_MS } from '../../../lib/time.ts'

export const tradesFromTsMs = Date.UTC(2026, 0, 1)
export const tradesSymbol = 'BTCUSDT'
export const tradesPerDay = 1_000_000

/** Days of a big contract's trades in our own Parquet: a taker's order fills several makers' at one instant, prices stay or
 *  move by some ticks, a few sizes are popular. Integer arithmetic alone, so that every machine measures the same file. */
export function writeTradeFile(path: string, days: number): void {
  const file = openSync(path, 'w')
  const writer = tableWriter(tradeTable, (bytes) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
  })
  let state = 1
  const below = (limit: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 4_294_967_296) * limit)
  }
  const symbol = new Array<string>(tradesPerDay).fill(tradesSymbol)
  let [ticks, tradeIdNext, isSell] = [631_234, 4_700_000_000, 0]
  for (let day = 0; day < days; day++) {
    const [price, qty, tradeId] = [0, 1, 2].map(() => new BigInt64Array(tradesPerDay)) as [
      BigInt64Array,
      BigInt64Array,
      BigInt64Array,
    ]
    const [priceWords, qtyWords, idWords] = [price, qty, tradeId].map(({ buffer }) => new Int32Array(buffer)) as [
      Int32Array,
      Int32Array,
      Int32Array,
    ]
    const tsMs = new Float64Array(tradesPerDay)
    const isBuyerMaker = new Uint8Array(tradesPerDay)
    let sinceMs = 0
    for (let row = 0; row < tradesPerDay; row++) {
      if (below(10) < 5) {
        sinceMs += (below(1000) * 2 * DAY_MS) / 1000 / tradesPerDay
        sinceMs = Math.max(sinceMs, (row * DAY_MS * 0.98) / tradesPerDay)
        if (below(10) < 3) isSell = 1 - isSell
        if (below(3) === 0) ticks += below(5) - 2 + (below(40) === 0 ? below(41) - 20 : 0)
      } else if (below(8) === 0) ticks += isSell === 1 ? -1 : 1
      const lots = below(4) === 0 ? [2, 5, 8, 10, 100, 1000][below(6)]! : 1 + below(1 << (2 + below(11)))
      // Ticks of 0.1 and lots of 0.001, in units of 10^-8.
      put(priceWords, row, ticks * 10_000_000)
      put(qtyWords, row, lots * 100_000)
      put(idWords, row, tradeIdNext++)
      tsMs[row] = tradesFromTsMs + day * DAY_MS + Math.min(DAY_MS - 1, Math.floor(sinceMs))
      isBuyerMaker[row] = isSell
    }
    writer.append(makeTable(tradeTable, { symbol, tradeId, price, qty, tsMs, isBuyerMaker }))
  }
  writer.finish()
  closeSync(file)
}

function put(words: Int32Array, row: number, value: number): void {
  words[2 * row] = value
  words[2 * row + 1] = Math.floor(value / 4_294_967_296)
}
