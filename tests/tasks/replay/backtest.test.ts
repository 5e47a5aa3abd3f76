import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { defineStrategy, type Strategy } from '../../../lib/backtest/strategy.ts'
import { type BacktestRun, decodeBacktest } from '../../../lib/market/runs/backtestFiles.ts'
import { encodeFeatures } from '../../../lib/tables/features.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import type { QaReport } from '../../../lib/tables/qa.ts'
import { DAY_MS, HOUR_MS } from '../../../lib/time.ts'
import { canonicalParams } from '../../../pipeline/engine/walk/params.ts'
import { backtest } from '../../../tasks/replay/backtest.ts'
import { filesOf, runTask } from '../../support/runTask.ts'
import { type Bar, flat, fundingRows, listed, minuteRows, startMs } from './sampleBars.ts'

const hours = (n: number) => startMs + n * HOUR_MS
const bars = (count: number, price: (i: number) => number = () => 100): Bar[] =>
  Array.from({ length: count }, (_, i) => flat(price(i)))

/** Puts everything it has into what `wants` says, each hour. */
const holding = (wants: (nowMs: number) => Partial<Record<string, number>>, columns?: readonly string[]): Strategy =>
  defineStrategy({
    name: 'holding',
    params: z.object({ gross: z.number().default(1) }),
    decisionEvery: '1h',
    ...(columns === undefined ? {} : { columns }),
    onBar: (ctx) => ctx.setWeights(wants(ctx.nowMs) as Record<string, number>),
  }) as Strategy

const free = {
  capitalUsdt: 10_000,
  latencyMs: 0,
  fees: [{ from: '2019-09-01', tiers: { regular: { makerBps: 0, takerBps: 0 } } }],
  slippage: { model: 'fixedBps' as const, bps: 0 },
  volumeShareMax: 1,
}

interface Given {
  universe?: Record<string, unknown>
  minutes?: readonly unknown[]
  funding?: readonly unknown[]
  qa?: readonly unknown[]
  features?: readonly unknown[]
  replay?: unknown
  strategy?: Strategy
}

function run(given: Given, asked: Record<string, unknown> = {}, logs: string[] = []): BacktestRun {
  const inputs = {
    universe: { symbols: [listed('AUSDT')], rejected: [] },
    minutes: [minuteRows('AUSDT', bars(48))],
    funding: [],
    strategy: holding(() => ({ AUSDT: 1 })),
    ...given,
  }
  const params = { baseInterval: '1h', from: '2026-03-01', to: '2026-03-03', execution: free, ...asked }
  const context = { seed: () => '0', log: (line: string) => logs.push(line) }
  const files = runTask(backtest, inputs as never, params as never, context) as { name: string; bytes: Uint8Array }[]
  return decodeBacktest(filesOf(Object.fromEntries(files.map(({ name, bytes }) => [name, bytes]))))
}

/** When something was filled, and at what price. */
const filled = ({ result: { fills } }: BacktestRun) =>
  Array.from(fills.tsMs.keys())
    .filter((row) => fills.outcome[row] === 0)
    .map((row) => ({ tsMs: fills.tsMs[row], px: fills.fillPx[row]! / 1e5 }))

const qaOf = (masks: QaReport['masks'], more: Partial<QaReport> = {}): QaReport => ({
  symbol: 'AUSDT',
  policy: 'quarantine',
  intervalMs: HOUR_MS,
  fromMs: startMs,
  toMs: startMs + 2 * DAY_MS,
  days: [],
  masks,
  carried: [],
  ...more,
})

describe('the task backtest reads', () => {
  test('bars out of pieces in any order, and no more of the minute table than it needs', () => {
    const whole = run({
      minutes: [
        minuteRows(
          'AUSDT',
          bars(48, (i) => 100 + i),
        ),
      ],
    })
    const [early, late] = [bars(24, (i) => 100 + i), bars(24, (i) => 124 + i)]
    const pieces = [minuteRows('AUSDT', late, { fromMs: hours(24) }), minuteRows('AUSDT', early)]
    expect(run({ minutes: pieces })).toEqual(whole)
    expect(Object.keys(backtest.inputs.minutes.of.schema.columns).length * 2).toBeLessThan(
      Object.keys(minuteTable.columns).length,
    )
  })

  test('the mark: positions are worth it, and closes stand in where the venue published none', () => {
    const marked = [...bars(10), flat(100, { mark: [100, 130, 100, 110] }), ...bars(37)]
    const { result } = run({ minutes: [minuteRows('AUSDT', marked)] })
    const at = (tsMs: number) => result.equity.equity[result.equity.tsMs.indexOf(tsMs)]! / 1e8
    expect(at(hours(11))).toBeCloseTo(11_000, 6)
    expect(at(hours(12))).toBeCloseTo(10_000, 6)
    expect(result.counts.marksAtClose).toBe(46)
  })

  test("settlements at the venue's own price, their late stamps put on the instant they were due", () => {
    const funding = [fundingRows('AUSDT', [{ tsMs: hours(8) + 17, rate: 0.01, markPx: 200 }])]
    const { result } = run({ funding })
    expect(result.perSymbol[0]!.funding / 1e8).toBeCloseTo(-0.01 * 200 * 100, 6)
    expect(result.counts.fundingAtMark).toBe(0)
    expect(result.equity.funding[result.equity.tsMs.indexOf(hours(8))]! / 1e8).toBeCloseTo(-200, 6)
  })

  test('a missing bar as a missing row: nothing fills in it', () => {
    const gap = bars(48).map((bar, i) => (i >= 5 && i < 9 ? undefined : bar))
    const gapped = run({
      minutes: [minuteRows('AUSDT', gap), minuteRows('BUSDT', bars(48))],
      universe: { symbols: [listed('AUSDT'), listed('BUSDT')], rejected: [] },
      strategy: holding((nowMs) => (nowMs >= hours(6) ? { AUSDT: 0.5 } : {})),
    })
    expect(filled(gapped)[0]!.tsMs).toBe(hours(9))
  })

  test('members from each date on, and tells the strategy', () => {
    const selection = {
      mode: 'historical',
      size: 1,
      minQuoteVolumeUsd: 0,
      minAgeDays: 0,
      lookbackDays: 1,
      dates: [
        { tsMs: startMs, symbols: ['AUSDT', 'DEADUSDT'] },
        { tsMs: hours(24), symbols: ['BUSDT'] },
      ],
      hasSurvivorship: false,
      gone: ['DEADUSDT'],
    }
    const seen: string[] = []
    const strategy = defineStrategy({
      name: 'watcher',
      params: z.object({}),
      decisionEvery: '1h',
      onUniverse: (_, event) => {
        seen.push(`${(event.tsMs - startMs) / HOUR_MS}: ${event.symbols.join()} -${event.removed.join()}`)
      },
      onBar: (ctx) => ctx.setWeights(Object.fromEntries(ctx.symbols.map((symbol) => [symbol, 1]))),
    }) as Strategy
    const logs: string[] = []
    const { result, request } = run(
      {
        universe: { symbols: [listed('AUSDT'), listed('BUSDT'), listed('DEADUSDT')], rejected: [], selection },
        minutes: [minuteRows('AUSDT', bars(48)), minuteRows('BUSDT', bars(48))],
        strategy,
      },
      {},
      logs,
    )
    expect(seen).toEqual(['0: AUSDT -', '24: BUSDT -AUSDT'])
    expect(result.perSymbol.map(({ positionQty }) => positionQty > 0)).toEqual([false, true])
    expect(request.data!.universe).toMatchObject({ mode: 'historical', withoutBars: ['DEADUSDT'] })
    expect(logs).toContain('without a bar, and left out: DEADUSDT')
  })

  test('a delisting: closed at the last mark that had trades, whatever frozen rows follow', () => {
    const dying = [...bars(20), flat(80), ...Array.from({ length: 4 }, () => flat(77, { count: 0 }))]
    const given = {
      minutes: [minuteRows('AUSDT', dying), minuteRows('BUSDT', bars(48))],
      universe: {
        symbols: [listed('AUSDT'), listed('BUSDT')],
        rejected: [],
        selection: {
          mode: 'historical',
          size: 2,
          minQuoteVolumeUsd: 0,
          minAgeDays: 0,
          lookbackDays: 1,
          dates: [{ tsMs: startMs, symbols: ['AUSDT', 'BUSDT'] }],
          hasSurvivorship: false,
          gone: ['AUSDT'],
        },
      },
    }
    const ended = run(given)
    expect(ended.result.counts).toMatchObject({ delistedPositions: 1, dataEndedPositions: 0 })
    expect(filled(ended).at(-1)).toEqual({ tsMs: hours(21), px: 80 })
    expect(ended.request.data!.universe.delisted).toEqual([{ symbol: 'AUSDT', tsMs: hours(21) }])
    const announced = run({
      ...given,
      universe: { symbols: [listed('AUSDT', { deliveryTsMs: hours(10) }), listed('BUSDT')], rejected: [] },
    })
    expect(filled(announced).at(-1)!.tsMs).toBe(hours(10))
  })

  test('QA masks: no order inside, what is held stays and pays funding; reports that meet are one mask', () => {
    const masks = [{ fromMs: hours(3), toMs: hours(6), action: 'quarantine' as const, because: ['stale' as const] }]
    const next = [{ fromMs: hours(6), toMs: hours(9), action: 'quarantine' as const, because: ['stale' as const] }]
    const strategy = holding((nowMs) => (nowMs >= hours(4) ? { AUSDT: 1 } : {}))
    const masked = run({ qa: [qaOf(next), qaOf(masks)], strategy })
    expect(filled(masked)[0]!.tsMs).toBe(hours(9))
    expect(masked.request.data!.quality).toEqual({ policy: 'quarantine', quarantinedMs: 6 * HOUR_MS })
    const held = run({
      qa: [qaOf(masks)],
      funding: [fundingRows('AUSDT', [{ tsMs: hours(4), rate: 0.001 }])],
      strategy: holding((nowMs) => (nowMs < hours(3) ? { AUSDT: 1 } : {})),
    })
    expect(held.result.perSymbol[0]!.funding).toBeLessThan(0)
    expect(filled(held).at(-1)!.tsMs).toBe(hours(6))
  })

  test('only the feature columns it declares, each from the instant it was known and while it is young enough', () => {
    const values = Float64Array.from({ length: 24 }, (_, i) => i)
    const group = (fromMs: number) => {
      const openTsMs = values.map((i) => fromMs + i * HOUR_MS)
      const { name, bytes } = encodeFeatures('AUSDT', openTsMs, { signal: values, other: values })
      return filesOf({ [name]: bytes })
    }
    const seen: number[] = []
    const strategy = defineStrategy({
      name: 'reader',
      params: z.object({}),
      decisionEvery: '1h',
      columns: ['signal'],
      onBar: (ctx) => {
        seen.push(ctx.column('AUSDT', 'signal'))
      },
    }) as Strategy
    const given = { features: [group(startMs)], strategy }
    run(given)
    expect(seen.slice(0, 24)).toEqual([...values])
    expect(seen[24]).toBe(23) // a bar old: still in reach
    expect(seen[25]).toBeNaN()
    // Pieces of time in any order are one series; a bar that no piece has is NaN, never the value before it.
    seen.length = 0
    run({ ...given, features: [group(hours(30)), group(startMs)] }, { maxFeatureAgeMs: DAY_MS })
    expect(seen.slice(0, 24)).toEqual([...values])
    expect(seen.slice(24, 30)).toEqual(new Array(6).fill(Number.NaN))
    expect(seen.slice(30)).toEqual([...values.slice(0, 17)])
    seen.length = 0
    run(given, { maxFeatureAgeMs: 3 * HOUR_MS })
    expect(seen.slice(24, 28)).toEqual([23, 23, 23, Number.NaN])
  })

  test('says which of its columns had no value in the first day, and from when on there was one', () => {
    const lateIn = (values: Float64Array) => {
      const { name, bytes } = encodeFeatures(
        'AUSDT',
        values.map((_, i) => hours(i)),
        { signal: values },
      )
      const strategy = holding(() => ({}), ['signal'])
      return run({ features: [filesOf({ [name]: bytes })], strategy }).request.data!.lateColumns
    }
    const from = (first: number) => Float64Array.from({ length: 48 }, (_, i) => (i < first ? Number.NaN : 1))
    expect(lateIn(from(23))).toBeUndefined()
    expect(lateIn(from(24))).toEqual([{ column: 'signal', fromMs: hours(25) }])
    expect(lateIn(from(48))).toEqual([{ column: 'signal', fromMs: null }])
  })

  test('no bar whose prices cannot be right, and counts what it left out', () => {
    const broken = bars(48).map((bar, i) => (i === 7 ? flat(0) : bar))
    const { request } = run({ minutes: [minuteRows('AUSDT', broken)] })
    expect(request.data!.unsoundBars).toBe(1)
  })

  test('the digest of the event stream, and gives it on', () => {
    const stream = { fromMs: startMs - DAY_MS, toMs: startMs + 2 * DAY_MS, events: 9, digest: 'abc' }
    // The events and the digest are those of the whole chain, and so is its beginning.
    const replay = { ...stream, fromMs: startMs, chainFromMs: startMs - DAY_MS }
    expect(run({ replay }).request.data!.eventStream).toEqual(stream)
    const short = { ...replay, toMs: startMs + DAY_MS }
    expect(() => run({ replay: short })).toThrow(/replay ends at 2026-03-02/)
  })

  test("the strategy's own log, with the instant of each line", () => {
    const logs: string[] = []
    const strategy = defineStrategy({
      name: 'talker',
      params: z.object({}),
      decisionEvery: '1d',
      onBar: (ctx) => ctx.log(`${ctx.symbols.length} symbols`),
    }) as Strategy
    const { result } = run({ strategy }, {}, logs)
    expect(logs).toContain('2026-03-02T00:00:00.000Z 1 symbols')
    expect(result.log).toEqual([{ tsMs: hours(24), message: '1 symbols' }])
  })

  test('its inputs and writes none of them: other runs share the memory', () => {
    const minutes = [
      minuteRows(
        'AUSDT',
        bars(48, (i) => 100 + i),
      ),
    ]
    const funding = [fundingRows('AUSDT', [{ tsMs: hours(8) + 17, rate: 0.01, markPx: 200 }])]
    const before = structuredClone([minutes[0]!.columns, funding[0]!.columns])
    run({ minutes, funding })
    expect([minutes[0]!.columns, funding[0]!.columns]).toEqual(before)
  })
})

describe('bad input is answered with what is wrong and what to do', () => {
  const faultOf = (given: Given, asked: Record<string, unknown> = {}) => {
    try {
      run(given, asked)
    } catch (error) {
      const { message, todo } = error as { message: string; todo?: string }
      return `${message} | ${todo}`
    }
    throw new Error('it ran')
  }

  test('an empty universe says who was rejected', () => {
    const universe = { symbols: [], rejected: [{ symbol: 'XUSDT', reason: 'it is younger than 30 days' }] }
    expect(faultOf({ universe })).toMatch(/universe has no symbol \(1 rejected, such as XUSDT: it is younger/)
  })

  test('a range without data says which range there is', () => {
    expect(faultOf({}, { from: '2026-04-01', to: '2026-04-02' })).toMatch(
      /no symbol has a bar from 2026-04-01.* there are bars from 2026-03-01T00:00:00.000Z to 2026-03-03T00:00:00.000Z/,
    )
    expect(faultOf({ minutes: [] })).toMatch(/there are none at all/)
  })

  test('a param the strategy does not have, with the one that was meant', () => {
    expect(faultOf({}, { strategy: { gros: 2 } })).toMatch(
      /no param "gros"; did you mean "gross"\? \| its params are gross/,
    )
    expect(faultOf({}, { strategy: { gross: 'a' } })).toMatch(/strategy holding: its params are wrong: gross: /)
  })

  test('a declared column that no group offers, with the one that was meant, or the switch that is off', () => {
    const openTsMs = Float64Array.of(startMs)
    const { name, bytes } = encodeFeatures('AUSDT', openTsMs, { ret_1h: openTsMs, ret_5m: openTsMs })
    const features = [filesOf({ [name]: bytes })]
    const asking = (column: string) => holding(() => ({}), [column])
    expect(faultOf({ features, strategy: asking('ret1h') })).toMatch(
      /declares the column "ret1h", which no group of features offers; did you mean "ret_1h"\? \(wired are: ret_1h, ret_5m\)/,
    )
    expect(faultOf({ features, strategy: asking('doi_1h') })).toMatch(/switch on the data set "openInterest"/)
    const twin = encodeFeatures('AUSDT', openTsMs, { ret_1h: openTsMs })
    expect(
      faultOf({ features: [...features, filesOf({ [twin.name]: twin.bytes })], strategy: asking('ret_1h') }),
    ).toMatch(/two groups of features offer the column "ret_1h"/)
    expect(faultOf({ strategy: asking('basis') })).toMatch(/no group of features is wired.*"mark" and "index"/)
  })

  test('a day that QA rejects, with the reason', () => {
    const metrics = {
      expectedBars: 24,
      presentBars: 20,
      missingBars: 4,
      quietBars: 0,
      outageBars: 0,
      unsoundBars: 0,
      staleBars: 2,
      deviatingBars: 0,
      lostTrades: 0,
      differingBars: 0,
      outlierBars: 0,
      maskedBars: 0,
      quoteVolume: 0,
    }
    const day = { day: '2026-03-02', knownAtMs: hours(48), status: 'rejected' as const, metrics, findings: [] }
    expect(faultOf({ qa: [qaOf([], { policy: 'reject', days: [day] })] })).toMatch(
      /QA rejects 2026-03-02 of AUSDT: 4 missing, 2 stale \(of 24 bars\) \| choose days without it/,
    )
    const later = { ...day, day: '2026-03-09' }
    expect(run({ qa: [qaOf([], { policy: 'reject', days: [later] })] }).result.outcome).toBe('completed')
  })

  test('params that cannot be meant, when the graph is planned', () => {
    const plan = (changes: Record<string, unknown>) => () =>
      canonicalParams(backtest, { from: '2026-03-01', to: '2026-03-02', ...changes }, 'backtest')
    expect(plan({ from: '2026-03-02', to: '2026-03-01' })).toThrow(/to: must be after "from"/)
    expect(plan({ to: '2026-03-32' })).toThrow(/not a day/)
    expect(plan({ execution: { latencyMS: 5 } })).toThrow(/execution.*latencyMS.*did you mean "latencyMs"/)
    expect(plan({ execution: { slippage: { model: 'fixedBps', bsp: 5 } } })).toThrow(/bsp.*did you mean "bps"/)
    expect(plan({})).not.toThrow()
  })
})
