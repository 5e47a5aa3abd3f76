import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import type { BundleContent } from '../../snapshots/exportBundle.ts'
import type { ManifestNode } from '../../snapshots/manifest.ts'
import type { RecordPayload } from '../engine/recordPayload.ts'
import { globMatcher } from '../engine/walk/glob.ts'
import { defineCommand } from './command.ts'
import { arg, flag } from './flag.ts'
import { countText, plural, shortId, sizeText } from './human.ts'
import { meter } from './views/meter.ts'

export const snapshotExport = defineCommand({
  name: 'snapshot export',
  summary: 'Write a snapshot as one file: the same snapshot, the same bytes',
  args: {
    name: arg.one('Its name', { completes: 'snapshot' }),
    file: arg.maybe('Where to write it; <name>.tar by default', { completes: 'file' }),
  },
  flags: {
    thin: flag.boolean('Leave out what can be made again'),
    overwrite: flag.boolean('Replace the file if it is there'),
  },
  examples: [
    { line: 'pipe snapshot export demo', says: 'to demo.tar, with its SHA-256 printed' },
    { line: 'pipe snapshot export demo thin.tar --thin', says: 'sources, code and targets only' },
  ],
  json: '{"name", "file", "sha256", "sizeBytes", "objects", "leftOut"}',
  async run(context, values) {
    const file = resolve(context.cwd, values.file ?? `${values.name}.tar`)
    if (existsSync(file) && !values.overwrite) {
      throw new Fault({
        code: 'refused',
        what: 'the file is there already',
        where: file,
        todo: 'name another, or say --overwrite',
      })
    }
    const { store, close } = await context.openRoot({ readOnly: true })
    const progress = meter(context, 'exported')
    try {
      const { exportSnapshot } = await import('../../snapshots/exportBundle.ts')
      const include: BundleContent = values.thin ? 'never-evicted' : 'all'
      const made = exportSnapshot(store, values.name, file, { include, onProgress: progress.update })
      progress.close()
      context.out.print(
        [
          `${file}  ${sizeText(made.sizeBytes)}, ${plural(made.objects, 'object')}`,
          ...(made.leftOut > 0 ? [`${plural(made.leftOut, 'object')} left out that can be made again`] : []),
          `sha256 ${made.sha256}`,
        ].join('\n'),
      )
      context.out.printJson({ name: values.name, file, ...made })
      return 'ok'
    } finally {
      progress.close()
      await close()
    }
  },
})

export const snapshotImport = defineCommand({
  name: 'snapshot import',
  summary: 'Take in a snapshot that was exported; trust nothing, all or nothing',
  about:
    'Every byte is checked against its hash, which shows that nobody changed the file on its way, and not that its results are what its code makes. So without --trust-code a run here computes them again, by your own code; "pipe run --snapshot <name>" does so from the sources in it, and says whether the same came out. Importing it again with --trust-code takes its results over.',
  args: { file: arg.one('The exported file', { completes: 'file' }) },
  flags: {
    name: flag.text('The name it gets here; by default the one it had', { hint: 'name' }),
    trustCode: flag.boolean('Trust its maker: take over its results, and let "verify --level rebuild" run its code'),
  },
  examples: [
    { line: 'pipe snapshot import demo.tar', says: 'check and take in' },
    { line: 'pipe snapshot import demo.tar --root ./fresh', says: 'into another store, made for it' },
    { line: 'pipe snapshot import demo.tar --name theirs', says: 'under another name' },
  ],
  json: '{"name", "id", "alreadyThere", "objects", "trusted", "conflicts": [{"address", "ours", "theirs"}]}',
  async run(context, values) {
    const { store, close } = await context.openRoot({ create: true })
    const progress = meter(context, 'read')
    try {
      const { importSnapshot } = await import('../../snapshots/importBundle.ts')
      const nowMs = context.nowMs()
      const taken = await importSnapshot(store, resolve(context.cwd, values.file), {
        ...(values.name === undefined ? {} : { name: values.name }),
        trustCode: values.trustCode,
        payloadOf: (node) => importedPayload(node, nowMs),
        onProgress: progress.update,
      })
      progress.close()
      const lines = [
        taken.alreadyThere ? `${taken.name} was here already: ${taken.id}` : `${taken.name}  ${taken.id}`,
        ...(taken.alreadyThere ? [] : [`${plural(taken.objects, 'object')} taken in and checked`]),
        ...taken.conflicts.map(
          ({ address, ours, theirs }) =>
            `other bytes than here: ${address} is ${shortId(theirs)} there and ${shortId(ours)} here`,
        ),
        ...(taken.trusted
          ? []
          : ['its results will be computed again here, unless you trust its maker and import it with --trust-code']),
      ]
      context.out.print(lines.join('\n'))
      context.out.printJson(taken)
      return 'ok'
    } finally {
      progress.close()
      await close()
    }
  },
})

export const snapshotCheckout = defineCommand({
  name: 'snapshot checkout',
  summary: 'Lay artifacts out as a folder that DuckDB, Polars and pandas read',
  about:
    'Addresses become Hive-partitioned paths. Without a selection the targets are laid out. Files are shared with the store by reflink where the filesystem can, else copied; a hard link is the file of the store itself and read-only.',
  args: {
    name: arg.one('The snapshot', { completes: 'snapshot' }),
    folder: arg.one('Where to', { completes: 'file' }),
  },
  flags: {
    select: flag.texts('Nodes to lay out, by address or task', { hint: 'glob', completes: 'address' }),
    method: flag.oneOf('How files get their bytes', ['auto', 'reflink', 'hardlink', 'copy'], 'auto'),
    overwrite: flag.boolean('Into a folder that holds something: files of the same name are replaced'),
  },
  examples: [
    { line: 'pipe snapshot checkout demo ./demo', says: 'the targets' },
    { line: "pipe snapshot checkout demo ./minutes --select 'buildMinute*'", says: 'all minute tables' },
  ],
  json: '{"dir", "files", "sizeBytes", "methods": {"reflink", "hardlink", "copy"}}',
  async run(context, values) {
    const { store, close } = await context.openRoot({ readOnly: true })
    try {
      const { checkout } = await import('../../snapshots/checkout.ts')
      const matches = globMatcher(values.select)
      const laid = await checkout(store, values.name, resolve(context.cwd, values.folder), {
        ...(values.method === 'auto' ? {} : { method: values.method }),
        ...(values.select.length === 0 ? {} : { select: ({ address, task }) => matches(address, task) }),
        force: values.overwrite,
      })
      const methods = Object.entries(laid.methods).filter(([, count]) => count > 0)
      const how = methods.map(([method, count]) => `${countText(count)} by ${method}`).join(', ')
      if (values.method === 'hardlink' && laid.methods.copy > 0) {
        context.out.note(`${plural(laid.methods.copy, 'file')} could not be linked from here and had to be copied`)
      }
      context.out.print(`${laid.dir}  ${plural(laid.files, 'file')}, ${sizeText(laid.sizeBytes)} (${how})`)
      context.out.printJson(laid)
      return 'ok'
    } finally {
      await close()
    }
  },
})

/** What it cost elsewhere is not known here. */
function importedPayload({ address, artifact: _artifact, ...spec }: ManifestNode, atMs: number): RecordPayload {
  const cost = { wallMs: 0, cpuMs: 0, peakRssMb: 0, bytesOut: 0, requests: 0 }
  return { spec, address, cost, atMs, runtime: 'imported' }
}
