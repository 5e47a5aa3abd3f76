import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { gunzipSync } from 'node:zlib'
import { spotTradeTable } from '../../lib/tables/spotTrades.ts'
import { makeTable, type Table } from '../../lib/tables/table.ts'
import { tradeTable } from '../../lib/tables/trades.ts'

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../shared/market-data')
const folder = join(root, 'orderbook/binance-ws-raw')

export const hasRecordedTrades = existsSync(folder)

type Message = { readonly t: number; readonly T: number; readonly p: string; readonly q: string; readonly m: boolean }

/** Five minutes of BTCUSDT off the venue's stream, some thousand trades in a row without a gap. */
export function recordedTrades(market: 'usdm' | 'spot'): Table {
  const lines = gunzipSync(readFileSync(join(folder, `${market}-btcusdt_20240808.gz`)))
    .toString()
    .split('\n')
  const trades = lines
    .filter((line) => line.includes('@trade"'))
    .map((line) => (JSON.parse(line.slice(line.indexOf(' '))) as { data: Message }).data)
    .sort((a, b) => a.t - b.t)
  const columns = {
    symbol: trades.map(() => 'BTCUSDT'),
    tradeId: BigInt64Array.from(trades, ({ t }) => BigInt(t)),
    price: BigInt64Array.from(trades, ({ p }) => unitsOf(p)),
    qty: BigInt64Array.from(trades, ({ q }) => unitsOf(q)),
    isBuyerMaker: Uint8Array.from(trades, ({ m }) => Number(m)),
  }
  if (market === 'usdm') return makeTable(tradeTable, { ...columns, tsMs: Float64Array.from(trades, ({ T }) => T) })
  return makeTable(spotTradeTable, { ...columns, tsUs: Float64Array.from(trades, ({ T }) => T * 1000) })
}

function unitsOf(text: string): bigint {
  const [whole, fraction = ''] = text.split('.')
  return BigInt(whole! + fraction.padEnd(8, '0'))
}
