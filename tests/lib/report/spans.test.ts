import { describe, expect, test } from 'vitest'

import { heldSpans, memberSpans, spanPath } from '../../../lib/report/spans.ts'

describe('heldSpans', () => {
  const fills = [
    { tsMs: 1, positionQty: 5 },
    { tsMs: 2, positionQty: 9 },
    { tsMs: 4, positionQty: -3 },
    { tsMs: 5, positionQty: 0 },
    { tsMs: 7, positionQty: 1 },
  ]
  test('a side is held from the fill that opens it to the one that closes or turns it; the last until the end', () => {
    expect(heldSpans(fills, 1, 10)).toEqual([
      [1, 4],
      [7, 10],
    ])
    expect(heldSpans(fills, -1, 10)).toEqual([[4, 5]])
  })
  test('nothing is held without fills', () => expect(heldSpans([], 1, 10)).toEqual([]))
})

describe('memberSpans', () => {
  const changes = [
    { tsMs: 0, symbols: ['A', 'B'] },
    { tsMs: 10, symbols: ['A'] },
    { tsMs: 20, symbols: ['A', 'B'] },
  ]
  test('each choice holds until the next, and neighbours are one span', () => {
    expect(memberSpans(changes, 'A', { fromMs: 5, toMs: 30 })).toEqual([[5, 30]])
    expect(memberSpans(changes, 'B', { fromMs: 5, toMs: 30 })).toEqual([
      [5, 10],
      [20, 30],
    ])
    expect(memberSpans(changes, 'C', { fromMs: 5, toMs: 30 })).toEqual([])
  })
})

test('spans are blocks of the whole height', () => {
  expect(spanPath({ fromMs: 0, toMs: 10 }, [[0, 5]])).toBe('M0 0H500V300H0Z')
})
