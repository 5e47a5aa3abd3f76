import { describe, expect, test } from 'vitest'
import { didYouMean, nearMatch } from '../../lib/nearMatch.ts'

describe('a near match', () => {
  const near: [text: string, known: string[], meant: string][] = [
    ['closse', ['open', 'close'], 'close'],
    ['backtset', ['backtest', 'report'], 'backtest'],
    ['bsp', ['model', 'bps'], 'bps'],
    ['LATENCYMS', ['latencyMs'], 'latencyMs'],
    ['BTCUSD', ['ETHUSDT', 'BTCUSDT'], 'BTCUSDT'],
    ['momentumCrossSectoinl', ['momentumCrossSectional'], 'momentumCrossSectional'],
    ['klin', ['funding', 'klines'], 'klines'],
    ['BTC', ['ETHUSDT', 'BTCUSDT'], 'BTCUSDT'],
    ['stauts', ['status', 'stats'], 'status'],
  ]
  for (const [text, known, meant] of near) {
    test(`of ${text} is ${meant}`, () => expect(nearMatch(text, known)).toBe(meant))
  }

  const far: [text: string, known: string[]][] = [
    // What all symbols end in says nothing of which is meant.
    ['FOOUSDT', ['BTCUSDT', 'SOLUSDT', 'DOGEUSDT']],
    ['abc', ['xbz']],
    ['x', ['y']],
    ['ls', ['gc']],
    ['vip', ['regular']],
    ['', ['a']],
  ]
  for (const [text, known] of far) {
    test(`of "${text}" is none of ${known.join(', ')}`, () => expect(nearMatch(text, known)).toBeUndefined())
  }

  test('is asked for, or nothing is said', () => {
    expect(didYouMean('closse', ['close'])).toBe('; did you mean "close"?')
    expect(didYouMean('FOOUSDT', ['SOLUSDT'])).toBe('')
  })
})
