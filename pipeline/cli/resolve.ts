import { Fault } from '../../lib/fault.ts'
import type { RecordPayload } from '../engine/recordPayload.ts'
import { defineCommand } from './command.ts'
import type { Digest, Store } from './context.ts'
import { arg } from './flag.ts'
import { instantText, plural, shortId } from './human.ts'
import { shellWord } from './shellWord.ts'
import type { Style } from './style.ts'

export const resolve = defineCommand({
  name: 'resolve',
  summary: 'List keys that gave different bytes, and choose among them',
  about:
    'A pure node that gave other bytes for the same key is non-deterministic. The first result serves on and the run cannot be pinned until one is chosen. Choosing does not cure the task: find what it depends on besides its inputs.',
  args: {
    what: arg.maybe('The address, or the beginning of the key', { completes: 'address' }),
    artifact: arg.maybe('The beginning of the artifact that shall serve from now on'),
  },
  flags: {},
  examples: [
    { line: 'pipe resolve', says: 'every disputed key' },
    { line: 'pipe resolve <address>', says: 'the results of one' },
    { line: 'pipe resolve <address> <artifact>', says: 'let that one serve' },
  ],
  json: '{"disputes": [{"key", "address", "task", "serving", "results": [{"artifact", "recordedAtMs", "runtime"}]}], "resolved": null or {"key", "artifact"}}',
  async run(context, values) {
    const choosing = values.artifact !== undefined
    const { store, close } = await context.openRoot({ readOnly: !choosing })
    const { out } = context
    try {
      const all = store.records.disputes().map((key) => disputeOf(store, key))
      const { what, artifact } = values
      const disputes =
        what === undefined ? all : all.filter(({ key, address }) => address === what || key.startsWith(what))
      if (what !== undefined && disputes.length === 0) {
        throw new Fault({ code: 'usage', what: `"${what}" is not disputed`, todo: '"pipe resolve" lists what is' })
      }
      if (artifact === undefined) {
        out.print(renderDisputes(disputes, out.style))
        out.printJson({ disputes, resolved: null })
        // Scripts want to know; a person who asked for the list has got it.
        return disputes.length === 0 ? 'ok' : 'nondeterministic'
      }
      const { key, chosen } = choose(disputes, artifact)
      await store.records.resolve(key, chosen)
      out.print(`${shortId(chosen)} serves for ${shortId(key)} from now on`)
      out.printJson({ disputes, resolved: { key, artifact: chosen } })
      return 'ok'
    } finally {
      await close()
    }
  },
})

export interface Dispute {
  readonly key: Digest
  readonly address: string
  readonly task: string
  readonly serving: Digest | undefined
  readonly results: readonly { readonly artifact: Digest; readonly recordedAtMs: number; readonly runtime: string }[]
}

function disputeOf(store: Store, key: Digest): Dispute {
  const records = store.records.results(key)
  const payloads = records.map((record) => store.records.payload(record) as RecordPayload | undefined)
  return {
    key,
    address: payloads[0]?.address ?? '?',
    task: payloads[0]?.spec.task ?? '?',
    serving: store.records.result(key)?.artifact,
    results: records.flatMap(({ artifact, recordedAtMs }, i) =>
      artifact === undefined ? [] : [{ artifact, recordedAtMs, runtime: payloads[i]?.runtime ?? '?' }],
    ),
  }
}

function choose(disputes: readonly Dispute[], artifact: string): { key: Digest; chosen: Digest } {
  const matches = disputes.flatMap(({ key, results }) =>
    [...new Set(results.map((result) => result.artifact))]
      .filter((candidate) => candidate.startsWith(artifact))
      .map((chosen) => ({ key, chosen })),
  )
  if (matches.length === 1) return matches[0]!
  throw new Fault({
    code: 'usage',
    what: matches.length === 0 ? `no result begins with "${artifact}"` : `"${artifact}" fits ${matches.length} results`,
    todo: 'copy more of the hash, as "pipe resolve" prints it',
  })
}

export function renderDisputes(disputes: readonly Dispute[], style: Style): string {
  if (disputes.length === 0) return style.good('no key is disputed')
  const lines: string[] = []
  for (const { key, address, task, serving, results } of disputes) {
    lines.push(`${style.bold(address)}  (${task})  key ${shortId(key)}`)
    for (const { artifact, recordedAtMs, runtime } of results) {
      const serves = artifact === serving ? style.good('  serves') : ''
      lines.push(`  ${shortId(artifact)}  ${instantText(recordedAtMs)}  node ${runtime}${serves}`)
    }
    const other = results.find((result) => result.artifact !== serving)
    if (serving && other) {
      lines.push(style.dim(`  choose with: pipe resolve ${shellWord(address)} ${shortId(other.artifact)}`))
    }
    lines.push('')
  }
  lines.push(`${plural(disputes.length, 'disputed key')}`)
  return lines.join('\n')
}
