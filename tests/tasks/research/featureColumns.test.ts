import { expect, test } from 'vitest'
import { featuresOf } from '../../../lib/features/feature.ts'
import { calendarGroup } from '../../../lib/features/set/masks.ts'
import { priceFeatures } from '../../../lib/features/set/prices.ts'
import { featureColumns } from '../../../tasks/research/featureColumns.ts'

test('what is left out of the features is in the log, and kept beside them', () => {
  const lines: string[] = []
  const params = {
    baseInterval: '1h',
    columns: ['ret_1h'],
    leftOut: [{ column: 'ret_5m', group: 'prices', why: 'it needs bars of 5m' }],
  }
  const context = { seed: () => '', log: (line: string) => void lines.push(line) }
  expect(featureColumns.run({}, featureColumns.params.parse(params), context)).toEqual(params)
  expect(lines).toEqual(['column "ret_5m" of "prices" is left out: it needs bars of 5m'])
})

test('a node computes the columns of its group but those that are left out', () => {
  const namesOf = (leftOut?: string[]) => featuresOf(priceFeatures, { calendar: [], leftOut }).map(({ name }) => name)
  expect(namesOf()).toHaveLength(priceFeatures.length)
  expect(namesOf(['ret_1m', 'rv_15m'])).toEqual(
    priceFeatures.map(({ name }) => name).filter((name) => name !== 'ret_1m' && name !== 'rv_15m'),
  )
  expect(featuresOf(calendarGroup, { calendar: [], leftOut: ['near_event'] })).toEqual([])
})
