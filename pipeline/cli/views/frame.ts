import type { SourceWait } from '../../engine/task.ts'
import { byteRateText, countRateText, countText, durationText, percentText, sizeText } from '../human.ts'
import type { Style } from '../style.ts'
import { cutMiddle, cutText, padEnd, padStart } from '../textWidth.ts'
import { leftText, nodesSoFar, type Progress, type RunningNode, settledCount } from './progress.ts'
import { nextTry, waitCause, waitText } from './waitText.ts'

export interface FrameSize {
  readonly columns: number
  readonly rows: number
}

/** The live view's picture of a run at one moment: lines that fit, most important first, so that a low terminal loses
 *  the least important ones. */
export function renderFrame(progress: Progress, nowMs: number, size: FrameSize, style: Style): string[] {
  // The last column stays free: some terminals wrap as soon as it is written.
  const columns = Math.max(10, size.columns - 1)
  // One row for the cursor, one for what the shell printed before.
  const rows = Math.max(1, size.rows - 2)
  const lines = [barLine(progress, nowMs, columns, style)]
  const fits = (count: number): boolean => lines.length + count <= rows

  if (fits(1)) lines.push(countsLine(progress, style))
  if (fits(1)) lines.push(rateLine(progress, nowMs, style))
  if (progress.stopping && fits(1)) lines.push(stoppingLine(progress, style))
  const groups = groupsLine(progress, style)
  if (groups !== '' && fits(1)) lines.push(groups)
  const waiting = waitingLine(progress, nowMs, style)
  if (waiting !== '' && fits(1)) lines.push(waiting)
  if (progress.failures.length > 0 && fits(1)) lines.push(failuresLine(progress, style))
  if (progress.running.size > 0 && fits(2))
    lines.push(...runningLines(progress, nowMs, columns, rows - lines.length, style))
  return lines.slice(0, rows).map((line) => cutText(line, columns))
}

function barLine(progress: Progress, nowMs: number, columns: number, style: Style): string {
  const settled = settledCount(progress)
  const nodes = nodesSoFar(progress)
  const more = progress.unexpanded > 0 ? '+' : ''
  const counts = `${countText(settled)}/${countText(nodes)}${more}`
  const left = leftText(progress, nowMs)
  const time = left === undefined ? durationText(nowMs) : `${durationText(nowMs)}, ${left}`
  const text = ` ${percentText(settled, Math.max(nodes, 1))}  ${counts}  ${time}`
  const barCells = Math.min(40, columns - text.length)
  return barCells < 8 ? text.trimStart() : `${bar(progress, barCells, style)}${text}`
}

/** Cached, executed and failed as shares of one bar, the rest open. */
function bar(progress: Progress, cells: number, style: Style): string {
  const whole = Math.max(progress.nodes, settledCount(progress), 1)
  const parts: readonly (readonly [number, (text: string) => string, string])[] = [
    [progress.cached, style.dim, '█'],
    [progress.executed, style.good, '█'],
    [progress.failed + progress.skipped, style.bad, '█'],
    [progress.running.size, style.work, '▒'],
  ]
  let drawn = ''
  let used = 0
  let sum = 0
  for (const [count, paint, glyph] of parts) {
    sum += count
    const end = Math.min(cells, Math.floor((sum / whole) * cells))
    drawn += paint(glyph.repeat(Math.max(0, end - used)))
    used = Math.max(used, end)
  }
  return drawn + style.dim('░'.repeat(cells - used))
}

function countsLine(progress: Progress, style: Style): string {
  const part = (count: number, word: string, paint: (text: string) => string): string[] =>
    count === 0 ? [] : [paint(`${countText(count)} ${word}`)]
  const open = Math.max(0, progress.nodes - settledCount(progress) - progress.running.size)
  return [
    ...part(progress.cached, 'cached', style.dim),
    ...part(progress.executed, 'done', style.good),
    ...part(progress.unchanged, 'unchanged', style.dim),
    ...part(progress.running.size, 'running', style.work),
    ...part(open, 'to go', (text) => text),
    ...part(progress.absent, 'absent', style.warn),
    ...part(progress.healed, 'healed', style.warn),
    ...part(progress.disputed, 'disputed', style.bad),
    ...part(progress.failed, 'failed', style.bad),
    ...part(progress.skipped, 'skipped', style.warn),
    ...(progress.unexpanded > 0 ? [style.dim(`${countText(progress.unexpanded)} to unfold`)] : []),
  ].join(style.dim(' · '))
}

function rateLine(progress: Progress, nowMs: number, style: Style): string {
  const parts = [
    `${countRateText(progress.executed, nowMs)} executed`,
    `${sizeText(progress.bytesOut)} written`,
    ...(progress.requests + progress.bytesIn > 0
      ? [
          `${byteRateText(progress.bytesIn, nowMs)} fetched`,
          `${countText(progress.requests)} requests, ${countRateText(progress.requests, nowMs)}`,
        ]
      : []),
    ...(progress.run ? [`${progress.running.size} running, ${progress.run.slots} slots`] : []),
  ]
  return style.dim(parts.join(' · '))
}

/** Sources under a limit: how many of those that may run do. */
function groupsLine(progress: Progress, style: Style): string {
  const limits = progress.run?.limits ?? {}
  const running = new Map<string, number>()
  for (const { group } of progress.running.values()) {
    if (group !== undefined) running.set(group, (running.get(group) ?? 0) + 1)
  }
  const parts = [...running].map(([group, count]) => {
    const limit = limits[group]
    return limit === undefined ? `${group} ${count}` : `${group} ${count} of ${limit}`
  })
  return parts.length === 0 ? '' : style.dim(`limits: ${parts.sort().join(', ')}`)
}

function stoppingLine(progress: Progress, style: Style): string {
  return progress.stopping === 'now'
    ? style.warn('stopping now')
    : style.warn(`stopping: ${countText(progress.running.size)} running may finish; Ctrl-C again stops at once`)
}

/** Nodes that have not started, by what they wait on; before them those that were answered with a failure. */
function waitingLine(progress: Progress, nowMs: number, style: Style): string {
  const toRetry = mostFirst([...progress.running.values()].flatMap((node) => waitOf(node, nowMs) ?? []).map(waitCause))
  const toStart = mostFirst([...progress.waiting.values()].map((on) => `on ${on}`))
  if (toRetry.length + toStart.length === 0) return ''
  const shown = [...toRetry.map(style.warn), ...toStart.map(style.dim)]
  return `${style.dim('waiting: ')}${shown.slice(0, 4).join(style.dim(', '))}${style.dim(shown.length > 4 ? ', …' : '')}`
}

function mostFirst(texts: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1)
  const most = [...counts].sort(([aText, a], [bText, b]) => b - a || (aText < bText ? -1 : 1))
  return most.map(([text, count]) => `${countText(count)} ${text}`)
}

/** What a running node waits for, while it does. */
const waitOf = ({ wait }: RunningNode, nowMs: number): SourceWait | undefined =>
  wait === undefined || nowMs >= wait.untilMs ? undefined : wait.told

function failuresLine(progress: Progress, style: Style): string {
  const last = progress.failures[progress.failures.length - 1]!
  return style.bad(`last failure: ${last.address}: ${firstLine(last.failure.message)}`)
}

function runningLines(progress: Progress, nowMs: number, columns: number, rows: number, style: Style): string[] {
  const slowest = [...progress.running].sort(([, a], [, b]) => a.startedMs - b.startedMs)
  const shown = slowest.slice(0, Math.min(8, slowest.length > rows ? rows - 1 : rows))
  const hidden = slowest.length - shown.length
  const addressCells = Math.min(Math.max(...shown.map(([address]) => address.length)), Math.max(12, columns - 36))
  const noteCells = columns - addressCells - 13 // margin, time taken, and the blanks between
  const lines = shown.map(([address, node]) => {
    const name = padEnd(cutMiddle(address, addressCells), addressCells)
    return `  ${style.work(name)}  ${padStart(durationText(nowMs - node.startedMs), 7)}${nodeNotes(node, nowMs, noteCells, style)}`
  })
  return hidden > 0 && lines.length < rows ? [...lines, style.dim(`  and ${countText(hidden)} more`)] : lines
}

function nodeNotes(node: RunningNode, nowMs: number, cells: number, style: Style): string {
  const notes = [
    ...waitNotes(node, nowMs, cells).map(style.warn),
    ...(node.expectedMs === undefined ? [] : [`of about ${durationText(node.expectedMs)}`]),
    ...(node.bytes > 0 ? [sizeText(node.bytes)] : []),
    ...(node.requests > 0 ? [`${countText(node.requests)} req`] : []),
    ...(node.attempt > 1 ? [style.warn(`attempt ${node.attempt}`)] : []),
  ]
  return notes.length === 0 ? '' : `  ${notes.join(style.dim(' · '))}`
}

/** Where there is no room for whom it waits, the line of all that wait still says so. */
function waitNotes(node: RunningNode, nowMs: number, cells: number): string[] {
  const wait = waitOf(node, nowMs)
  if (wait === undefined) return []
  const leftMs = node.wait!.untilMs - nowMs
  const whole = `waiting ${waitText(wait, leftMs)}`
  return [whole.length <= cells ? whole : `waiting ${durationText(leftMs)}${nextTry(wait)}`]
}

const firstLine = (text: string): string => text.split('\n', 1)[0]!
