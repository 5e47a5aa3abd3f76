import { absentType, type ManifestNode } from '../../snapshots/manifest.ts'
import type { RecordPayload } from '../engine/recordPayload.ts'
import { defineCommand } from './command.ts'
import type { Digest, Store } from './context.ts'
import { arg, flag } from './flag.ts'
import { countText, durationText, instantText, plural, shortId, sizeText } from './human.ts'
import { findArtifact } from './names.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'
import { padEnd } from './textWidth.ts'
import { visible, visiblePainted } from './visible.ts'

export const show = defineCommand({
  name: 'show',
  summary: 'Show a node or an artifact: what it holds, what it was made from, when',
  args: { what: arg.one('An address, a target, or the beginning of a hash', { completes: 'address' }) },
  flags: { snapshot: flag.text('Look in this snapshot', { hint: 'name', completes: 'snapshot' }) },
  examples: [
    { line: "pipe show 'buildMinute[BTCUSDT,2026-04]'", says: 'a node of the newest run' },
    { line: 'pipe show report --snapshot demo', says: 'a target of a snapshot' },
    { line: 'pipe show <hash>', says: 'an artifact or a key by its hash' },
  ],
  json: '{"label", "address", "task", "kind", "key", "code", "params", "inputs", "artifact", "type", "presence", "disputed", "files": [{"name", "sha256", "sizeBytes", "rows"}], "records": [{"artifact", "recordedAtMs", "wallMs", "attempts", "runtime"}]}',
  async run(context, values) {
    const { store, close } = await context.openRoot({ readOnly: true })
    try {
      const shown = showArtifact(store, values.what, values.snapshot)
      context.out.print(renderShown(shown, context.out.style))
      context.out.printJson(shown)
      return 'ok'
    } finally {
      await close()
    }
  },
})

/** All that is known of an artifact and the node it was found as. It is also what `--json` prints. */
export interface Shown {
  readonly label: string
  readonly address: string | null
  readonly task: string | null
  readonly kind: string | null
  readonly key: string | null
  readonly code: ManifestNode['code'] | null
  readonly params: unknown
  readonly inputs: ManifestNode['inputs'] | null
  readonly artifact: string
  readonly type: string | null
  readonly presence: 'present' | 'evicted' | 'missing'
  readonly disputed: boolean
  readonly files: readonly {
    readonly name: string
    readonly sha256: string
    readonly sizeBytes: number
    readonly rows: number | null
  }[]
  readonly records: readonly {
    readonly artifact: string
    readonly recordedAtMs: number
    readonly wallMs: number | null
    readonly attempts: number | null
    readonly runtime: string | null
  }[]
}

function showArtifact(store: Store, name: string, snapshot: string | undefined): Shown {
  const found = findArtifact(store, name, snapshot)
  const { artifact, key } = found
  const stored = key === undefined ? [] : [...store.records.results(key), ...store.records.observations(key)]
  const payloads = stored.map((record) => store.records.payload(record) as RecordPayload | undefined)
  const payload = payloads.at(-1)
  const spec = found.node ?? payload?.spec
  // Its descriptor stays even where its files were evicted; without it nothing is known of the files.
  const descriptor = store.hasObject(artifact) ? store.readDescriptor(artifact) : undefined
  return {
    label: found.label,
    address: found.node?.address ?? payload?.address ?? null,
    task: spec?.task ?? null,
    kind: spec?.kind ?? null,
    key: key ?? null,
    code: spec?.code ?? null,
    params: spec?.params ?? null,
    inputs: spec?.inputs ?? null,
    artifact,
    type: descriptor?.type ?? null,
    presence: store.artifactPresence(artifact),
    disputed: key !== undefined && store.records.disputed(key),
    files: (descriptor?.files ?? []).map(({ name: file, digest, sizeBytes, rows }) => ({
      name: file,
      sha256: digest,
      sizeBytes,
      rows: rows ?? null,
    })),
    records: stored.map((record, i) => ({
      artifact: record.artifact ?? artifact,
      recordedAtMs: record.recordedAtMs,
      wallMs: payloads[i]?.cost.wallMs ?? null,
      attempts: payloads[i]?.attempts ?? null,
      runtime: payloads[i]?.runtime ?? null,
    })),
  }
}

export function renderShown(shown: Shown, style: Style): string {
  const fields: (readonly [string, string])[] = [['found in', shown.label]]
  if (shown.task !== null) fields.push(['task', `${shown.task} (${shown.kind})`])
  if (shown.code !== null) fields.push(['code', codeText(shown.code)])
  if (shown.params !== null) fields.push(['params', JSON.stringify(shown.params)])
  for (const [port, input] of Object.entries(shown.inputs ?? {})) fields.push([`input ${port}`, inputText(input)])
  if (shown.key !== null) fields.push(['key', shown.disputed ? `${shown.key}  ${style.bad('disputed')}` : shown.key])
  fields.push(['artifact', shown.artifact])
  if (shown.type !== null) fields.push(['type', shown.type === absentType ? 'nothing was there' : shown.type])
  if (shown.presence !== 'present') fields.push(['bytes', style.warn(shown.presence)])

  const lines = [style.bold(visible(shown.address ?? shown.artifact)), ...fieldLines(fields, style)]
  if (shown.files.length > 0) {
    const files = shown.files.map(({ name, sha256, sizeBytes, rows }) => [
      `  ${name}`,
      sizeText(sizeBytes),
      rows === null ? '' : plural(rows, 'row'),
      sha256,
    ])
    const sizes: { title: string; align: 'right' }[] = [
      { title: '', align: 'right' },
      { title: '', align: 'right' },
    ]
    lines.push(
      '',
      style.dim(plural(shown.files.length, 'file')),
      ...textTable([{ title: '' }, ...sizes, { title: '' }], files),
    )
  }
  if (shown.records.length > 0) {
    const rows = shown.records.map(({ artifact, recordedAtMs, wallMs, attempts, runtime }) => [
      `  ${instantText(recordedAtMs)}`,
      shortId(artifact),
      wallMs === null ? '' : durationText(wallMs),
      attempts === null || attempts === 1 ? '' : `${countText(attempts)} attempts`,
      runtime === null ? '' : `node ${runtime}`,
    ])
    const columns = [{ title: '' }, { title: '' }, { title: '', align: 'right' as const }, { title: '' }, { title: '' }]
    lines.push('', style.dim(plural(rows.length, 'record')), ...textTable(columns, rows))
  }
  return lines.join('\n')
}

export function fieldLines(fields: readonly (readonly [string, string])[], style: Style): string[] {
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, text]) => `  ${style.dim(padEnd(visible(name), width))}  ${visiblePainted(text)}`)
}

function codeText(code: ManifestNode['code']): string {
  if ('version' in code) return `version ${code.version}`
  const ports = Object.entries(code.ports ?? {}).map(([port, digest]) => `, ${port} ${shortId(digest)}`)
  return shortId(code.run) + ports.join('')
}

function inputText(input: Digest | { readonly list: Digest } | null): string {
  if (input === null) return 'nothing'
  return typeof input === 'string' ? shortId(input) : `a list, ${shortId(input.list)}`
}
