import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FileSet } from '../../../lib/artifact.ts'
import { custom, input, stdOver, sumOver } from '../../../lib/features/column.ts'
import { type FeatureGroup, featureGroup } from '../../../lib/features/feature.ts'
import { featureSet } from '../../../lib/features/featureSet.ts'
import { findLeaks } from '../../../lib/features/lookahead.ts'
import { basisFeatures } from '../../../lib/features/set/basis.ts'
import { flowFeatures, spotFlowFeatures } from '../../../lib/features/set/flow.ts'
import { fundingFeatures } from '../../../lib/features/set/funding.ts'
import { calendarGroup, settlementFeatures } from '../../../lib/features/set/masks.ts'
import { openInterestFeatures } from '../../../lib/features/set/openInterest.ts'
import { priceFeatures } from '../../../lib/features/set/prices.ts'
import { framesOf } from '../../../lib/minute/frames.ts'
import { createRng } from '../../../lib/rng.ts'
import { featureNames, featureSymbols, readFeatures } from '../../../lib/tables/features.ts'
import { fundingTable } from '../../../lib/tables/funding.ts'
import { minuteTable } from '../../../lib/tables/minute.ts'
import type { Columns } from '../../../lib/tables/schema.ts'
import { concatTables, makeTable, sliceTable, type TableOf } from '../../../lib/tables/table.ts'
import { bigAt } from '../../../lib/tables/wideInts.ts'
import { dayStart, HOUR_MS, MINUTE_MS } from '../../../lib/time.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { checkFeatures } from '../../../tasks/research/checkFeatures.ts'
import { features } from '../../../tasks/research/features.ts'
import { filesOf, runTask, storedTable, wholeTable } from '../../support/runTask.ts'
import { simDay, simOpenInterest } from '../../support/simTables.ts'

type Minutes = TableOf<typeof minuteTable>
type Funding = TableOf<typeof fundingTable>

const days = ['2026-07-05', '2026-07-06', '2026-07-07', '2026-07-08']
const params = { from: '2026-07-07', to: '2026-07-08' }
const nowMs = dayStart('2026-07-07')

function minutesOf(symbol: string): Minutes {
  const all = (kind: 'klines' | 'mark' | 'index' | 'premium' | 'spotKlines') =>
    days.map((day) => storedTable<Columns>(simDay[kind](symbol, day)) as never)
  const inputs = {
    klines: all('klines'),
    mark: all('mark'),
    index: all('index'),
    premium: all('premium'),
    spot: all('spotKlines'),
    funding: [simDay.funding(symbol, '2026-06'), simDay.funding(symbol, '2026-07')],
    openInterest: [simOpenInterest(symbol, days[0]!, days.length)],
  }
  return wholeTable(minuteTable, runTask(buildMinute, inputs, { symbol, from: days[0]!, to: '2026-07-09' }))
}

const symbols = ['XRPUSDT', 'ETHUSDT']
const minutes = symbols.map(minutesOf)
// Thirty days and more of settlements lie before the day, for percentiles.
const funding = symbols.flatMap((symbol) =>
  ['2026-05', '2026-06', '2026-07'].map((month) => simDay.funding(symbol, month)),
)

function run(
  group: FeatureGroup,
  tables: readonly Minutes[] = minutes,
  settlements: readonly Funding[] = funding,
): FileSet {
  const inputs = { minutes: tables.map((table) => storedTable(table)), funding: settlements, group }
  const files = runTask(features, inputs as never, params) as unknown as { name: string; bytes: Uint8Array }[]
  return filesOf(Object.fromEntries(files.map(({ name, bytes }) => [name, bytes])))
}

const groups: Record<string, FeatureGroup> = {
  prices: priceFeatures,
  basis: basisFeatures,
  funding: fundingFeatures,
  openInterest: openInterestFeatures,
  flow: flowFeatures,
  spotFlow: spotFlowFeatures,
  masks: settlementFeatures,
  calendar: calendarGroup,
}
const valuesOf = (files: FileSet, symbol: string) => readFeatures(files, symbol, featureNames(files))!

describe('a node of one group', () => {
  test('has a file for each symbol and a row for every bar, also for those that are missing', () => {
    const files = run(priceFeatures)
    expect(featureSymbols(files)).toEqual(['ETHUSDT', 'XRPUSDT'])
    expect(featureNames(files)).toEqual(priceFeatures.map(({ name }) => name))
    const { openTsMs, columns } = readFeatures(files, 'XRPUSDT', ['ret_5m'])!
    expect(openTsMs).toHaveLength(1440)
    // No bars from 03:30 to 05:59: five minutes later all five are there again.
    const row = (time: string) => openTsMs.indexOf(Date.parse(`2026-07-07T${time}:00Z`))
    const known = (time: string) => !Number.isNaN(columns['ret_5m']![row(time)]!)
    expect(['03:29', '03:30', '06:00', '06:04', '06:05'].map(known)).toEqual([true, false, false, false, true])
  })

  test('every group of the set has values, from the embedded exchange as it is', () => {
    for (const [name, group] of Object.entries(groups)) {
      const { columns } = valuesOf(run(group), 'ETHUSDT')
      for (const [feature, values] of Object.entries(columns)) {
        // Both settled at the same rate all day: there is no spread to measure them by.
        if (feature === 'funding_8h_z') continue
        expect(
          values.some((value) => !Number.isNaN(value)),
          `${name}: ${feature}`,
        ).toBe(true)
      }
    }
  })

  test('is the same bytes for any order of symbols and pieces', () => {
    const some = run(fundingFeatures)
    const pieces = minutes.flatMap((table) => [sliceTable(table, 0, 3000), sliceTable(table, 3000, table.rowCount)])
    const other = run(fundingFeatures, [...pieces].reverse(), [...funding].reverse())
    expect(other.names).toEqual(some.names)
    for (const name of some.names) expect(Buffer.compare(other.read(name), some.read(name))).toBe(0)
  })

  test('names the feature and the column where a data set is not there', () => {
    const none = minutes.map((table) => {
      const valid = new Uint8Array(table.rowCount)
      return makeTable(minuteTable, {
        ...table.columns,
        openInterest: { values: new BigInt64Array(table.rowCount), valid },
      })
    })
    expect(() => run(openInterestFeatures, none)).toThrow('the feature "doi_1h" needs the column "openInterest"')
    expect(() =>
      runTask(
        features,
        { minutes: minutes.map((table) => storedTable(table)), group: fundingFeatures } as never,
        params,
      ),
    ).toThrow('needs the series "funding", which the data does not have')
  })

  test('is one file of a user’s: a group that no program knows', () => {
    const mine = featureGroup('mine', [
      { name: 'turnover_30m', says: 'quote volume of half an hour', column: sumOver(input('quoteVolume'), '30m') },
    ])
    const { columns } = valuesOf(run(mine), 'ETHUSDT')
    const table = minutes[1]!.columns
    const end = table.openTsMs.indexOf(nowMs + 100 * MINUTE_MS)
    let sum = 0
    for (let i = end - 29; i <= end; i++) sum += Number(bigAt(table.quoteVolume, i)) / 1e8
    expect(columns['turnover_30m']![100]).toBeCloseTo(sum, 4)
  })

  test('a strategy that asks for a column nobody has is told which there are', () => {
    expect(() => readFeatures(run(basisFeatures), 'ETHUSDT', ['bases'])).toThrow(
      'there is no feature "bases" among basis',
    )
  })
})

describe('no feature task looks ahead', () => {
  for (const [name, group] of Object.entries(groups)) {
    test(`${name}: another future of minutes and settlements leaves every row known by now as it was`, () => {
      const before = run(group)
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 1, max: 1439 }), (seed, minute) => {
          const cutMs = nowMs + minute * MINUTE_MS
          const after = run(
            group,
            minutes.map((table) => otherMinutes(table, cutMs, seed)),
            funding.map((table) => otherFunding(table, cutMs, seed)),
          )
          for (const symbol of symbols) {
            const [x, y] = [valuesOf(before, symbol), valuesOf(after, symbol)]
            for (const [feature, values] of Object.entries(x.columns)) {
              expect(y.columns[feature]!.subarray(0, minute), feature).toEqual(values.subarray(0, minute))
            }
          }
        }),
        { numRuns: 2 },
      )
    })
  }

  test('more history than the warm-up changes no bit', () => {
    for (const group of [priceFeatures, flowFeatures, basisFeatures, openInterestFeatures]) {
      const late = minutes.map((table) =>
        sliceTable(
          table,
          table.columns.openTsMs.findIndex((ts) => ts >= nowMs - 25 * HOUR_MS),
          table.rowCount,
        ),
      )
      const [all, some] = [run(group), run(group, late)]
      for (const name of all.names) expect(Buffer.compare(some.read(name), all.read(name)), name).toBe(0)
    }
  })
})

describe('the check for leaks', () => {
  const grid = { startTsMs: dayStart(days[0]!), toMs: dayStart('2026-07-09'), intervalMs: MINUTE_MS }
  const framesFor = (group: FeatureGroup) =>
    framesOf(
      typeof group === 'function' ? group({ calendar: [] }) : group,
      minutes.map((table) => storedTable(table)),
      funding,
      grid,
    )

  test('finds nothing in the set', () => {
    const shown = framesFor(featureSet.filter(({ group }) => group !== 'funding'))
    expect(
      findLeaks(
        featureSet.filter(({ group }) => group !== 'funding'),
        shown,
        { seed: 1, cuts: 2 },
      ),
    ).toEqual([])
  })

  const planted = featureGroup('planted', [
    { name: 'fine', says: 'an honest one beside them', column: stdOver(input('close'), '10m') },
    {
      name: 'tomorrow',
      says: 'the close of the next minute',
      column: custom([input('close')], '1m', ([close], dst) => {
        for (let i = 0; i < dst.length; i++) dst[i] = close![i + 1] ?? Number.NaN
      }),
    },
    {
      name: 'whole_range_z',
      says: 'scaled by the mean of the whole range, as is often done',
      column: custom([input('close')], '1m', ([close], dst) => {
        let sum = 0
        let count = 0
        for (const value of close!) {
          if (Number.isNaN(value)) continue
          sum += value
          count++
        }
        for (let i = 0; i < dst.length; i++) dst[i] = close![i]! / (sum / count)
      }),
    },
    {
      name: 'forgetful',
      says: 'needs more history than it says',
      column: custom([input('close')], '1m', ([close], dst) => {
        for (let i = 0; i < dst.length; i++) dst[i] = i < 5 ? Number.NaN : close![i]! - close![i - 5]!
      }),
    },
  ])

  test('names the columns that look ahead, and those that need more than their warm-up', () => {
    const leaks = findLeaks(planted, framesFor(planted), { seed: 3, cuts: 3 })
    const found = leaks.map(({ kind, feature }) => `${feature} ${kind}`)
    expect(found).toEqual([
      'tomorrow looksAhead',
      'whole_range_z looksAhead',
      'whole_range_z warmupTooShort',
      'forgetful warmupTooShort',
    ])
    // The row that gives the first one away is the last before the cut.
    expect(leaks[0]!.rowKnownAtMs).toBe(leaks[0]!.cutMs)
    expect(leaks[0]).toMatchObject({ group: 'planted', symbol: 'ETHUSDT' })
  })

  test('as a task names the columns, or says what it tried', () => {
    const check = (group: FeatureGroup) =>
      runTask(checkFeatures, { minutes: minutes.map((table) => storedTable(table)), funding, group } as never, {
        ...params,
        cuts: 2,
      })
    const { leaks } = check(planted) as { leaks: { feature: string }[] }
    expect(new Set(leaks.map(({ feature }) => feature))).toEqual(new Set(['tomorrow', 'whole_range_z', 'forgetful']))
    expect(check(basisFeatures)).toEqual({ features: basisFeatures.map(({ name }) => name), cuts: 2, leaks: [] })
  })
})

/** Rows closed by `cutMs` as they are; later ones vanish or are drawn anew. */
function otherMinutes(table: Minutes, cutMs: number, seed: number): Minutes {
  const rng = createRng(seed, table.columns.symbol[0]!)
  const known = table.columns.openTsMs.findIndex((ts) => ts + MINUTE_MS > cutMs)
  const until = known < 0 ? table.rowCount : known
  const late = concatTables(minuteTable, [sliceTable(table, until, table.rowCount)])
  const { close, quoteVolume, takerBuyQuoteVolume, mark, index, fundingEstimate, openInterest } = late.columns
  for (const values of [close, quoteVolume, takerBuyQuoteVolume, mark.values, index.values, openInterest.values]) {
    if (!(values instanceof BigInt64Array)) throw new Error('these numbers are small')
    for (let i = 0; i < values.length; i++) if (values[i] !== 0n) values[i] = 1n + BigInt(rng.below(1e9))
  }
  for (let i = 0; i < fundingEstimate.length; i++) fundingEstimate[i] = rng.normal()
  const kept = sliceTable(late, Math.min(late.rowCount, rng.below(50)), late.rowCount)
  return concatTables(minuteTable, [sliceTable(table, 0, until), kept])
}

function otherFunding(table: Funding, cutMs: number, seed: number): Funding {
  const rng = createRng(seed, 'funding', table.columns.symbol[0] ?? '')
  const known = table.columns.settledTsMs.findIndex((ts) => ts > cutMs)
  if (known < 0) return table
  const late = concatTables(fundingTable, [sliceTable(table, known, table.rowCount)])
  late.columns.rate.forEach((_, i) => {
    late.columns.rate[i] = BigInt(rng.below(1e6)) * 10n ** 10n
  })
  const kept = sliceTable(late, Math.min(late.rowCount, rng.below(3)), late.rowCount)
  return concatTables(fundingTable, [sliceTable(table, 0, known), kept])
}
