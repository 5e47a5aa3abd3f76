import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatScaled, parseScaledBig } from '../../../lib/decimal.ts'
import { tradeBars } from '../../../lib/market/ingest/bars.ts'
import { turnoverOf } from '../../../lib/market/trades/turnover.ts'
import { emptyBars, toInterval } from '../../../lib/minute/bars.ts'
import type { MinuteOptions } from '../../../lib/minute/buildMinute.ts'
import { MinuteRows } from '../../../lib/minute/minuteRows.ts'
import { TradeBars } from '../../../lib/minute/tradeBars.ts'
import { klinesOf } from '../../../lib/tables/klines.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import { decodeTable, encodeTable } from '../../../lib/tables/parquet.ts'
import { defineTable, wideDecimal } from '../../../lib/tables/schema.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { type BigInts, bigAt, bigIntsOf, rowsOf, setBig } from '../../../lib/tables/wideInts.ts'
import { DAY_MS, HOUR_MS } from '../../../lib/time.ts'
import { archiveFiles } from '../../support/rawFiles.ts'

/** What a price or a quantity may be: 18 digits, 8 of them behind the point. Sums of them outgrow it. */
const columnMax = 10n ** 18n - 1n
/** What a sum may be. */
const sumMax = 10n ** 28n - 1n
const amount = fc.oneof(
  fc.bigInt({ min: 0n, max: columnMax }),
  fc.bigInt({ min: 8n * 10n ** 16n, max: 10n ** 17n }),
  fc.constantFrom(columnMax, 76_861_433_640_456_465n),
)

const listed = (values: BigInts): bigint[] => Array.from({ length: rowsOf(values) }, (_, row) => bigAt(values, row))

/** What a table makes of a value: a Fault, or the value. */
function stored(value: bigint): bigint | string {
  const schema = defineTable({ name: 'sums', version: 1, columns: { sum: wideDecimal(8) }, sortKey: [] })
  try {
    return bigAt(makeTable(schema, { sum: bigIntsOf(1, () => value) }).columns.sum, 0)
  } catch (error) {
    return String(error)
  }
}

function expectExactOrRefused(sum: bigint, is: bigint): void {
  if (is <= sumMax) expect(stored(sum)).toBe(is)
  else expect(stored(sum)).toMatch(/table sums: column sum holds \d+ in row 0, which has more than 28 digits/)
}

describe('an amount that outgrows a decimal is never another number', () => {
  test('as 96 bits: what does not fit is one that no table takes', () => {
    const kept = (value: bigint) =>
      bigAt(
        bigIntsOf(1, () => value),
        0,
      )
    expect(kept(2n ** 95n - 1n)).toBe(2n ** 95n - 1n)
    expect(kept(2n ** 96n + 5n)).toBe(2n ** 95n - 1n)
    expect(kept(-(2n ** 96n))).toBe(-(2n ** 95n))
    expect(stored(2n ** 96n + 5n)).toContain('more than 28 digits')
    expect(stored(-(2n ** 200n))).toContain('more than 28 digits')
  })

  test('in bars made of finer bars', () => {
    fc.assert(
      fc.property(fc.array(amount, { minLength: 240, maxLength: 240 }), (volumes) => {
        const bars = emptyBars(240)
        volumes.forEach((volume, i) => {
          bars.openTsMs[i] = i * 60_000
          setBig(bars.volume, i, volume)
        })
        expectExactOrRefused(
          bigAt(toInterval(bars, 60_000, 240 * 60_000).volume, 0),
          volumes.reduce((a, b) => a + b),
        )
      }),
      { seed: 1, numRuns: 200 },
    )
  })

  test('in bars made of 240 that wrap around to a number that would pass', () => {
    // 240 minutes of 768,614,336.40456465 add up to 2^64 and a little.
    const bars = emptyBars(240)
    for (let i = 0; i < 240; i++) {
      bars.openTsMs[i] = i * 60_000
      setBig(bars.volume, i, 76_861_433_640_456_465n)
    }
    expect(BigInt.asIntN(64, 240n * 76_861_433_640_456_465n)).toBeLessThan(columnMax)
    expectExactOrRefused(bigAt(toInterval(bars, 60_000, 240 * 60_000).volume, 0), 240n * 76_861_433_640_456_465n)
  })

  test('in bars made of trades', () => {
    fc.assert(
      fc.property(fc.array(amount, { minLength: 1, maxLength: 60 }), (quantities) => {
        let volume = 0n
        const bars = new TradeBars(60_000, (day) => {
          volume = bigAt(day.volume, 0)
        })
        const rows = quantities.length
        const ids = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i))
        bars.add({
          tsMs: new Float64Array(rows),
          firstId: ids,
          lastId: ids,
          price: new BigInt64Array(rows).fill(1n),
          qty: BigInt64Array.from(quantities),
          quoteQty: new BigInt64Array(rows),
          isBuyerMaker: new Uint8Array(rows),
        })
        bars.finish(DAY_MS)
        expectExactOrRefused(
          volume,
          quantities.reduce((a, b) => a + b),
        )
      }),
      { seed: 2, numRuns: 200 },
    )
  })

  test('as the turnover of a trade', () => {
    fc.assert(
      fc.property(amount, amount, (price, qty) => {
        const turnover = (price * qty) / 10n ** 8n
        const told = () => turnoverOf(BigInt64Array.of(price), BigInt64Array.of(qty))[0]
        if (turnover < 2n ** 63n) expect(told()).toBe(turnover)
        else expect(told).toThrow('turns over more than any trade can')
      }),
      { seed: 3, numRuns: 1000 },
    )
  })

  test('in a file: what has room in a sum is a bar, and the row that has not is a finding with its place', () => {
    const from = Date.UTC(2026, 5, 1)
    const line = (minute: number, volume: string): string => {
      const open = from + minute * 60_000
      return `${open},0.00001,0.00001,0.00001,0.00001,${volume},${open + 59_999},1200.5,10,0,0,0`
    }
    const header =
      'open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore'
    const lines = [header, line(0, '9999999999.99999999'), line(1, '123456789012'), line(2, '1e20'), line(3, '7')]
    const { table, findings } = tradeBars(
      [archiveFiles('1000PEPEUSDT-1m-2026-06-01', `${lines.join('\n')}\n`)],
      {
        market: 'usdm',
        kind: 'klines',
        symbol: '1000PEPEUSDT',
        interval: '1m',
        fromTsMs: from,
        toTsMs: from + 240_000,
      },
      'quarantine',
    )
    expect(listed(table.columns.volume)).toEqual([columnMax, 12_345_678_901_200_000_000n, 700_000_000n])
    const bad = findings.filter(({ kind }) => kind === 'badCell')
    expect(bad).toMatchObject([
      {
        severity: 'QUARANTINE',
        line: 4,
        column: 'volume',
        what: expect.stringContaining('too large for decimal(28,8)'),
      },
    ])
    expect(bad[0]!.file).toContain('1000PEPEUSDT-1m-2026-06-01')
    expect(bad[0]!.byteOffset).toBe(lines.slice(0, 3).join('\n').length + 1 + lines[3]!.indexOf('1e20'))
  })

  test('from an hour of a cheap coin to its row of four hours, with all that is made of it', () => {
    const from = Date.UTC(2026, 5, 1)
    const hours = ['12345678901', '9000000000.5', '47224536536', '15970220383']
    const line = (volume: string, hour: number) => {
      const open = from + hour * HOUR_MS
      const taker = parseScaledBig(volume, 8)! / 4n
      const quote = (units: bigint) => formatScaled(units * 9n, 8)
      const all = parseScaledBig(volume, 8)!
      return [
        open,
        '9',
        '9',
        '9',
        '9',
        volume,
        open + HOUR_MS - 1,
        quote(all),
        7,
        formatScaled(taker, 8),
        quote(taker),
        0,
      ]
    }
    const partition = { market: 'usdm', kind: 'klines', interval: '1h', symbol: '1000PEPEUSDT' } as const
    const { table, findings } = tradeBars(
      [archiveFiles('1000PEPEUSDT-1h-2026-06-01', `${hours.map(line).join('\n')}\n`)],
      { ...partition, fromTsMs: from, toTsMs: from + 4 * HOUR_MS },
      'reject',
    )
    expect(findings.filter(({ kind }) => kind !== 'missingHeader')).toEqual([])
    const bars = toInterval(klinesOf('1000PEPEUSDT', table).columns, HOUR_MS, 4 * HOUR_MS)
    const settlements = { tsMs: new Float64Array(), rate: new BigInt64Array(), intervalHours: new Float64Array() }
    const samples = { tsMs: new Float64Array(), openInterest: new BigInt64Array() }
    const options = { symbol: '1000PEPEUSDT', intervalMs: 4 * HOUR_MS, priceMs: 4 * HOUR_MS, outageMs: DAY_MS }
    const limits = { stalenessMaxMs: DAY_MS, indexDeviationMax: 1, openInterestMaxAgeMs: DAY_MS }
    const rows = new MinuteRows({ ...options, ...limits } as MinuteOptions, settlements, samples)
    const none = { compared: [], existing: undefined, mark: undefined, index: undefined, premium: undefined }
    const made = rows.day({ bars, ...none, spot: bars })
    const { columns } = decodeTable(minuteTable, encodeTable(made))

    const all = hours.reduce((sum, text) => sum + parseScaledBig(text, 8)!, 0n)
    const bought = hours.reduce((sum, text) => sum + parseScaledBig(text, 8)! / 4n, 0n)
    expect(listed(columns.volume)).toEqual([all])
    expect(listed(columns.quoteVolume)).toEqual([9n * all])
    expect(9n * all).toBeGreaterThan(10n ** 11n * 10n ** 8n)
    expect(listed(columns.takerSellVolume)).toEqual([all - bought])
    expect(listed(columns.takerSellQuoteVolume)).toEqual([9n * (all - bought)])
    expect(listed(columns.spotQuoteVolume.values)).toEqual([9n * all])
    expect([columns.vwap[0], columns.dataOk[0]]).toEqual([9, 1])
  })
})
