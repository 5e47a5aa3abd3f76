import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'

import type { FileSet } from '../../lib/artifact.ts'
import { encodeBacktest, type NamedBytes } from '../../lib/market/runs/backtestFiles.ts'
import { metricsSchema } from '../../lib/market/runs/backtestOutputs.ts'
import { hourlyCloses, priceTable } from '../../lib/report/prices.ts'
import { makeTable } from '../../lib/tables/table.ts'
import type { OutputFile } from '../../pipeline/engine/task.ts'
import { report } from '../../tasks/deliver/report.ts'
import { metrics } from '../../tasks/replay/metrics.ts'
import { sampleReport } from '../lib/report/sampleReport.ts'
import { storedTable } from '../support/runTask.ts'

const context = { seed: (stream: string) => `00000000${stream.length}`, log: () => {} }
const setOf = (files: readonly NamedBytes[]): FileSet => {
  const bytesOf = (name: string) => files.find((file) => file.name === name)!.bytes
  return {
    names: files.map(({ name }) => name),
    read: bytesOf,
    sizeBytes: (name) => bytesOf(name).length,
    readAt: (name, offset, lengthBytes) => bytesOf(name).subarray(offset, offset + lengthBytes),
  }
}
/** Bars that stay at their close. */
const flat = (close: BigInt64Array) => ({ high: close, low: close, close })
const sample = sampleReport({ days: 100 })
const run = setOf(encodeBacktest(sample.run))
const benchmark = setOf(encodeBacktest(sample.benchmark!))
const optionsOf = (given: unknown) => metrics.params.parse(given)
const nothing = { benchmark: undefined, sweep: undefined }

/** Its points showed these Sharpe ratios a day. */
const sweepOf = (...sharpes: number[]) => {
  const { sweep } = sampleReport({ days: 100, isSwept: true })
  return { ...sweep!, points: sharpes.map((dailySharpe) => ({ ...sweep!.points[0]!, dailySharpe })) }
}

describe('the task metrics', () => {
  test('gives numbers that JSON can hold, against the benchmark and deflated by the sweep', async () => {
    const options = optionsOf({ bootstrapDraws: 100, ownPoint: 1 })
    const found = await metrics.run({ run, benchmark, sweep: sweepOf(0.1, 0.2) }, options, context)
    expect(metricsSchema.parse(JSON.parse(JSON.stringify(found)))).toEqual(found)
    expect(found.deflated?.trials).toBe(2)
    expect(found.benchmark?.correlation).toBeTypeOf('number')
    expect(found.intervals!.sharpe.low!).toBeLessThan(found.intervals!.sharpe.high!)
    expect(found.parts.pnl).toBeCloseTo(found.endEquityUsdt - found.capitalUsdt, 8)
  })

  test('the run counts as one trial, be it a point of the sweep or not', async () => {
    const found = async (ownPoint?: number) =>
      (
        await metrics.run(
          { run, benchmark, sweep: sweepOf(0.1, 0.2, 0) },
          optionsOf({ bootstrapDraws: 100, ownPoint }),
          context,
        )
      ).deflated!
    expect((await found()).trials).toBe(4)
    expect((await found(0)).trials).toBe(3)
    // Which point it is counts, for its place is taken by what the run itself shows.
    expect((await found(0)).variance).not.toBe((await found(1)).variance)
  })

  test('the bootstrap hangs on the seed alone', async () => {
    const intervals = async (stream: string) =>
      (
        await metrics.run({ run, ...nothing }, optionsOf({ bootstrapDraws: 100 }), {
          ...context,
          seed: () => stream,
        })
      ).intervals
    expect(await intervals('a')).toEqual(await intervals('a'))
    expect(await intervals('b')).not.toEqual(await intervals('a'))
  })

  test('a run of a day has no metrics, and says so', () => {
    const short = setOf(encodeBacktest(sampleReport({ days: 2 }).run))
    const one = setOf(encodeBacktest(sampleReport({ days: 1 }).run))
    expect(() => metrics.run({ run: short, ...nothing }, optionsOf({}), context)).not.toThrow()
    expect(() => metrics.run({ run: one, ...nothing }, optionsOf({}), context)).toThrow(
      /1 whole days, and metrics need/,
    )
  })
})

describe('the task report', () => {
  const beyond = { sweep: undefined, walkForward: undefined, replay: undefined, minutes: undefined }
  const inputs = { run, benchmark, metrics: sample.metrics, variants: undefined, ...beyond }
  const made = report.run({ ...inputs, universe: undefined, quality: undefined }, {}, context) as readonly OutputFile[]
  const file = (name: string) => made.find((all) => all.name === name)!.bytes

  test('makes the page, and fills and equity beside it', () => {
    expect(made.map(({ name }) => name)).toEqual([
      'report.html',
      'fills.csv',
      'equity.csv',
      'positions.csv',
      'fills.parquet',
      'equity.parquet',
    ])
  })

  test('the tables are the very bytes of the run, which the page names by their hashes', () => {
    const page = new TextDecoder().decode(file('report.html'))
    for (const name of ['fills.parquet', 'equity.parquet']) {
      expect(file(name)).toEqual(run.read(name))
      expect(page).toContain(bytesToHex(sha256(run.read(name))))
    }
    expect(page).toContain(bytesToHex(sha256(run.read('run.json'))))
  })

  test('a sweep, a walk-forward and the event stream reach the page, with their tables beside it', () => {
    const { sweep, walkForward, replay } = sampleReport({ days: 100, isSwept: true })
    const given = { ...inputs, universe: undefined, quality: undefined, sweep, walkForward, replay }
    const all = report.run(given, {}, context) as readonly OutputFile[]
    const text = (name: string) => new TextDecoder().decode(all.find((one) => one.name === name)!.bytes)
    expect(text('report.html')).toContain('id="sweep"')
    expect(text('report.html')).toContain('id="walk-forward"')
    expect(text('report.html')).toContain(replay!.digest)
    expect(text('sweep.csv').trimEnd().split('\n')).toHaveLength(1 + sweep!.points.length)
    expect(text('walkForward.csv').trimEnd().split('\n')).toHaveLength(1 + walkForward!.daily.returns.length)
  })

  test('draws trades on minutes, read table by table', () => {
    const [symbol] = sample.run.result.symbols
    const startMs = sample.run.request.fromMs
    const rows = 50 * 60
    const columns = {
      symbol: Array.from({ length: rows }, () => symbol!),
      openTsMs: Float64Array.from({ length: rows }, (_, i) => startMs + i * 60_000),
      ...flat(BigInt64Array.from({ length: rows }, (_, i) => BigInt(100 + i) * 100_000_000n)),
    }
    const minutes = [storedTable(makeTable(priceTable, columns))]
    const [page] = report.run({ ...inputs, minutes, universe: undefined, quality: undefined }, {}, context) as [
      OutputFile,
    ]
    expect(new TextDecoder().decode(page.bytes)).toContain(`Price of ${symbol}`)
    const [series] = hourlyCloses(minutes, 60_000)
    expect(series!.tsMs.length).toBe(50)
    expect([series!.tsMs[0], series!.close[0]]).toEqual([startMs + 3_600_000, 159])
  })

  test.each([
    ['5m', 5, 60],
    ['1h', 60, 60],
    ['2h', 120, 120],
    ['4h', 240, 240],
  ])('draws bars of %s where they close, not where they open', (_, barMinutes, firstMinutes) => {
    const barMs = barMinutes * 60_000
    const rows = 30
    const table = makeTable(priceTable, {
      symbol: Array.from({ length: rows }, () => 'A'),
      openTsMs: Float64Array.from({ length: rows }, (_, i) => i * barMs),
      ...flat(BigInt64Array.from({ length: rows }, (_, i) => BigInt(100 + i) * 100_000_000n)),
    })
    const [series] = hourlyCloses([storedTable(table)], barMs)
    expect(series!.tsMs[0]).toBe(firstMinutes * 60_000)
    expect(series!.close[0]).toBe(100 + Math.max(1, 60 / barMinutes) - 1)
    expect(series!.tsMs.at(-1)).toBe(Math.ceil((rows * barMs) / 3_600_000) * 3_600_000)
  })

  test('a universe that changed, what it left out, and its survivorship reach the page', () => {
    const selection = {
      mode: 'historical' as const,
      size: 4,
      minQuoteVolumeUsd: 0,
      minAgeDays: 0,
      lookbackDays: 30,
      dates: [{ tsMs: sample.run.request.fromMs, symbols: ['S00USDT'] }],
      hasSurvivorship: true,
      gone: [],
    }
    const universe = { symbols: [], rejected: [{ symbol: 'X<b>', reason: 'too young' }], selection }
    const [page] = report.run({ ...inputs, universe, quality: [] }, {}, context) as readonly OutputFile[]
    const text = new TextDecoder().decode(page!.bytes)
    expect(text).toContain('X&lt;b&gt;: too young')
    expect(text).toContain('a member of the universe')
    expect(text).toContain('The universe is made of symbols that live today')
  })
})
