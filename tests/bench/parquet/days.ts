import type { CsvLayout } from '../../../lib/csv/layout.ts'
import { parseCsv } from '../../../lib/csv/parser.ts'
import {
  aggTradeForm,
  spotAggTradeForm,
  spotTradeForm,
  type TradeForm,
  tradeForm,
} from '../../../lib/market/trades/tradeForms.ts'
import { rowsOf } from '../../../lib/market/trades/tradeStream.ts'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { handleRequest } from '../../../lib/sim/exchange/exchange.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import type { Columns } from '../../../lib/tables/schema.ts'
import { spotTradeTable } from '../../../lib/tables/spotTrades.ts'
import { makeTable, type Table } from '../../../lib/tables/table.ts'
import { dayStart } from '../../../lib/time.ts'
import { readSingleFileZip } from '../../../lib/zip.ts'
import { sampleTrades } from '../../lib/tables/sampleTrades.ts'
import { hasRecordedTrades, recordedTrades } from '../../support/recordedTrades.ts'

const day = '2026-06-05'

/** Recorded trades where there are some, and days of trades as the archives of the embedded exchange hold them, small coins and big ones, milliseconds and micros. */
export function* tradeDays(quick: boolean): Generator<{ name: string; table: Table }, void, undefined> {
  if (hasRecordedTrades)
    for (const market of ['usdm', 'spot'] as const)
      yield { name: `recorded ${market} trades BTCUSDT`, table: recordedTrades(market) }
  const market = createMarket(defaultWorld)
  const from = dayStart(day)
  const simulated = <R extends Columns, C extends Columns>(
    folder: string,
    kind: string,
    symbol: string,
    form: TradeForm<R, C>,
  ): { name: string; table: Table } => {
    const path = `/data/${folder}/daily/${kind}/${symbol}/${symbol}-${kind}-${day}.zip`
    const { body } = handleRequest(market, { method: 'GET', url: path })
    const layout: CsvLayout<R> = form.layout
    const { table } = parseCsv(layout, readSingleFileZip(body, path).bytes, { file: path })
    return { name: `${folder.replace('futures/um', 'usdm')} ${kind} ${symbol}`, table: rowsOf(form, symbol)(table) }
  }
  yield simulated('futures/um', 'trades', 'BTCUSDT', tradeForm(from))
  yield simulated('spot', 'trades', 'BTCUSDT', spotTradeForm(from))
  if (quick) return
  yield simulated('futures/um', 'aggTrades', 'BTCUSDT', aggTradeForm(from))
  yield simulated('futures/um', 'trades', 'DOTUSDT', tradeForm(from))
  yield simulated('spot', 'aggTrades', 'BTCUSDT', spotAggTradeForm(from))
  yield simulated('spot', 'trades', 'DOTUSDT', spotTradeForm(from))
  yield { name: 'spot trades, a million made up', table: busySpotDay(1_000_000) }
}

/** As many trades as a big coin has on a day: where several share a millisecond, they are within it. */
function busySpotDay(rowCount: number): Table {
  const { columns } = sampleTrades(rowCount)
  let state = 7
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 4_294_967_296) * limit)
  }
  const first = columns.tsMs[0]!
  let micros = 0
  const tsUs = columns.tsMs.map((tsMs, i) => {
    if (i === 0 || tsMs !== columns.tsMs[i - 1]) micros = below(1000)
    return Math.floor(first + (tsMs - first) / 2) * 1000 + micros
  })
  return makeTable(spotTradeTable, {
    symbol: new Array<string>(rowCount).fill('BTCUSDT'),
    tradeId: columns.id,
    price: columns.px.map((price) => price * 1_000_000n),
    qty: columns.qty.map((qty) => qty * 1000n),
    tsUs,
    isBuyerMaker: columns.isBuyerMaker,
  })
}
