import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { manifestId } from '../../snapshots/manifest.ts'
import {
  hasSnapshot,
  listSnapshots,
  readProvenance,
  readSnapshot,
  removeSnapshot,
  type Snapshot,
  snapshotFolder,
} from '../../snapshots/snapshotFolder.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { countText, instantText, plural, shortId } from './human.ts'
import { faultIn } from './renderFault.ts'
import { fieldLines } from './show.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'

export const snapshotLs = defineCommand({
  name: 'snapshot ls',
  summary: 'List pinned snapshots',
  args: {},
  flags: {},
  examples: [{ line: 'pipe snapshot ls', says: 'every snapshot of the store' }],
  json: '{"snapshots": [{"name", "id", "pipeline", "targets", "asOfMs", "nodes", "origin", "trusted", "damage"}]}',
  async run(context) {
    const { root, close } = await context.openRoot({ readOnly: true })
    try {
      const rows = listSnapshots(root).map((name) => rowOf(root, name))
      context.out.print(renderSnapshots(rows, context.out.style))
      context.out.printJson({ snapshots: rows })
      return 'ok'
    } finally {
      await close()
    }
  },
})

export const snapshotShow = defineCommand({
  name: 'snapshot show',
  summary: 'Show what a snapshot stands for, and where it lies',
  args: { name: arg.one('Its name', { completes: 'snapshot' }) },
  flags: {
    provenance: flag.boolean('Print when, where and how it was made, as JSON'),
    config: flag.boolean('Print the whole config, as JSON'),
  },
  examples: [
    { line: 'pipe snapshot show demo', says: 'id, targets, config, folder' },
    { line: 'pipe snapshot show demo --provenance', says: 'when, where, how long' },
  ],
  json: '{"name", "id", "folder", "origin", "trusted", "manifest", "provenance"}',
  async run(context, values) {
    const { root, close } = await context.openRoot({ readOnly: true })
    try {
      const snapshot = readSnapshot(root, values.name)
      const folder = snapshotFolder(root, values.name)
      const { out } = context
      if (values.provenance) out.print(JSON.stringify(readProvenance(root, values.name), null, 2))
      else if (values.config) out.print(JSON.stringify(snapshot.manifest.config, null, 2))
      else out.print(renderSnapshot(snapshot, folder, out.style))
      const { name, id, manifest, origin } = snapshot
      out.printJson({ name, id, folder, ...origin, manifest, provenance: readProvenance(root, name) })
      return 'ok'
    } finally {
      await close()
    }
  },
})

export const snapshotRm = defineCommand({
  name: 'snapshot rm',
  summary: 'Give up the name of a snapshot; its objects stay until gc',
  args: { names: arg.many('Their names', { completes: 'snapshot' }) },
  flags: { yes: flag.boolean('Do it: a name that is gone does not come back', { short: 'y' }) },
  examples: [{ line: 'pipe snapshot rm demo2 --yes', says: 'then "pipe gc" frees what only it kept' }],
  json: '{"removed": [name]}',
  async run(context, values) {
    if (values.names.length === 0) {
      throw new Fault({ code: 'usage', what: 'no snapshot is named', todo: 'see "pipe snapshot ls"' })
    }
    const { root, close } = await context.openRoot()
    try {
      // All or none: a typo in the last name should not cost the first.
      for (const name of values.names) {
        if (hasSnapshot(root, name)) continue
        const near = didYouMean(name, listSnapshots(root))
        throw new Fault({
          code: 'usage',
          what: `there is no snapshot "${name}"${near}`,
          where: root,
          todo: 'see "pipe snapshot ls"',
        })
      }
      if (!values.yes) {
        throw new Fault({
          code: 'refused',
          what: `this gives up ${values.names.join(', ')} for good`,
          todo: `keep a copy with "pipe snapshot export", then say --yes`,
        })
      }
      for (const name of values.names) removeSnapshot(root, name)
      context.out.print(`removed ${values.names.join(', ')}; "pipe gc" frees what nothing else keeps`)
      context.out.printJson({ removed: values.names })
      return 'ok'
    } finally {
      await close()
    }
  },
})

/** A line of the list. A damaged snapshot is listed too: it has to be seen to be removed. */
export interface SnapshotRow {
  readonly name: string
  readonly id: string | null
  readonly pipeline: string | null
  readonly targets: readonly string[]
  readonly asOfMs: number | null
  readonly nodes: number | null
  readonly origin: string | null
  readonly trusted: boolean
  readonly damage: string | null
}

function rowOf(root: string, name: string): SnapshotRow {
  try {
    const { id, manifest, origin } = readSnapshot(root, name)
    return {
      name,
      id,
      pipeline: manifest.pipeline,
      targets: manifest.targets.map((target) => target.name),
      asOfMs: manifest.asOfMs,
      nodes: manifest.nodes.length,
      origin: origin.origin,
      trusted: origin.trusted,
      damage: null,
    }
  } catch (error) {
    const fault = faultIn(error)
    if (!fault) throw error
    const unknown = { id: null, pipeline: null, targets: [], asOfMs: null, nodes: null, origin: null, trusted: false }
    return { name, ...unknown, damage: fault.what }
  }
}

export function renderSnapshots(rows: readonly SnapshotRow[], style: Style): string {
  if (rows.length === 0) return 'no snapshot yet: "pipe run <target> --snapshot <name>" pins one'
  const columns = [
    { title: 'name' },
    { title: 'id' },
    { title: 'pipeline' },
    { title: 'as of' },
    { title: 'nodes', align: 'right' as const },
    { title: 'origin' },
  ]
  const lines = textTable(
    columns,
    rows.map((row) => [
      row.name,
      row.id === null ? style.bad('damaged') : shortId(row.id),
      row.pipeline === null
        ? ''
        : `${row.pipeline}: ${row.targets.slice(0, 3).join(', ')}${row.targets.length > 3 ? ', …' : ''}`,
      row.asOfMs === null ? '' : instantText(row.asOfMs),
      row.nodes === null ? '' : countText(row.nodes),
      row.origin === null || row.trusted ? (row.origin ?? '') : `${row.origin}, code not trusted`,
    ]),
    style.dim,
  )
  for (const row of rows) if (row.damage !== null) lines.push(`${style.bad('damaged')}  ${row.name}: ${row.damage}`)
  return lines.join('\n')
}

export function renderSnapshot({ name, manifest, origin }: Snapshot, folder: string, style: Style): string {
  const kinds = new Map<string, number>()
  for (const { kind } of manifest.nodes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const fields: (readonly [string, string])[] = [
    ['id', manifestId(manifest)],
    ['pipeline', manifest.pipeline],
    ['as of', instantText(manifest.asOfMs)],
    [
      'nodes',
      `${countText(manifest.nodes.length)} (${[...kinds].map(([kind, count]) => `${countText(count)} ${kind}`).join(', ')})`,
    ],
    ...configFields(manifest.config, name),
    ['origin', origin.trusted ? origin.origin : `${origin.origin}; its code is not trusted here`],
    ['folder', folder],
    ['check', `cd ${folder} && sha256sum -c --quiet checksums.sha256`],
  ]
  const artifacts = new Map(manifest.nodes.map((node) => [node.address, node.artifact]))
  const targets = manifest.targets.map(({ name: target, addresses }) => {
    const artifact = addresses.length === 1 ? artifacts.get(addresses[0]!) : undefined
    return [
      `  ${target}`,
      addresses.length === 1 ? addresses[0]! : plural(addresses.length, 'node'),
      artifact ? shortId(artifact) : '',
    ]
  })
  return [
    style.bold(name),
    ...fieldLines(fields, style),
    '',
    style.dim(plural(targets.length, 'target')),
    ...textTable([{ title: '' }, { title: '' }, { title: '' }], targets),
  ].join('\n')
}

/** One setting a line, none of them long; a whole config is pages. */
function configFields(config: unknown, snapshot: string): [string, string][] {
  const whole = JSON.stringify(config) ?? 'none'
  if (whole.length <= configCharsMax || typeof config !== 'object' || config === null || Array.isArray(config)) {
    return [['config', whole]]
  }
  const settings = Object.entries(config).map(([key, value]) => {
    const text = `${key}: ${JSON.stringify(value)}`
    return text.length > configCharsMax ? `${text.slice(0, configCharsMax - 1)}…` : text
  })
  const isCut = settings.some((text) => text.endsWith('…'))
  const lines = isCut ? [...settings, `all of it: pipe snapshot show ${snapshot} --config`] : settings
  return lines.map((line, i) => [i === 0 ? 'config' : '', line])
}

const configCharsMax = 96
