import { describe, expect, test } from 'vitest'
import { plainStyle } from '../../../../pipeline/cli/style.ts'
import type { Terminal } from '../../../../pipeline/cli/terminal.ts'
import { liveView } from '../../../../pipeline/cli/views/liveView.ts'
import { FakeTerminal } from './fakeTerminal.ts'
import { ending, failure, started, story } from './runEvents.ts'

function watched(columns = 80, rows = 20) {
  const terminal = new FakeTerminal(columns, rows)
  let tick = (): void => {}
  let nowMs = 0
  const clock = {
    elapsedMs: () => nowMs,
    every(intervalMs: number, action: () => void) {
      expect(intervalMs).toBeGreaterThanOrEqual(100)
      tick = action
      return () => {
        tick = () => {}
      }
    },
  }
  const view = liveView(terminal satisfies Terminal, plainStyle, clock)
  const tickAt = (atMs: number): void => {
    nowMs = atMs
    tick()
  }
  return { terminal, view, tick: tickAt }
}

describe('the live view', () => {
  test('draws in place: later frames replace earlier ones', () => {
    const { terminal, view, tick } = watched()
    view.see(started)
    view.see({ kind: 'graph grew', elapsedMs: 1, nodes: 4, unexpanded: 0 })
    tick(100)
    expect(terminal.screen()[0]).toContain('0/4')
    view.see({ kind: 'node cached', elapsedMs: 150, address: 'a', task: 't', artifact: 'x' as never })
    tick(200)
    expect(terminal.screen()[0]).toContain('1/4')
    expect(terminal.screen().filter((line) => line.includes('/4'))).toHaveLength(1)
  })

  test('writes nothing when nothing on it changed', () => {
    const { terminal, view, tick } = watched()
    view.see(started)
    tick(100)
    const before = terminal.written.length
    tick(100)
    expect(terminal.written.length).toBe(before)
  })

  test('rewrites only the lines that changed', () => {
    const { terminal, view, tick } = watched()
    for (const event of story.slice(0, 10)) view.see(event)
    tick(1000)
    const before = terminal.written.length
    tick(1100)
    const update = terminal.written.slice(before)
    expect(update).not.toContain('cached')
    expect(terminal.screen()[0]).toContain('1.10 s')
  })

  test('prints failures for good above what it redraws', () => {
    const { terminal, view, tick } = watched(100, 30)
    for (const event of story) view.see(event)
    tick(2000)
    for (const event of ending) view.see(event)
    tick(3000)
    view.close()
    const screen = terminal.screen().join('\n')
    expect(screen).toContain('failed    klines[BTCUSDX,2024-01]  (fetchKlines)')
    expect(screen).toContain(failure.rerun)
    expect(screen).toContain('retry     klines[ETHUSDT]')
    expect(screen).not.toContain('░')
  })

  test('leaves no trace of the frame and a visible cursor when closed, twice if need be', () => {
    const { terminal, view, tick } = watched()
    view.see(started)
    tick(100)
    view.close()
    view.close()
    tick(200)
    expect(terminal.screen().join('')).toBe('')
    expect(terminal.cursorVisible).toBe(true)
    expect(terminal.written.split('\x1b[?25h')).toHaveLength(2)
  })

  test('starts over on a resize without doubling lines', () => {
    const { terminal, view, tick } = watched(100, 30)
    for (const event of story.slice(0, 8)) view.see(event)
    tick(500)
    terminal.resize(40, 10)
    tick(600)
    expect(terminal.screen().filter((line) => line.includes('/12'))).toHaveLength(1)
    for (const line of terminal.screen()) expect(line.length).toBeLessThan(40)
  })

  test('scrolls at the bottom of the screen without losing lines', () => {
    const { terminal, view, tick } = watched(80, 8)
    for (let i = 0; i < 12; i++) view.see({ kind: 'warning', elapsedMs: i, message: `number ${i}` })
    tick(100)
    view.close()
    const everything = terminal.everything().filter((line) => line.startsWith('warning'))
    expect(everything.map((line) => line.slice(-2).trim())).toEqual(Array.from({ length: 12 }, (_, i) => String(i)))
  })
})
