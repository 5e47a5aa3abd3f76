import type { Manifest } from '../../../snapshots/manifest.ts'
import type { RunCounts } from '../../engine/event.ts'
import { countText, durationText, plural, shortId } from '../human.ts'
import type { Style } from '../style.ts'
import { textTable } from '../textTable.ts'
import { padEnd, wrapText } from '../textWidth.ts'
import { visible } from '../visible.ts'

export interface RunVerdict {
  readonly outcome: 'ok' | 'failed' | 'partial' | 'interrupted' | 'disputed'
  readonly counts: RunCounts
  readonly wallMs: number
  readonly runId: string
  readonly runFolder: string
  readonly manifestId?: string
  readonly manifest?: Pick<Manifest, 'targets'> & {
    readonly nodes: readonly Pick<Manifest['nodes'][number], 'address' | 'artifact'>[]
  }
  readonly snapshot?: { readonly name: string; readonly id: string; readonly folder: string; readonly frozen: boolean }
  /** Something about the run a person should know. */
  readonly note?: string
  /** What the run's universe says of survivors. */
  readonly survivorship?: string | undefined
  readonly failures: readonly string[]
  /** Pages to look at: files a browser opens. */
  readonly pages?: readonly string[]
  /** The numbers of a backtest: a heading, then a row each. */
  readonly numbers?: readonly (readonly string[])[]
  /** The best points of a sweep, likewise; rows of one cell are said below. */
  readonly sweep?: readonly (readonly string[])[]
  /** The folds of a walk-forward, likewise. */
  readonly walkForward?: readonly (readonly string[])[]
}

const shownTargets = 8

/** The last thing a run prints: how it ended, how long it took, and where everything is. Sentences are broken after so many
 *  cells; paths and ids never, for somebody copies them. */
export function renderVerdict(verdict: RunVerdict, style: Style, lineCells = Number.POSITIVE_INFINITY): string {
  const { counts } = verdict
  const done =
    counts.executed === 0 && verdict.outcome === 'ok'
      ? `nothing to do: ${plural(counts.total, 'node')}, all cached`
      : `${plural(counts.total, 'node')}: ${countsText(counts)}`
  const lines = [`${outcomeWord(verdict.outcome, style)}  ${done}, in ${durationText(verdict.wallMs)}`]
  const fields: (readonly [string, string])[] = []

  for (const { name, text } of targetTexts(verdict)) fields.push([name, text])
  if (verdict.snapshot) {
    const { name, id, folder, frozen } = verdict.snapshot
    fields.push(['snapshot', `${style.bold(name)}${frozen ? '  (frozen)' : ''}`], ['', id], ['', folder])
  }
  // "snapshot" and two blanks more, and the margin.
  const sentence = (text: string): string =>
    wrapText(text, lineCells - 12)
      .map(visible)
      .join('\n')
  if (verdict.survivorship !== undefined) fields.push(['universe', sentence(verdict.survivorship)])
  if (verdict.note !== undefined) fields.push(['note', sentence(verdict.note)])
  // That of a snapshot stands there already.
  if (verdict.manifestId !== undefined && verdict.manifestId !== verdict.snapshot?.id)
    fields.push(['manifest', verdict.manifestId])
  fields.push(['run', verdict.runFolder])
  if (verdict.failures.length > 0) {
    const shown = verdict.failures.slice(0, 5).map(visible)
    const more = verdict.failures.length - shown.length
    fields.push(['failed', shown.join('\n') + (more > 0 ? `\nand ${countText(more)} more, in the log` : '')])
  }
  for (const page of verdict.pages ?? []) fields.push(['open', visible(page)])
  fields.push(...nextTexts(verdict).map((text): [string, string] => ['next', text]))

  const width = Math.max(...fields.map(([name]) => name.length))
  for (const [name, text] of fields) {
    lines.push(`  ${style.dim(padEnd(name, width))}  ${text.replaceAll('\n', `\n${' '.repeat(width + 4)}`)}`)
  }
  const tables = [verdict.numbers, verdict.sweep, verdict.walkForward].flatMap((table) => tableText(table, style))
  return [...tables, ...lines].join('\n')
}

/** A small table above the verdict, with a line between. */
function tableText(table: RunVerdict['numbers'], style: Style): string[] {
  if (table === undefined) return []
  const [heading, ...all] = table
  const rows = all.filter((row) => row.length > 1)
  const below = all.filter((row) => row.length === 1).map(([text]) => style.dim(visible(text!)))
  const columns = heading!.map((title, i) => ({ title, align: i === 0 ? ('left' as const) : ('right' as const) }))
  return ['', ...[...textTable(columns, rows, style.dim), ...below].map((line) => `  ${line}`), '']
}

function countsText(counts: RunCounts): string {
  const parts = [
    `${countText(counts.cached)} cached`,
    `${countText(counts.executed)} executed${counts.unchanged > 0 ? ` (${countText(counts.unchanged)} came out the same)` : ''}`,
    ...(counts.failed > 0 ? [`${countText(counts.failed)} failed`] : []),
    ...(counts.skipped > 0 ? [`${countText(counts.skipped)} skipped`] : []),
  ]
  return parts.join(', ')
}

function targetTexts(verdict: RunVerdict): { name: string; text: string }[] {
  if (!verdict.manifest) return []
  const artifacts = new Map(verdict.manifest.nodes.map((node) => [node.address, node.artifact]))
  const rows = verdict.manifest.targets.map(({ name, addresses }) => {
    if (addresses.length !== 1) return { name, text: plural(addresses.length, 'node') }
    const artifact = artifacts.get(addresses[0]!)
    const address = visible(addresses[0]!)
    return { name, text: artifact === undefined ? address : `${address}  ${shortId(artifact)}` }
  })
  const more = rows.length - shownTargets
  return more <= 0 ? rows : [...rows.slice(0, shownTargets), { name: '…', text: plural(more, 'more target') }]
}

function nextTexts(verdict: RunVerdict): string[] {
  switch (verdict.outcome) {
    case 'ok':
      return []
    case 'interrupted':
      return ['run the same command again: what is finished is kept']
    case 'disputed':
      return ['"pipe resolve" lists the disputed keys; nothing is pinned until they are resolved']
    default:
      return ['"pipe run" goes on from here once the cause is fixed; what is finished is kept']
  }
}

function outcomeWord(outcome: RunVerdict['outcome'], style: Style): string {
  const paint = outcome === 'ok' ? style.good : outcome === 'interrupted' ? style.warn : style.bad
  return paint(outcome)
}
