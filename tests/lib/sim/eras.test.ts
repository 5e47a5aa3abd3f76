import { describe, expect, test } from 'vitest'
import { csvPieces } from '../../../lib/sim/archive/csv.ts'
import { parseKey } from '../../../lib/sim/archive/keys.ts'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { createMarket, type Market } from '../../../lib/sim/market.ts'
import { dayStart } from '../../../lib/time.ts'

/** Bitcoin alone, in another year. */
function bitcoinIn(from: string, to: string): Market {
  const startTsMs = dayStart(from)
  const instruments = defaultWorld.instruments
    .filter(({ symbol }) => symbol === 'BTCUSDT')
    .map((spec) => ({
      ...spec,
      onboardTsMs: startTsMs,
      funding: spec.funding.map((regime) => ({ ...regime, fromTsMs: startTsMs })),
    }))
  return createMarket({ ...defaultWorld, startTsMs, nowTsMs: dayStart(to), instruments, halts: [] })
}

function lines(market: Market, key: string): string[] {
  const file = parseKey(key)!
  const pieces = Array.from(csvPieces(market, market.find(file.market, file.symbol)!, file), ({ bytes }) =>
    Buffer.from(bytes),
  )
  return Buffer.concat(pieces).toString().trimEnd().split('\n')
}

describe('old files keep the form of their time', () => {
  test('futures candles have a header from May 2022 on, trades from 11 August', () => {
    const market = bitcoinIn('2022-04-28', '2022-08-20')
    const first = (key: string) => lines(market, `data/futures/um/daily/${key}.zip`)[0]!
    expect(first('klines/BTCUSDT/1d/BTCUSDT-1d-2022-04-30')).toMatch(/^\d/)
    expect(first('klines/BTCUSDT/1d/BTCUSDT-1d-2022-05-01')).toMatch(/^open_time,/)
    expect(first('trades/BTCUSDT/BTCUSDT-trades-2022-08-10')).toMatch(/^\d/)
    expect(first('trades/BTCUSDT/BTCUSDT-trades-2022-08-11')).toMatch(/^id,/)
    expect(first('aggTrades/BTCUSDT/BTCUSDT-aggTrades-2022-08-11')).toMatch(/^agg_trade_id,/)
  })

  test('spot has no header, and counts microseconds from 2025 on', () => {
    const market = bitcoinIn('2024-12-30', '2025-01-05')
    const row = (day: string) => lines(market, `data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-${day}.zip`)[0]!.split(',')
    expect([row('2024-12-31')[0], row('2024-12-31')[6]]).toEqual(['1735603200000', '1735606799999'])
    expect([row('2025-01-01')[0], row('2025-01-01')[6]]).toEqual(['1735689600000000', '1735693199999999'])
    const trade = lines(market, 'data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2025-01-02.zip')[0]!.split(',')
    expect(trade).toHaveLength(7)
    expect(trade[4]).toHaveLength(16)
    expect(trade.slice(5)).toEqual([expect.stringMatching(/^(True|False)$/), 'True'])
  })

  test('metrics rows were named by the end of their five minutes, and are by their start', () => {
    const market = createMarket(defaultWorld)
    const labels = (day: string) =>
      lines(market, `data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-${day}.zip`)
        .slice(1)
        .map((row) => row.slice(0, 19))
        .sort()
    const before = labels('2026-06-24')
    const after = labels('2026-06-25')
    expect([before[0], before.at(-1), before.length]).toEqual(['2026-06-24 00:05:00', '2026-06-25 00:00:00', 288])
    expect([after[0], after.at(-1), after.length]).toEqual(['2026-06-25 00:00:00', '2026-06-25 23:55:00', 288])
  })
})
