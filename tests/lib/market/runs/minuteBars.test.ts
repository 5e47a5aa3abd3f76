import { describe, expect, test } from 'vitest'
import { readsOf } from '../../../../lib/features/feature.ts'
import { featureSet } from '../../../../lib/features/featureSet.ts'
import { dataSetsOf } from '../../../../lib/market/runs/columnNeeds.ts'
import { barSeries, barTable } from '../../../../lib/market/runs/minuteBars.ts'
import { klineTable } from '../../../../lib/tables/klines.ts'
import { minuteTable } from '../../../../lib/tables/minute.ts'
import { decodeTable, encodeTable } from '../../../../lib/tables/parquet.ts'
import { makeTable, type TableOf } from '../../../../lib/tables/table.ts'
import { bigAt } from '../../../../lib/tables/wideInts.ts'
import { inputsOff } from '../../../../pipeline/graphs/usdm/config.ts'
import { minuteFile } from '../../../bench/backtest/minuteFiles.ts'

const dayMs = 86_400_000
const digits = { pxDecimals: 5, qtyDecimals: 3 }

describe('bars out of minute tables', () => {
  const file = minuteFile('AUSDT', 1, 0, 2)
  const whole = decodeTable(minuteTable, file)
  const picked = decodeTable(barTable, file)

  test('a port of picked columns reads files of the whole table, and just these columns', () => {
    expect(Object.keys(picked.columns)).toEqual(Object.keys(barTable.columns))
    for (const name of Object.keys(barTable.columns) as (keyof typeof barTable.columns)[]) {
      expect(picked.columns[name]).toEqual(whole.columns[name])
    }
  })

  test('a file of another table is refused', () => {
    const none = Object.fromEntries(
      Object.entries(klineTable.columns).map(([name, { kind }]) => [
        name,
        kind === 'utf8'
          ? []
          : kind === 'decimal' || kind === 'wide'
            ? new BigInt64Array()
            : kind === 'i32'
              ? new Int32Array()
              : new Float64Array(),
      ]),
    ) as unknown as TableOf<typeof klineTable>['columns']
    expect(() => decodeTable(barTable, encodeTable(makeTable(klineTable, none)))).toThrow(/klines version 2/)
  })

  test('come in whole units of the instrument, out of pieces in any order, up to the end that was asked for', () => {
    const later = decodeTable(barTable, minuteFile('AUSDT', 2, 2 * dayMs, 1))
    const series = barSeries([later, picked], digits, 2.5 * dayMs)
    expect(series.openTsMs.length).toBe(2.5 * 1440)
    expect(series.openTsMs.every((tsMs, i) => tsMs === i * 60_000)).toBe(true)
    for (const row of [0, 777, 2879]) {
      expect(series.openPx[row]).toBe(Number(whole.columns.open[row]!) / 1000)
      expect(series.volumeQty[row]).toBe(Math.round(Number(bigAt(whole.columns.volume, row)) / 1e5))
      expect(series.mark!.closePx[row]).toBe(Math.round(Number(whole.columns.mark.values[row]!) / 1000))
    }
  })
})

test('the data sets a column is said to need are those it reads', () => {
  const all = { mark: true, index: true, premium: true, spot: true, openInterest: true, funding: true }
  for (const { name, column } of featureSet) {
    const { inputs, series } = readsOf(column)
    const needed = Object.keys(all).filter((dataSet) => {
      const off = inputsOff({ ...all, [dataSet]: false })
      return [...inputs, ...series.keys()].some((read) => off.has(read))
    })
    expect([...dataSetsOf(name)].sort(), name).toEqual(needed.sort())
  }
})
