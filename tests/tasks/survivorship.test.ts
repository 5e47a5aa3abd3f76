import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineStrategy, type Strategy } from '../../lib/backtest/strategy.ts'
import { buildUniverseOf } from '../../lib/market/universe/buildUniverse.ts'
import { dayOf, HOUR_MS } from '../../lib/time.ts'
import type { OutputFile } from '../../pipeline/engine/task.ts'
import { report } from '../../tasks/deliver/report.ts'
import { backtest } from '../../tasks/replay/backtest.ts'
import { metrics } from '../../tasks/replay/metrics.ts'
import { fileSet } from '../support/rawFiles.ts'
import { runTask } from '../support/runTask.ts'
import { flat, minuteRows, startMs } from './replay/sampleBars.ts'

const hours = 24 * 8
const listing = {
  symbol: 'AUSDT',
  contractType: 'PERPETUAL',
  status: 'TRADING',
  underlyingType: 'COIN',
  quoteAsset: 'USDT',
  onboardDate: startMs - 1000 * HOUR_MS,
  deliveryDate: 4_133_404_800_000,
  filters: [
    { filterType: 'PRICE_FILTER', tickSize: '0.01' },
    { filterType: 'LOT_SIZE', stepSize: '0.001' },
    { filterType: 'MIN_NOTIONAL', notional: '5' },
  ],
}
const files = (made: unknown) =>
  fileSet(Object.fromEntries((made as OutputFile[]).map(({ name, bytes }) => [name, bytes])))

/** The universe of today, `hoursLater` than the data begin. */
const universeOf = (hoursLater: number) =>
  buildUniverseOf(
    {
      exchangeInfo: fileSet({ 'exchangeInfo.json': JSON.stringify({ symbols: [listing] }) }),
      ticker: fileSet({ 'ticker.json': JSON.stringify([{ symbol: 'AUSDT', quoteVolume: '1000' }]) }),
      present: fileSet({ 'asOf.json': JSON.stringify({ asOfTsMs: startMs + hoursLater * HOUR_MS }) }),
    },
    {
      mode: 'live',
      symbols: [],
      datesTsMs: [startMs],
      size: 5,
      minQuoteVolumeUsd: 0,
      minAgeDays: 0,
      lookbackDays: 30,
      minNotional: '5',
      deny: [],
      allowSurvivorship: true,
    },
    () => {},
  )

const buyAndHold = defineStrategy({
  name: 'buyAndHold',
  params: z.object({}),
  decisionEvery: '1h',
  onBar: (ctx) => ctx.setWeights({ AUSDT: 0.5 }),
}) as Strategy

/** From the universe to the page, of which the universe itself may be left out. */
function madeOf(universe: ReturnType<typeof universeOf>, isUniverseShown: boolean) {
  const bars = Array.from({ length: hours }, (_, i) => flat(100 + (i % 7)))
  const run = files(
    runTask(
      backtest,
      { universe, minutes: [minuteRows('AUSDT', bars)], funding: [], strategy: buyAndHold } as never,
      { baseInterval: '1h', from: dayOf(startMs), to: dayOf(startMs + hours * HOUR_MS) } as never,
    ),
  )
  const numbers = runTask(metrics, { run } as never, { bootstrapDraws: 100 })
  const inputs = { run, metrics: numbers, ...(isUniverseShown ? { universe } : {}) }
  const page = files(runTask(report, inputs as never, {})).read('report.html')
  return {
    stamp: JSON.parse(new TextDecoder().decode(run.read('run.json'))).request.data.universe,
    isSaid: new TextDecoder().decode(page).includes('The universe is made of symbols that live today'),
  }
}

describe('a universe of survivors', () => {
  const past = universeOf(24 * 60)
  const fresh = universeOf(3)

  test('stamps the run made of it, and the page made of that, with the universe beside it or without', () => {
    expect(past.selection).toMatchObject({ mode: 'live', hasSurvivorship: true })
    for (const isUniverseShown of [true, false]) {
      const { stamp, isSaid } = madeOf(past, isUniverseShown)
      expect(stamp).toMatchObject({ mode: 'live', hasSurvivorship: true })
      expect(isSaid).toBe(true)
    }
  })

  test('is none for data of today', () => {
    const { stamp, isSaid } = madeOf(fresh, true)
    expect(stamp).toMatchObject({ mode: 'live', hasSurvivorship: false })
    expect(isSaid).toBe(false)
  })
})
