import type { CsvLayout } from '../../lib/csv/layout.ts'
import { parseCsv } from '../../lib/csv/parser.ts'
import { aggTradeForm, tradeForm } from '../../lib/market/trades/tradeForms.ts'
import { rowsOf as named } from '../../lib/market/trades/tradeStream.ts'
import { defaultWorld } from '../../lib/sim/defaultWorld.ts'
import { handleRequest } from '../../lib/sim/exchange/exchange.ts'
import { createMarket } from '../../lib/sim/market.ts'
import { FIVE_MINUTES_MS, openInterestLots } from '../../lib/sim/positions.ts'
import { fundingCsv, fundingOf } from '../../lib/tables/funding.ts'
import { klineCsv, klinesOf } from '../../lib/tables/klines.ts'
import { openInterestTable } from '../../lib/tables/openInterest.ts'
import { indexKlines, markKlines, premiumKlines, priceCsv, priceKlinesOf } from '../../lib/tables/priceKlines.ts'
import type { Columns } from '../../lib/tables/schema.ts'
import { makeTable, type Table } from '../../lib/tables/table.ts'
import { aggTradeCsv, tradeCsv } from '../../lib/tables/trades.ts'
import { DAY_MS, dayStart } from '../../lib/time.ts'
import { readSingleFileZip } from '../../lib/zip.ts'

const simMarket = createMarket(defaultWorld)

function rowsOf<C extends Columns>(layout: CsvLayout<C>, path: string): Table<C> {
  const { status, body } = handleRequest(simMarket, { method: 'GET', url: path })
  if (status !== 200) throw new Error(`${status}: ${path}`)
  return parseCsv(layout, readSingleFileZip(body, path).bytes, { file: path }).table
}

const daily = (kind: string, symbol: string, stem: string, day: string) =>
  `/data/futures/um/daily/${kind}/${symbol}/${stem.includes('/') ? `${stem.split('/')[0]}/` : ''}${symbol}-${stem.split('/')[0]}-${day}.zip`

/** One day of what the embedded exchange publishes, through its archives. */
export const simDay = {
  klines: (symbol: string, day: string, interval = '1m') =>
    klinesOf(symbol, rowsOf(klineCsv, daily('klines', symbol, `${interval}/`, day))),
  spotKlines: (symbol: string, day: string) =>
    klinesOf(symbol, rowsOf(klineCsv, `/data/spot/daily/klines/${symbol}/1m/${symbol}-1m-${day}.zip`)),
  trades: (symbol: string, day: string) =>
    named(tradeForm(dayStart(day)), symbol)(rowsOf(tradeCsv, daily('trades', symbol, 'trades', day))),
  aggTrades: (symbol: string, day: string) =>
    named(aggTradeForm(dayStart(day)), symbol)(rowsOf(aggTradeCsv, daily('aggTrades', symbol, 'aggTrades', day))),
  mark: (symbol: string, day: string) => prices(markKlines, 'markPriceKlines', symbol, day),
  index: (symbol: string, day: string) => prices(indexKlines, 'indexPriceKlines', symbol, day),
  premium: (symbol: string, day: string) => prices(premiumKlines, 'premiumIndexKlines', symbol, day),
  funding: (symbol: string, month: string) =>
    fundingOf(
      symbol,
      rowsOf(fundingCsv, `/data/futures/um/monthly/fundingRate/${symbol}/${symbol}-fundingRate-${month}.zip`),
    ),
}

function prices(type: typeof markKlines, kind: string, symbol: string, day: string) {
  return priceKlinesOf(type, symbol, rowsOf(priceCsv, daily(kind, symbol, '1m/', day)))
}

/** Five-minute samples, stamped by the instant they were taken at. */
export function simOpenInterest(symbol: string, fromDay: string, days: number) {
  const instrument = simMarket.find('usdm', symbol)!
  const rows = (days * DAY_MS) / FIVE_MINUTES_MS
  const tsMs = Float64Array.from({ length: rows }, (_, i) => dayStart(fromDay) + (i + 1) * FIVE_MINUTES_MS)
  const lots = Array.from(tsMs, (ts) => openInterestLots(simMarket, instrument, ts))
  return makeTable(openInterestTable, {
    symbol: new Array<string>(rows).fill(symbol),
    tsMs,
    openInterest: BigInt64Array.from(lots, (lot) => {
      const units = BigInt(lot * instrument.lotUnit)
      return units * 10n ** BigInt(8 - instrument.qtyDecimals)
    }),
    openInterestValue: new Float64Array(rows),
  })
}
