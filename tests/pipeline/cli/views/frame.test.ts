import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ansiStyle, plainStyle } from '../../../../pipeline/cli/style.ts'
import { textWidth } from '../../../../pipeline/cli/textWidth.ts'
import { renderFrame } from '../../../../pipeline/cli/views/frame.ts'
import { advance, newProgress, type Progress, settledCount } from '../../../../pipeline/cli/views/progress.ts'
import type { RunEvent } from '../../../../pipeline/engine/event.ts'
import { ending, story } from './runEvents.ts'

function progressAfter(events: readonly RunEvent[]): Progress {
  const progress = newProgress()
  for (const event of events) advance(progress, event)
  return progress
}

describe('progress', () => {
  test('counts each node once, where it ended', () => {
    const progress = progressAfter([...story, ...ending])
    expect(settledCount(progress)).toBe(2 + 3 + 1 + 1)
    expect(progress).toMatchObject({
      cached: 2,
      executed: 3,
      unchanged: 1,
      absent: 1,
      failed: 1,
      skipped: 1,
      healed: 1,
      disputed: 1,
    })
    expect(progress.running.size).toBe(0)
  })
  test('adds up what sources report as totals of their own', () => {
    expect(progressAfter(story)).toMatchObject({ bytesIn: 2_500_000, requests: 5 })
  })
})

describe('the frame', () => {
  const shown = (columns: number, rows: number, style = plainStyle) =>
    renderFrame(progressAfter(story), 2000, { columns, rows }, style)

  test('at 100 x 30', () =>
    expect(`${shown(100, 30).join('\n')}\n`).toMatchFileSnapshot('../../../golden/frame-wide.txt'))
  test('at 48 x 8', () => expect(`${shown(48, 8).join('\n')}\n`).toMatchFileSnapshot('../../../golden/frame-small.txt'))
  test('before anything is known', () => {
    expect(renderFrame(newProgress(), 0, { columns: 60, rows: 20 }, plainStyle)[0]).toContain('0/0')
  })

  test('fits every terminal', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (columns, rows, colour) => {
          const lines = shown(columns, rows, colour ? ansiStyle : plainStyle)
          expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 2))
          for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(Math.max(10, columns - 1))
        },
      ),
      { seed: 3 },
    )
  })

  test('says of a node that asks again for whom it waits, until the wait is over or something comes', () => {
    const waits = {
      kind: 'node waiting to retry',
      elapsedMs: 2000,
      address: 'klines[ETHUSDT]',
      on: 'fapi.test',
      after: '503',
      waitMs: 8000,
      attempt: 3,
      attemptsMax: 8,
    } as const
    const linesAt = (nowMs: number, ...more: RunEvent[]): string =>
      renderFrame(progressAfter([...story, waits, ...more]), nowMs, { columns: 100, rows: 30 }, plainStyle).join('\n')
    expect(linesAt(4000)).toContain('waiting 6.00 s for fapi.test after 503, try 3 of 8')
    expect(linesAt(4000)).toContain('waiting: 1 for fapi.test after 503, 2 on limit binance (2)')
    const narrow = renderFrame(progressAfter([...story, waits]), 4000, { columns: 64, rows: 30 }, plainStyle)
    expect(narrow.join('\n')).toMatch(/klines\[ETHUSDT\] .* waiting 6\.00 s, try 3 of 8/)
    expect(narrow.join('\n')).toContain('waiting: 1 for fapi.test after 503')
    expect(linesAt(10_000)).not.toContain('fapi.test')
    const came = { kind: 'node progress', elapsedMs: 3000, address: waits.address, bytes: 9, requests: 1 } as const
    expect(linesAt(4000, came)).not.toContain('fapi.test')
  })

  test('shows the longest running first and says how many it leaves out', () => {
    const many = progressAfter(story)
    for (let i = 0; i < 40; i++) {
      const address = `slow[${i}]`
      advance(many, { kind: 'node started', elapsedMs: 1900, address, task: 't', taskKind: 'pure', because: [] })
    }
    const lines = renderFrame(many, 2000, { columns: 80, rows: 40 }, plainStyle)
    expect(lines.find((line) => line.startsWith('  '))).toContain('klines[ETHUSDT]')
    expect(lines.at(-1)).toBe('  and 34 more')
  })
})
