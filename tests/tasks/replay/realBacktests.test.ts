import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineStrategy, type Strategy } from '../../../lib/backtest/strategy.ts'
import { parseCsv } from '../../../lib/csv/parser.ts'
import { type BacktestRun, decodeBacktest } from '../../../lib/market/runs/backtestFiles.ts'
import { metricsSchema } from '../../../lib/market/runs/backtestOutputs.ts'
import type { ListedSymbol } from '../../../lib/market/universe/universe.ts'
import { btcBuyAndHold } from '../../../lib/strategies/btcBuyAndHold.ts'
import { crossSectionalMomentum } from '../../../lib/strategies/crossSectionalMomentum.ts'
import { meanReversion } from '../../../lib/strategies/meanReversion.ts'
import { int64ToFloat64 } from '../../../lib/tables/columnChecks.ts'
import { fundingTable } from '../../../lib/tables/funding.ts'
import { klineCsv, klinesOf, klineTable } from '../../../lib/tables/klines.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { markKlines } from '../../../lib/tables/priceKlines.ts'
import type { QaReport } from '../../../lib/tables/qa.ts'
import type { Columns } from '../../../lib/tables/schema.ts'
import { makeTable, type TableOf } from '../../../lib/tables/table.ts'
import { type BigInts, bigAt, bigIntsOf } from '../../../lib/tables/wideInts.ts'
import { HOUR_MS, intervalMs, MINUTE_MS, parseUtc } from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { qa } from '../../../tasks/minute/qa.ts'
import { backtest } from '../../../tasks/replay/backtest.ts'
import { metrics } from '../../../tasks/replay/metrics.ts'
import { filesOf, runTask, storedTable, wholeTable } from '../../support/runTask.ts'

const root = process.env['TICKPIPE_MARKET_DATA'] ?? join(import.meta.dirname, '../../../../shared/market-data')
const feather = join(root, 'ohlcv/derived-csv')
const vision = join(root, 'binance-vision/um-klines-1m')

type Minutes = TableOf<typeof minuteTable>
type Klines = TableOf<typeof klineTable>

const textOf = (path: string): string => gunzipSync(readFileSync(path)).toString()
const linesOf = (path: string): string[][] =>
  textOf(path)
    .trim()
    .split(/\r?\n/)
    .slice(1)
    .map((line) => line.split(','))

/** Decimal text in units of 10^-8. */
function units(text: string): bigint {
  const [whole, part = ''] = text.split('.')
  return BigInt(whole! + part.padEnd(8, '0').slice(0, 8))
}

/** These files have neither turnover nor counts: a bar traded where it has volume, and no turnover is made up. */
function klinesFrom(symbol: string, rows: readonly string[][], interval: '5m' | '1h'): Klines {
  const column = (i: number) => BigInt64Array.from(rows, (row) => units(row[i]!))
  const volume = bigIntsOf(rows.length, (row) => units(rows[row]![5]!))
  const openTsMs = Float64Array.from(rows, (row) => Number(row[0]))
  return makeTable(klineTable, {
    symbol: rows.map(() => symbol),
    openTsMs,
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume,
    quoteVolume: new BigInt64Array(rows.length),
    count: Int32Array.from(rows, (_, row) => (bigAt(volume, row) > 0n ? 1 : 0)),
    takerBuyVolume: new BigInt64Array(rows.length),
    takerBuyQuoteVolume: new BigInt64Array(rows.length),
    closeTsMs: openTsMs.map((tsMs) => tsMs + intervalMs(interval) - 1),
  })
}

function fundingFrom(symbol: string, rows: readonly string[][]) {
  const tsMs = Float64Array.from(rows, (row) => Number(row[0]))
  const none = () => ({ values: new BigInt64Array(rows.length), valid: new Uint8Array(rows.length) })
  return makeTable(fundingTable, {
    symbol: rows.map(() => symbol),
    tsMs,
    settledTsMs: tsMs.map((ts) => Math.floor(ts / 1000) * 1000),
    intervalHours: { values: new Int32Array(rows.length), valid: new Uint8Array(rows.length) },
    rate: BigInt64Array.from(rows, (row) => BigInt(Math.round(Number(row[1]) * 1e8)) * 10n ** 10n),
    markPrice: none(),
  })
}

/** Days from..to of minutes by the task. */
function minutesOf(klines: Klines, params: Record<string, unknown>, more: Record<string, unknown> = {}): Minutes {
  const symbol = klines.columns.symbol[0]!
  const inputs = { klines: [storedTable(klines as never)], ...more }
  return wholeTable(minuteTable, runTask(buildMinute, inputs as never, { symbol, ...params } as never))
}

interface Asked {
  readonly listed: readonly ListedSymbol[]
  readonly minutes: readonly Minutes[]
  readonly funding?: readonly unknown[]
  readonly qa?: readonly QaReport[]
  // biome-ignore lint/suspicious/noExplicitAny: strategies of several parameter types
  readonly strategy: Strategy<any, any>
  readonly params: Record<string, unknown>
}

function run({ listed, minutes, funding = [], strategy, params, ...more }: Asked): BacktestRun {
  const inputs = { universe: { symbols: listed, rejected: [] }, minutes, funding, strategy, ...more }
  return decodeBacktest(setOf(runTask(backtest, inputs as never, params as never)))
}

const setOf = (files: unknown) =>
  filesOf(Object.fromEntries((files as { name: string; bytes: Uint8Array }[]).map(({ name, bytes }) => [name, bytes])))

/** What the task makes of a run, after its files. */
function numbersOf({ listed, minutes, funding = [], strategy, params }: Asked) {
  const inputs = { universe: { symbols: listed, rejected: [] }, minutes, funding, strategy }
  const files = setOf(runTask(backtest, inputs as never, params as never))
  return metricsSchema.parse(runTask(metrics, { run: files }, { bootstrapDraws: 100 }))
}

const rules = (symbol: string, tickSize: string, stepSize: string): ListedSymbol => ({
  symbol,
  tickSize,
  stepSize,
  minNotional: '5',
  onboardTsMs: 0,
})
const btc = rules('BTCUSDT', '0.1', '0.001')

/** Everything equity is made of. */
function expectExact({ result }: BacktestRun): void {
  const { equity } = result
  for (const row of [0, equity.rows >> 1, equity.rows - 1]) {
    const parts = ['pricePnl', 'slippage', 'fees', 'funding', 'liquidationFees'] as const
    const explained = parts.reduce((sum, name) => sum + equity[name][row]!, 0)
    expect(equity.equity[row]! - result.capitalCash).toBe(explained)
  }
}

describe.skipIf(!existsSync(feather))(
  'real hours and minutes to a verdict (skipped where the files are absent)',
  () => {
    const read = (set: string, name: string, kind: string) =>
      linesOf(join(feather, set, `${name}_USDT_USDT-${kind}.csv.gz`))
    const um = 'freqtrade-um-feather'
    const hour = { baseInterval: '1h', from: '2023-01-01', to: '2024-05-01' }

    test('BTC, five minutes: hold and mean reversion over sixteen months, and the hours they add up to', () => {
      const bars = klinesFrom('BTCUSDT', read(um, 'BTC', '5m-futures'), '5m')
      const range = { baseInterval: '5m', from: '2023-01-01', to: '2024-05-01' }
      const minutes = minutesOf(bars, range)
      const given = { listed: [btc], minutes: [minutes] }
      const held = run({ ...given, strategy: btcBuyAndHold, params: { ...range, execution: { volumeShareMax: 1 } } })
      expectExact(held)
      const { equity, capitalCash } = held.result
      // 16,537.5 to 60,647 dollars; bought with a day's delay, for a taker fee and a basis point.
      expect(equity.equity.at(-1)! / capitalCash).toBeGreaterThan(3.5)
      expect(equity.equity.at(-1)! / capitalCash).toBeLessThan(3.75)
      const params = { ...range, strategy: { lookback: '4h', weight: 0.5 } }
      const reverted = run({ ...given, strategy: meanReversion, params })
      expectExact(reverted)
      expect(reverted.result.counts.decisions).toBe(486 * 24 - 1) // at midnight of the first day nothing has closed yet
      expect(reverted.result.fills.rows).toBeGreaterThan(50)

      // The same hours from another download: equal but for one volume, which was revised.
      const hours = minutesOf(bars, { ...hour, klineInterval: '5m' }).columns
      const there = minutesOf(klinesFrom('BTCUSDT', read(um, 'BTC', '1h-futures'), '1h'), hour).columns
      for (const name of ['open', 'high', 'low', 'close'] as const) expect(hours[name]).toEqual(there[name])
      const revised = Array.from(there.openTsMs).filter((_, i) => bigAt(hours.volume, i) !== bigAt(there.volume, i))
      expect(revised).toEqual([parseUtc('2023-11-10T15:00:00Z')])
    }, 60_000)

    test('BTC, LTC and 1000PEPE by the hour with funding: late stamps, a late listing, marks from before it', () => {
      const names = ['BTC', 'LTC', '1000PEPE']
      const bars = names.map((name) => klinesFrom(`${name}USDT`, read(um, name, '1h-futures'), '1h'))
      const minutes = bars.map((klines) => minutesOf(klines, hour))
      const funding = names.map((name) => fundingFrom(`${name}USDT`, read(um, name, '8h-funding_rate')))
      for (const { columns } of funding) {
        expect(columns.tsMs.some((tsMs) => tsMs % HOUR_MS !== 0)).toBe(true)
        expect(columns.settledTsMs.every((tsMs) => tsMs % HOUR_MS === 0)).toBe(true)
      }
      const listed = [btc, rules('LTCUSDT', '0.01', '0.001'), rules('1000PEPEUSDT', '0.0000001', '1')]
      const given = { listed, minutes, funding }
      const held = run({ ...given, strategy: btcBuyAndHold, params: { ...hour, execution: { volumeShareMax: 1 } } })
      expectExact(held)
      // The settlements themselves, in bigints, on the close of the hour before.
      const { columns } = minutes[0]!
      const bought = held.result.fills.tsMs[0]!
      const qty = BigInt(held.result.perSymbol.find(({ symbol }) => symbol === 'BTCUSDT')!.positionQty)
      let paid = 0n
      funding[0]!.columns.settledTsMs.forEach((tsMs, i) => {
        if (tsMs <= bought || tsMs > parseUtc('2024-05-01')!) return
        const row = columns.openTsMs.indexOf(tsMs - HOUR_MS)
        const product = qty * (columns.close[row]! / 1000n) * (funding[0]!.columns.rate[i]! / 10n ** 10n)
        paid -= (product + (product < 0n ? -50_000_000n : 50_000_000n)) / 100_000_000n
      })
      expect(BigInt(held.result.perSymbol.find(({ symbol }) => symbol === 'BTCUSDT')!.funding)).toBe(paid)
      expect(Number(paid) / 1e8).toBeLessThan(-5_000) // longs paid in that year

      const params = { ...hour, strategy: { lookback: '7d', perSide: 1 } }
      const momentum = run({ ...given, strategy: crossSectionalMomentum, params })
      expectExact(momentum)
      const listedMs = parseUtc('2023-05-05T16:00:00Z')!
      const { fills, symbols } = momentum.result
      const pepe = fills.symbol.indexOf(symbols.indexOf('1000PEPEUSDT'))
      expect(fills.tsMs[pepe]).toBeGreaterThanOrEqual(listedMs + 168 * HOUR_MS)
      const numbers = numbersOf({ ...given, strategy: crossSectionalMomentum, params })
      expect(numbers).toMatchObject({ outcome: 'completed', days: 486, isAnnualised: true })
      expect(numbers.parts.funding).not.toBe(0)

      // The venue published marks before the first trade. They are no bars: nothing is known of the symbol until it trades.
      const marks = read(um, '1000PEPE', '8h-mark')
      const first = Number(marks[0]![0])
      expect(first).toBeLessThan(listedMs)
      const sampled = (i: number) => BigInt64Array.from(marks, (row) => units(row[i]!))
      const openTsMs = Float64Array.from(marks, (row) => Number(row[0]))
      const mark = makeTable(markKlines.schema, {
        symbol: marks.map(() => '1000PEPEUSDT'),
        openTsMs,
        open: sampled(1),
        high: sampled(1),
        low: sampled(1),
        close: sampled(1),
        samples: new Int32Array(marks.length).fill(1),
        closeTsMs: openTsMs.map((tsMs) => tsMs + HOUR_MS - 1),
      })
      const withMarks = minutesOf(bars[2]!, hour, { mark: [storedTable<Columns>(mark as never)] }).columns
      expect(withMarks.openTsMs[0]).toBe(listedMs)
      expect(withMarks.mark.valid[0]).toBe(1)
      expect(withMarks.mark.valid[1]).toBe(0)
      expect(withMarks.mark.values[0]).toBe(units('0.00374394'))
    }, 60_000)

    test('ten symbols by the hour over two months: too short to speak of years', () => {
      const set = 'freqtrade-um-feather-multi'
      const steps: Record<string, [string, string]> = {
        ADA: ['0.0001', '1'],
        AVAX: ['0.001', '1'],
        BNB: ['0.01', '0.01'],
        DOGE: ['0.00001', '1'],
        DOT: ['0.001', '0.1'],
        LINK: ['0.001', '0.01'],
        SOL: ['0.01', '0.01'],
        TRX: ['0.00001', '1'],
        USDC: ['0.000001', '1'],
        XRP: ['0.0001', '0.1'],
      }
      const range = { baseInterval: '1h', from: '2025-05-22', to: '2025-07-21' }
      const names = Object.keys(steps)
      const given = {
        listed: names.map((name) => rules(`${name}USDT`, ...steps[name]!)),
        minutes: names.map((name) => minutesOf(klinesFrom(`${name}USDT`, read(set, name, '1h-futures'), '1h'), range)),
        funding: names.map((name) => fundingFrom(`${name}USDT`, read(set, name, '8h-funding_rate'))),
        strategy: crossSectionalMomentum,
        params: { ...range, strategy: { lookback: '3d', perSide: 3 } },
      }
      const momentum = run(given)
      expectExact(momentum)
      expect(new Set(momentum.result.fills.symbol).size).toBeGreaterThanOrEqual(9)
      // Whatever order the symbols came in.
      const turned = { ...given, minutes: [...given.minutes].reverse(), listed: [...given.listed].reverse() }
      expect(run(turned).result).toEqual(momentum.result)
      expect(numbersOf(given)).toMatchObject({
        days: 60,
        isAnnualised: false,
        annualReturn: null,
        sharpe: { annual: null },
      })
    }, 60_000)

    test.skipIf(!existsSync(join(root, 'ohlcv/um-1h-2y')))(
      'BTC by the hour from two sources: four volumes were revised, no price, and the results agree',
      () => {
        const rows = linesOf(join(root, 'ohlcv/um-1h-2y/BTCUSDT_1h_Cleaned.csv.gz')).map(([date, ...values]) => {
          const [, day, month, year, time] = /^(\d\d)-(\d\d)-(\d{4}) (\d\d:\d\d)$/.exec(date!)!
          return [String(parseUtc(`${year}-${month}-${day}T${time}:00Z`)), ...values]
        })
        const range = { baseInterval: '1h', from: '2024-01-01', to: '2024-05-01' }
        const one = minutesOf(klinesFrom('BTCUSDT', rows, '1h'), range)
        const other = minutesOf(klinesFrom('BTCUSDT', read(um, 'BTC', '1h-futures'), '1h'), range)
        for (const name of ['openTsMs', 'open', 'high', 'low', 'close'] as const) {
          expect(one.columns[name]).toEqual(other.columns[name])
        }
        const revised = Array.from(one.columns.openTsMs).filter(
          (_, i) => bigAt(one.columns.volume, i) !== bigAt(other.columns.volume, i),
        )
        expect(revised).toEqual(
          ['2024-03-27T12', '2024-03-28T10', '2024-03-28T11', '2024-03-28T12'].map((at) => parseUtc(`${at}:00:00Z`)),
        )
        const params = { ...range, strategy: { lookback: '2d', weight: 0.5 } }
        const [here, there] = [one, other].map((minutes) =>
          run({ listed: [btc], minutes: [minutes], strategy: meanReversion, params }),
        )
        expect(here!.result.fills.rows).toBeGreaterThan(100)
        expect(here!.result.equity).toEqual(there!.result.equity)
      },
      60_000,
    )
  },
)

describe.skipIf(!existsSync(vision))('months of real minutes (skipped where the files are absent)', () => {
  const monthOf = (symbol: string, month: string): Klines => {
    const bytes = gunzipSync(readFileSync(join(vision, `${symbol}-1m-${month}.csv.gz`)))
    return klinesOf(symbol, parseCsv(klineCsv, bytes, { file: symbol }).table)
  }

  test('resampled to hours: every hour is what its sixty minutes say, added up independently', () => {
    const klines = monthOf('AVAXUSDT', '2024-02')
    const { columns: hours, rowCount } = minutesOf(klines, {
      from: '2024-02-01',
      to: '2024-03-01',
      baseInterval: '1h',
      klineInterval: '1m',
    })
    expect(rowCount).toBe(29 * 24)
    const { columns: minutes } = klines
    for (let h = 0; h < rowCount; h++) {
      const [from, to] = [h * 60, h * 60 + 60]
      const some = <T extends BigInt64Array>(values: T) => Array.from(values.subarray(from, to))
      const sum = (values: BigInts) => {
        let all = 0n
        for (let row = from; row < to; row++) all += bigAt(values, row)
        return all
      }
      const extreme = (values: BigInt64Array, isBetter: (a: bigint, b: bigint) => boolean) =>
        some(values).reduce((a, b) => (isBetter(a, b) ? a : b))
      expect(hours.openTsMs[h]).toBe(minutes.openTsMs[from])
      expect([hours.open[h], hours.close[h]]).toEqual([minutes.open[from], minutes.close[to - 1]])
      expect(hours.high[h]).toBe(extreme(minutes.high, (a, b) => a > b))
      expect(hours.low[h]).toBe(extreme(minutes.low, (a, b) => a < b))
      expect(bigAt(hours.volume, h)).toBe(sum(minutes.volume))
      expect(bigAt(hours.quoteVolume, h)).toBe(sum(minutes.quoteVolume))
      expect(hours.count[h]).toBe(minutes.count.subarray(from, to).reduce((a, b) => a + b))
    }
  }, 60_000)

  test('FIL in October 2024: through the outage of the 28th nothing is ordered, and what is held is held', () => {
    const range = { from: '2024-10-26', to: '2024-10-31' }
    const minutes = minutesOf(monthOf('FILUSDT', '2024-10'), { ...range, from: '2024-10-23' })
    const params = { symbol: 'FILUSDT', ...range }
    const report = runTask(qa, { minutes: [storedTable(minutes as never)] } as never, params) as QaReport
    const masks = report.masks.filter(({ because }) => because.includes('outage'))
    expect(masks.length).toBeGreaterThan(0)
    const flips = defineStrategy({
      name: 'flips',
      params: z.object({}),
      decisionEvery: '5m',
      onBar: (ctx) => ctx.setWeight('FILUSDT', (ctx.nowMs / (5 * MINUTE_MS)) % 2 === 0 ? 0.5 : -0.5),
    }) as Strategy
    const given = { listed: [rules('FILUSDT', '0.001', '0.1')], minutes: [minutes], strategy: flips, params: range }
    const careful = run({ ...given, qa: [report] })
    expectExact(careful)
    const { fills } = careful.result
    const filledIn = (fromMs: number, toMs: number) =>
      Array.from(fills.tsMs).filter((tsMs, row) => fills.outcome[row]! < 2 && tsMs >= fromMs && tsMs < toMs).length
    for (const { fromMs, toMs } of report.masks) expect(filledIn(fromMs, toMs)).toBe(0)
    expect(filledIn(parseUtc('2024-10-26')!, parseUtc('2024-10-27')!)).toBeGreaterThan(200)
    expect(careful.request.data!.quality).toMatchObject({ policy: 'quarantine' })
    expect(careful.request.data!.quality!.quarantinedMs).toBeGreaterThan(60 * MINUTE_MS)
    // Who wants no number from such a day is told so, and why.
    const strict = { ...params, policy: 'reject' as const }
    const rejecting = runTask(qa, { minutes: [storedTable(minutes as never)] } as never, strict) as QaReport
    expect(() => run({ ...given, qa: [rejecting] })).toThrow(/QA rejects 2024-10-28 of FILUSDT: .*in an outage/)
    // Minutes without a trade fill nothing even where nobody judged them.
    const dead = new Set(Array.from(minutes.columns.openTsMs).filter((_, row) => minutes.columns.count[row] === 0))
    const careless = run(given).result.fills
    expect(Array.from(careless.barOpenTsMs).some((tsMs) => dead.has(tsMs))).toBe(false)
    expect(int64ToFloat64(minutes.columns.close).every((px) => px > 0)).toBe(true)
  }, 60_000)
})
