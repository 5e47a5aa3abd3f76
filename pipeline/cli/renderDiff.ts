import type { TableDiff } from '../../lib/tables/diff.ts'
import type { ChangedNode, ManifestDiff } from '../../snapshots/diff.ts'
import type { JsonChange } from '../../snapshots/jsonChanges.ts'
import type { NodeCause } from '../../snapshots/nodeChange.ts'
import { countText, instantText, plural, shortId, sizeText } from './human.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'

/** How one file of a changed artifact differs. */
export type ArtifactDiff = { readonly address: string; readonly file: string } & (
  | { readonly kind: 'table'; readonly table: TableDiff }
  | { readonly kind: 'json'; readonly changes: readonly JsonChange[] }
  | { readonly kind: 'bytes'; readonly firstOffset: number; readonly sizeBytesA: number; readonly sizeBytesB: number }
  | { readonly kind: 'only in A' | 'only in B'; readonly sizeBytes: number }
  | { readonly kind: 'not here'; readonly why: string }
)

const shownNodes = 12

export function renderDiff(
  names: { readonly a: string; readonly b: string },
  found: ManifestDiff,
  contents: readonly ArtifactDiff[],
  options: { readonly all: boolean },
  style: Style,
): string {
  const lines = [`A  ${names.a}  ${shortId(found.ids.a)}`, `B  ${names.b}  ${shortId(found.ids.b)}`, '']
  if (found.same) return [...lines, style.good(`the same: ${plural(found.unchangedNodes, 'node')}`)].join('\n')

  const most = options.all ? Number.POSITIVE_INFINITY : shownNodes
  if (found.pipeline) lines.push(`pipeline: ${found.pipeline.a} -> ${found.pipeline.b}`)
  if (found.asOf) lines.push(`as of: ${instantText(found.asOf.aMs)} -> ${instantText(found.asOf.bMs)}`)
  for (const change of found.config) lines.push(`config ${changeText(change)}`)
  for (const change of found.targets) lines.push(`target ${changeText(change)}`)
  if (lines.at(-1) !== '') lines.push('')

  const roots = found.changed.filter((node) => node.root)
  const followers = found.changed.filter((node) => !node.root)
  if (roots.length > 0) {
    lines.push(
      style.bold(`${plural(roots.length, 'node')} changed of ${roots.length === 1 ? 'its' : 'their'} own accord`),
    )
    for (const node of roots.slice(0, most)) lines.push(...rootLines(node, style))
    lines.push(...moreLine(roots.length, most, style), '')
  }
  if (followers.length > 0) {
    lines.push(style.bold(`${plural(followers.length, 'node')} changed in consequence`))
    const rows = followers.slice(0, most).map((node) => [`  ${node.address}`, afterText(node)])
    lines.push(
      ...textTable(
        [
          { title: '', maxCells: 60 },
          { title: '', maxCells: 80 },
        ],
        rows,
      ),
    )
    lines.push(...moreLine(followers.length, most, style), '')
  }
  lines.push(
    ...onlyLines('only in A', found.onlyInA, most, style),
    ...onlyLines('only in B', found.onlyInB, most, style),
  )
  if (contents.length > 0) {
    lines.push(style.bold('contents'))
    for (const content of contents) lines.push(...contentLines(content, style))
    lines.push('')
  }
  const same = found.changed.filter((node) => !node.bytesChanged).length
  lines.push(
    [
      `${countText(found.changed.length)} changed${same > 0 ? ` (${countText(same)} with the same bytes)` : ''}`,
      `${countText(found.onlyInA.length)} only in A`,
      `${countText(found.onlyInB.length)} only in B`,
      `${countText(found.unchangedNodes)} unchanged`,
    ].join(', '),
  )
  return lines.join('\n')
}

function rootLines(node: ChangedNode, style: Style): string[] {
  const came = node.bytesChanged ? '' : style.dim('  (the same bytes came out)')
  return [`  ${style.work(node.address)}${came}`, ...node.causes.map((cause) => `      ${causeText(cause)}`)]
}

function afterText(node: ChangedNode): string {
  const shown = node.after.slice(0, 2).join(', ')
  const more = node.after.length > 2 ? `, and ${countText(node.after.length - 2)} more` : ''
  return `after ${shown}${more}${node.bytesChanged ? '' : ', the same bytes'}`
}

function causeText(cause: NodeCause): string {
  switch (cause.kind) {
    case 'task':
      return `task: ${cause.before} -> ${cause.after}`
    case 'code':
      return `code: ${shortId(cause.before)} -> ${shortId(cause.after)}`
    case 'code port':
      return `code of ${cause.port}: ${cause.before ? shortId(cause.before) : 'nothing'} -> ${cause.after ? shortId(cause.after) : 'nothing'}`
    case 'version':
      return `version: ${cause.before} -> ${cause.after}`
    case 'params':
      return `params: ${cause.changes.map(changeText).join(', ')}`
    case 'input':
      return `input ${cause.port}: ${inputText(cause.before)} -> ${inputText(cause.after)}`
    case 'as of':
      return `as of: ${cause.beforeMs === undefined ? 'any' : instantText(cause.beforeMs)} -> ${cause.afterMs === undefined ? 'any' : instantText(cause.afterMs)}`
    case 'source bytes':
      return 'source: asked the same, another answer'
    case 'same key, other bytes':
      return 'non-determinism: the same key gave other bytes'
    default:
      return cause satisfies never
  }
}

type Input = Extract<NodeCause, { kind: 'input' }>['before']

function inputText(input: Input): string {
  if (input === null || input === undefined) return 'nothing'
  return typeof input === 'string' ? shortId(input) : `list ${shortId(input.list)}`
}

function changeText({ path, before, after }: JsonChange): string {
  return `${path || '(all)'} ${valueText(before)} -> ${valueText(after)}`
}

function valueText(value: unknown): string {
  if (value === undefined) return 'unset'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 59)}…` : text
}

function onlyLines(title: string, addresses: readonly string[], most: number, style: Style): string[] {
  if (addresses.length === 0) return []
  const shown = addresses.slice(0, most).map((address) => `  ${address}`)
  return [
    style.bold(`${plural(addresses.length, 'node')} ${title}`),
    ...shown,
    ...moreLine(addresses.length, most, style),
    '',
  ]
}

function moreLine(count: number, most: number, style: Style): string[] {
  return count > most ? [style.dim(`  and ${countText(count - most)} more; --all lists them`)] : []
}

function contentLines(content: ArtifactDiff, style: Style): string[] {
  const name = content.file === '' ? content.address : `${content.address} ${content.file}`
  switch (content.kind) {
    case 'table':
      return [`  ${style.work(name)}`, ...tableLines(content.table)]
    case 'json': {
      const shown = content.changes.slice(0, 6).map((change) => `      ${changeText(change)}`)
      const more = content.changes.length > 6 ? [`      and ${countText(content.changes.length - 6)} more`] : []
      return [`  ${style.work(name)}`, ...shown, ...more]
    }
    case 'bytes':
      return [
        `  ${style.work(name)}`,
        `      first differing byte at ${countText(content.firstOffset)}; ${sizeText(content.sizeBytesA)} -> ${sizeText(content.sizeBytesB)}`,
      ]
    case 'not here':
      return [`  ${style.work(name)}`, `      not compared: ${content.why}`]
    default:
      return [`  ${style.work(name)}`, `      ${content.kind}, ${sizeText(content.sizeBytes)}`]
  }
}

function tableLines(table: TableDiff): string[] {
  const lines = table.schema.map((text) => `      schema: ${text}`)
  lines.push(
    `      rows ${countText(table.rowCountA)} -> ${countText(table.rowCountB)}: ${countText(table.addedRows)} added, ${countText(table.removedRows)} removed, ${countText(table.changedRows)} changed`,
  )
  for (const { name, changedRows, maxAbsDifference } of table.columns.slice(0, 12)) {
    const distance = maxAbsDifference === undefined ? '' : `, by ${maxAbsDifference} at most`
    lines.push(`      column ${name}: ${plural(changedRows, 'row')}${distance}`)
  }
  const { first } = table
  if (first?.kind === 'changed') lines.push(`      first at ${first.key}: ${first.column} ${first.a} -> ${first.b}`)
  else if (first) lines.push(`      first ${first.kind} at ${first.key}`)
  return lines
}
