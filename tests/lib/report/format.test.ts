import { describe, expect, test } from 'vitest'

import { percent, ratio, short, signedPercent, signedUsdt, tone, usdt } from '../../../lib/report/format.ts'
import { prettyJson } from '../../../lib/report/prettyJson.ts'

describe('numbers on the page', () => {
  const cases: [string, string, string][] = [
    ['a loss has a real minus sign', percent(-0.06846), '−6.8%'],
    ['a gain has a plus where the sign is the news', signedPercent(0.0624, 2), '+6.24%'],
    ['what rounds to zero has no sign', signedPercent(-0.0000001), '0.0%'],
    ['nor a plus', signedUsdt(0.2), '0'],
    ['thousands are grouped', usdt(-1234567.891, 2), '−1,234,567.89'],
    ['not behind the point', usdt(1234.56789, 5), '1,234.56789'],
    ['large sums are short', short(2_345_678), '2.35M'],
    ['what does not exist is a dash', ratio(null), '–'],
    ['NaN and infinity too', `${usdt(Number.NaN)}${percent(Infinity)}${ratio(undefined)}`, '–––'],
  ]
  for (const [says, got, want] of cases) test(says, () => expect(got).toBe(want))

  test('take the colour of their sign, and nothing where there is none', () => {
    expect([tone(1), tone(-1), tone(0), tone(null), tone(Number.NaN)]).toEqual(['up', 'down', '', '', ''])
  })
})

test('JSON for reading is the same JSON, with short things on one line', () => {
  const value = { a: [1, { b: 'x' }], c: {}, d: Array.from({ length: 40 }, (_, i) => ({ i })) }
  expect(JSON.parse(prettyJson(value))).toEqual(value)
  expect(prettyJson(value)).toContain('  "a": [1, { "b": "x" }],\n  "c": {},\n')
})
