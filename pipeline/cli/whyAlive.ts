import { Fault } from '../../lib/fault.ts'
import { defineCommand } from './command.ts'
import type { Digest, Store } from './context.ts'
import { arg } from './flag.ts'
import { keepFlags } from './gc.ts'
import { plural, shortId } from './human.ts'
import { findArtifact } from './names.ts'
import type { Style } from './style.ts'

export const whyAlive = defineCommand({
  name: 'why-alive',
  summary: 'Say what keeps an object from being collected',
  args: { what: arg.one('A hash, or the address or target of an artifact', { completes: 'address' }) },
  flags: { keepRuns: keepFlags.keepRuns, olderThan: keepFlags.olderThan, sources: keepFlags.sources },
  examples: [
    { line: 'pipe why-alive backtest', says: 'which snapshots, runs and leases need it' },
    { line: "pipe why-alive 'fetchBars[BTCUSDT,1m,2026-04]' --older-than 0s", says: 'leaving its age out' },
  ],
  json: '{"digest", "present", "reasons": [{"label", "through"?}]}',
  async run(context, values) {
    const { store, close } = await context.openRoot({ readOnly: true })
    try {
      const { reasonsToKeep } = await import('./keeping.ts')
      const digest = digestNamed(store, values.what)
      const reasons = reasonsToKeep(
        store,
        {
          keepRuns: values.keepRuns,
          graceMs: values.olderThan,
          sources: values.sources,
          maxSizeBytes: undefined,
          allowEmptyKeepSet: true,
          nowMs: context.nowMs(),
        },
        digest,
      )
      const present = store.hasObject(digest)
      context.out.print(renderReasons(digest, present, reasons, context.out.style))
      context.out.printJson({ digest, present, reasons })
      return 'ok'
    } finally {
      await close()
    }
  },
})

/** Any object's whole hash, or what `pipe show` takes. */
function digestNamed(store: Store, name: string): Digest {
  if (/^[0-9a-f]{64}$/.test(name)) return name as Digest
  try {
    return findArtifact(store, name, undefined).artifact
  } catch (error) {
    if (!(error instanceof Fault) || !/^[0-9a-f]+$/.test(name)) throw error
    throw new Fault({
      code: error.code,
      what: error.what,
      where: error.where,
      todo: 'a file or code object needs its whole hash',
    })
  }
}

export function renderReasons(
  digest: string,
  present: boolean,
  reasons: readonly { readonly label: string; readonly through?: string | undefined }[],
  style: Style,
): string {
  const lines = [`${style.bold(digest)}${present ? '' : style.warn('  (not in the store)')}`]
  if (reasons.length === 0) {
    lines.push('  nothing keeps it: the next "pipe gc" takes it')
    return lines.join('\n')
  }
  // The same artifact is often in many runs: a label is said once.
  const labels = new Map<string, string | undefined>()
  for (const { label, through } of reasons) if (!labels.has(label)) labels.set(label, through)
  for (const [label, through] of labels)
    lines.push(`  ${label}${through === undefined ? '' : `, as a file of ${shortId(through)}`}`)
  lines.push(style.dim(plural(labels.size, 'reason')))
  return lines.join('\n')
}
