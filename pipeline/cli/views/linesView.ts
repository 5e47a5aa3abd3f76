import type { RunEvent } from '../../engine/event.ts'
import { countText, durationText, instantText, percentText, plural, sizeText } from '../human.ts'
import type { Style } from '../style.ts'
import { permanentLines } from './permanentLines.ts'
import { advance, isGrowing, leftText, newProgress, nodesSoFar, type Progress, settledCount } from './progress.ts'
import type { RunView } from './runView.ts'
import { waitText } from './waitText.ts'

const heartbeatMs = 10_000 // a log that stands still for longer looks hung

/** One line for what happens, for logs and pipes: nothing is redrawn. Cached nodes are counted, not listed. */
export function linesView(print: (line: string) => void, style: Style): RunView {
  const progress = newProgress()
  let lastLineMs = 0
  const saidToWait = new Set<string>()
  const saidToRetry = new Set<string>()
  /** Once for each node: it may wait for many others in turn, and fail time and again. */
  const waitingLines = (event: RunEvent): string[] => {
    if (event.kind !== 'node waiting' && event.kind !== 'node waiting to retry') return []
    const said = event.kind === 'node waiting' ? saidToWait : saidToRetry
    if (said.has(event.address)) return []
    said.add(event.address)
    return event.kind === 'node waiting'
      ? [`${style.dim('waiting')}   ${event.address}  on ${event.on}`]
      : [`${style.warn('waiting')}   ${event.address}  ${waitText(event)}`]
  }
  return {
    see(event: RunEvent) {
      advance(progress, event)
      const lines = [
        ...waitingLines(event),
        ...eventLines(event, style),
        ...neverStarted(event, progress, style),
        ...permanentLines(event, style),
      ]
      if (lines.length === 0 && event.elapsedMs - lastLineMs >= heartbeatMs) lines.push(heartbeat(progress, style))
      if (lines.length === 0) return
      lastLineMs = event.elapsedMs
      print(lines.join('\n'))
    },
    close() {},
  }
}

function eventLines(event: RunEvent, style: Style): string[] {
  switch (event.kind) {
    case 'run started': {
      const targets = event.targets.length === 0 ? 'every target' : event.targets.join(', ')
      const snapshot = event.snapshot === undefined ? '' : `, snapshot ${event.snapshot}`
      return [`run       ${event.pipeline}: ${targets} as of ${instantText(event.asOfMs)}${snapshot}`]
    }
    case 'node done': {
      const notes = [
        durationText(event.wallMs),
        sizeText(event.bytesOut),
        ...(event.absent === undefined ? [] : [style.warn(`nothing there: ${event.absent}`)]),
        ...(event.unchanged ? ['same bytes as before'] : []),
      ]
      return [`${style.good('done')}      ${event.address}  ${notes.join(', ')}`]
    }
    case 'node skipped':
      return [`${style.warn('skipped')}   ${event.address}  after ${event.after}`]
    case 'stopping':
      return [
        event.how === 'now'
          ? style.warn('stopping  now')
          : style.warn('stopping  what runs may finish; Ctrl-C again stops at once'),
      ]
    case 'snapshot pinned':
      return [`pinned    ${event.name}  ${event.id}`]
    default:
      return []
  }
}

/** Skipped nodes that no event named: a run that stops at its first failure never comes to them. */
function neverStarted(event: RunEvent, progress: Progress, style: Style): string[] {
  const more = event.kind === 'run finished' ? event.counts.skipped - progress.skipped : 0
  return more <= 0
    ? []
    : [
        `${style.warn('skipped')}   ${progress.skipped > 0 ? 'and ' : ''}${countText(more)} more that were never started`,
      ]
}

function heartbeat(progress: Progress, style: Style): string {
  const settled = settledCount(progress)
  const nodes = nodesSoFar(progress)
  const left = leftText(progress, progress.elapsedMs)
  const parts = [
    // Of a graph that still grows a share would only be taken back.
    ...(isGrowing(progress)
      ? [`${countText(settled)} of ${plural(nodes, 'node')} so far`]
      : [percentText(settled, nodes), `${countText(settled)} of ${plural(nodes, 'node')}`]),
    `${countText(progress.running.size)} running`,
    durationText(progress.elapsedMs),
    ...(left === undefined ? [] : [left]),
  ]
  return style.dim(`progress  ${parts.join(', ')}`)
}
