import { expect, test } from 'vitest'
import { assertWholeDays } from '../../../../lib/market/plan/wholeDays.ts'
import { parseUtc } from '../../../../lib/time.ts'

const at = (text: string) => parseUtc(text)!
const now = at('2026-08-05T09:00')
const faultOf = (to: string, barsFrom: 'klines' | 'trades' | 'aggTrades', hasApi = true): string => {
  try {
    assertWholeDays(now, { toTsMs: at(to), barsFrom, hasApi })
    return ''
  } catch (error) {
    const { code, what, todo } = error as { code: string; what: string; todo: string }
    return `${code}: ${what} | ${todo}`
  }
}

test('a range may end with the last whole day there is, and no later', () => {
  expect(faultOf('2026-08-05', 'klines')).toBe('')
  expect(faultOf('2026-08-05', 'aggTrades')).toBe('')
  expect(faultOf('2026-08-06', 'klines')).toBe(
    'usage: the range ends 2026-08-06, and of klines there are whole days before 2026-08-05 only | set "to" to 2026-08-05',
  )
})

test('single trades, and all there is without an API, end with the last archive that is surely published', () => {
  expect(faultOf('2026-08-03', 'trades')).toBe('')
  expect(faultOf('2026-08-04', 'trades')).toMatch(/whole days before 2026-08-03 only .* klines or aggTrades/)
  expect(faultOf('2026-08-03', 'klines', false)).toBe('')
  expect(faultOf('2026-08-04', 'klines', false)).toMatch(/set "to" to 2026-08-03$/)
})
