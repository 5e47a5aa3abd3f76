import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../lib/fault.ts'
import { makeOut } from '../../../pipeline/cli/out.ts'
import { renderFault } from '../../../pipeline/cli/renderFault.ts'
import { ansiStyle, plainStyle } from '../../../pipeline/cli/style.ts'
import { renderPreview } from '../../../pipeline/cli/tablePreview.ts'
import { renderFailure } from '../../../pipeline/cli/views/failureBlock.ts'
import { visible, visibleEvent, visibleLines, visiblePaintedLines } from '../../../pipeline/cli/visible.ts'
import { Sink } from './fakeProcess.ts'
import { failure } from './views/runEvents.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const dangerous = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/
const evil = 'a\x1b[31m\x1b]0;title\x07\rb\u009b2J\u202ec'

describe('text that others wrote', () => {
  test('is shown, not obeyed', () => {
    expect(visible(evil)).toBe('a\\x1b[31m\\x1b]0;title\\x07\\rb\\x9b2J\\u202ec')
    expect(visible('one\ntwo')).toBe('one\\ntwo')
    expect(visibleLines('one\ntwo\x1b')).toBe('one\ntwo\\x1b')
    expect(visible('日本 é 🙂')).toBe('日本 é 🙂')
  })

  test('holds nothing a terminal obeys, whatever it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(text)).not.toMatch(new RegExp(`\n|${dangerous.source}`))
        expect(visibleLines(text)).not.toMatch(dangerous)
      }),
      { seed: 3 },
    )
  })

  test('among our own colours loses its escapes, and they stay', () =>
    expect(visiblePaintedLines(`${ansiStyle.bad('no')}\n\x1b[2J`)).toBe('\x1b[31mno\x1b[39m\n\\x1b[2J'))

  test('in an event is made harmless wherever it stands, and params once', () => {
    const event = visibleEvent({
      kind: 'node failed',
      elapsedMs: 1,
      address: 'klines[\n]',
      task: evil,
      failure: { ...failure, message: `${evil}\nline`, params: { p: 'x\x1b\u009b' }, inputs: { 'in\x1b': '\x1b' } },
    })
    if (event.kind !== 'node failed') throw new TypeError('the kind stays')
    expect(event.address).toBe('klines[\\n]')
    const block = renderFailure(event.address, event.task, event.failure, plainStyle)
    expect(block).not.toMatch(dangerous)
    expect(block).toContain('params    {"p":"x\\u001b\\x9b"}')
  })

  test('in a fault and in a table cell stays one thing', () => {
    expect(renderFault(new Fault({ code: 'failed', what: evil, where: evil, todo: evil }), plainStyle)).not.toMatch(
      dangerous,
    )
    const printed = renderPreview(
      {
        name: 't',
        version: 1,
        rowCount: 1,
        sortKey: [],
        columns: [{ name: 'text', kind: 'utf8', unit: null }],
        rows: [[`one\ntwo${evil}`]],
        skipped: null,
      },
      ansiStyle,
    )
    expect(printed.split('\n')).toHaveLength(3)
    expect(printed.split('\n')[1]).toContain('one\\ntwoa\\x1b[31m')
  })

  test('of a file is written as it is, but not to a terminal', async () => {
    for (const stdoutIsTerminal of [true, false]) {
      const stdout = new Sink()
      const colour = { stdout: false, stderr: false }
      const out = makeOut({ stdout, stderr: new Sink() }, { json: false, quiet: false, colour, stdoutIsTerminal })
      out.writeText('a\tb\r\n\x1b[2J')
      out.print('\x1b[2J')
      await out.flush()
      expect(stdout.text).toBe(`${stdoutIsTerminal ? 'a\tb\\r\n\\x1b[2J' : 'a\tb\r\n\x1b[2J'}\\x1b[2J\n`)
    }
  })
})
