import { countRateText, durationText, instantText, plural, sizeText } from '../human.ts'
import type { Style } from '../style.ts'
import type { PassReport } from './pass.ts'

interface Next {
  readonly atMs: number | undefined
  readonly failuresInARow: number
}

const failuresShown = 3

/** One line of health for each pass, and a few more where something failed. */
export function renderPass(pass: PassReport, next: Next, style: Style): string {
  const { traffic, counts, failures, status, wallMs } = pass
  const paint = status === 'ok' ? style.good : status === 'partial' || status === 'interrupted' ? style.warn : style.bad
  const asked = Object.entries(traffic.fetched).map(([task, count]) => `${task} ${count}`)
  const fetchedCount = Object.values(traffic.fetched).reduce((sum, count) => sum + count, 0)
  const troubles = Object.entries(traffic.troubles).map(([name, count]) => `${name} ${count}`)
  const parts = [
    `${plural(fetchedCount, 'answer')}${asked.length === 0 ? '' : ` (${asked.join(', ')})`}`,
    ...(traffic.absent === 0 ? [] : [`${traffic.absent} absent`]),
    ...(counts === undefined ? [] : [`${counts.executed} executed of ${counts.total}`]),
    ...(failures.length === 0 ? [] : [`${failures.length} failed`]),
    ...(counts === undefined || counts.skipped === 0 ? [] : [`${counts.skipped} skipped`]),
    `${plural(traffic.requests, 'request')} ${countRateText(traffic.requests, wallMs)}, ${sizeText(traffic.bytes)}`,
    ...(traffic.waitedMs === 0 ? [] : [`waited ${durationText(traffic.waitedMs)}`]),
    ...(troubles.length === 0 ? [] : [`met ${troubles.join(', ')}`]),
    `took ${durationText(wallMs)}`,
    ...(next.failuresInARow > 1 ? [`${next.failuresInARow} failing passes in a row`] : []),
    ...(next.atMs === undefined ? [] : [`next at ${instantText(next.atMs)}`]),
  ]
  const head = `${style.dim(instantText(pass.startedMs))}  ${paint(status.padEnd(7))}  ${pass.pipeline}  ${parts.join(' · ')}`
  const lines = failures
    .slice(0, failuresShown)
    .map(({ address, message }) => `  ${style.bad('failed')}  ${address}  ${message.split('\n', 1)[0]}`)
  if (failures.length > failuresShown) lines.push(`  and ${failures.length - failuresShown} more: see "pipe runs"`)
  return [head, ...lines].join('\n')
}

export function passJson(pass: PassReport, next: Next): object {
  const { pipeline, run, startedMs, wallMs, status, counts, traffic, failures } = pass
  return {
    kind: 'pass',
    pipeline,
    run: run ?? null,
    startedAt: new Date(startedMs).toISOString(),
    wallMs: Math.round(wallMs),
    status,
    counts: counts ?? null,
    ...traffic,
    requestsPerMinute: wallMs <= 0 ? 0 : Math.round((traffic.requests / wallMs) * 600_000) / 10,
    failures,
    failuresInARow: next.failuresInARow,
    nextAt: next.atMs === undefined ? null : new Date(next.atMs).toISOString(),
  }
}
