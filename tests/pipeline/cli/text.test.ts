import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ansiStyle, wantsColour } from '../../../pipeline/cli/style.ts'
import { textTable } from '../../../pipeline/cli/textTable.ts'
import { cutMiddle, cutText, textWidth } from '../../../pipeline/cli/textWidth.ts'

describe('text is measured in cells', () => {
  test('colours take none', () => expect(textWidth(ansiStyle.bad('abc'))).toBe(3))
  test('wide characters take two', () => expect(textWidth('取引')).toBe(4))
  test('combining marks take none', () => expect(textWidth('e\u0301')).toBe(1))

  test('cutting never exceeds the cells, whatever is cut', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(ansiStyle.good('日本'), ansiStyle.bold('xyz')),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), fc.integer({ min: 0, max: 20 }), (words, cells) => {
        expect(textWidth(cutText(words.join(''), cells))).toBeLessThanOrEqual(cells)
      }),
      { seed: 2 },
    )
  })
  test('a cut colour is closed', () => expect(cutText(ansiStyle.bad('abcdef'), 4)).toBe('\x1b[31mabc…\x1b[0m'))
  test('a long address keeps head and tail', () =>
    expect(cutMiddle('klines[BTCUSDT,1m,2024-01]', 15)).toBe('klines[…024-01]'))
})

describe('tables', () => {
  test('align by cells and leave no trailing spaces', () => {
    const lines = textTable(
      [{ title: 'name' }, { title: 'size', align: 'right' }, { title: '' }],
      [
        ['a', '12', 'x'],
        ['日本', '3', ''],
      ],
    )
    expect(lines).toEqual(['name  size', 'a       12  x', '日本     3'])
  })
  test('cut what is wider than its column allows', () => {
    expect(textTable([{ title: 'n', maxCells: 4 }], [['abcdefg']])).toEqual(['n', 'abc…'])
  })
})

describe('colour is used', () => {
  const cases = [
    { says: 'on a terminal', flag: undefined, env: {}, isTerminal: true, want: true },
    { says: 'not in a pipe', flag: undefined, env: {}, isTerminal: false, want: false },
    { says: 'not with NO_COLOR', flag: undefined, env: { NO_COLOR: '1' }, isTerminal: true, want: false },
    {
      says: 'on a terminal with an empty NO_COLOR',
      flag: undefined,
      env: { NO_COLOR: '' },
      isTerminal: true,
      want: true,
    },
    { says: 'in a pipe with FORCE_COLOR', flag: undefined, env: { FORCE_COLOR: '1' }, isTerminal: false, want: true },
    {
      says: 'with FORCE_COLOR over NO_COLOR',
      flag: undefined,
      env: { FORCE_COLOR: '1', NO_COLOR: '1' },
      isTerminal: false,
      want: true,
    },
    { says: 'not with FORCE_COLOR=0', flag: undefined, env: { FORCE_COLOR: '0' }, isTerminal: true, want: false },
    {
      says: 'not with --no-color, whatever the environment',
      flag: false,
      env: { FORCE_COLOR: '1' },
      isTerminal: true,
      want: false,
    },
    { says: 'not on a dumb terminal', flag: undefined, env: { TERM: 'dumb' }, isTerminal: true, want: false },
  ]
  for (const { says, want, ...asked } of cases) test(says, () => expect(wantsColour(asked)).toBe(want))
})
