import type { RunEvent } from '../../engine/event.ts'
import type { Style } from '../style.ts'
import type { Terminal } from '../terminal.ts'
import { renderFrame } from './frame.ts'
import { permanentLines } from './permanentLines.ts'
import { advance, newProgress } from './progress.ts'
import type { RunView } from './runView.ts'

const frameIntervalMs = 100 // ten a second at most: more costs and nobody reads it

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
// Terminals that know it show a frame only when it is complete; others ignore it.
const beginFrame = '\x1b[?2026h'
const endFrame = '\x1b[?2026l'
const eraseBelow = '\x1b[J'
const eraseToEnd = '\x1b[K'

export interface Clock {
  /** Milliseconds since the run started, by the same clock as the events' `elapsedMs`. */
  elapsedMs(): number
  every(intervalMs: number, tick: () => void): () => void
}

/** Draws the run in place. Between frames the cursor rests at the first cell of the frame: whatever happens to the
 *  terminal's size, erasing from there to the end removes exactly what was drawn. */
export function liveView(terminal: Terminal, style: Style, clock: Clock): RunView {
  const progress = newProgress()
  let drawn: readonly string[] = []
  let closed = false

  /** Rewrites only the lines that changed, so that nothing flickers even without synchronized output. */
  const draw = (printFirst: readonly string[] = []): void => {
    const frame = renderFrame(progress, Math.max(clock.elapsedMs(), progress.elapsedMs), terminal, style)
    let text = ''
    if (printFirst.length > 0 || frame.length < drawn.length) {
      text += eraseBelow
      drawn = []
    }
    for (const line of printFirst) text += `${line}\r\n`
    const changed = frame.some((line, i) => line !== drawn[i])
    if (text === '' && !changed) return
    frame.forEach((line, i) => {
      if (i > 0) text += '\r\n'
      if (line !== drawn[i]) text += line + eraseToEnd
    })
    text += frame.length > 1 ? `\r\x1b[${frame.length - 1}A` : '\r'
    terminal.write(`${beginFrame}${text}${endFrame}`)
    drawn = frame
  }

  terminal.write(hideCursor)
  const stopTicking = clock.every(frameIntervalMs, () => draw())
  const stopResizing = terminal.onResize(() => {
    // Lines may have been wrapped or joined by the terminal: what was drawn is no longer where it was.
    terminal.write(eraseBelow)
    drawn = []
    draw()
  })

  return {
    see(event: RunEvent) {
      advance(progress, event)
      const lines = permanentLines(event, style)
      if (lines.length > 0 && !closed) draw(lines.flatMap((line) => line.split('\n')))
    },
    close() {
      if (closed) return
      closed = true
      stopTicking()
      stopResizing()
      terminal.write(eraseBelow + showCursor)
    },
  }
}
