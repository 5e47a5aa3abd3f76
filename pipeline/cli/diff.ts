import { diffManifests, type ManifestDiff } from '../../snapshots/diff.ts'
import { parseList } from '../../snapshots/references.ts'
import { defineCommand } from './command.ts'
import type { Digest, Store } from './context.ts'
import { arg, flag } from './flag.ts'
import { findManifest, type NamedManifest } from './names.ts'
import { type ArtifactDiff, renderDiff } from './renderDiff.ts'

export const diff = defineCommand({
  name: 'diff',
  summary: 'Compare two runs or snapshots: nodes by cause, then rows and columns',
  about:
    'A and B are snapshot names, run ids, "last", "last~1", the beginning of a manifest id, or a path to a manifest. Changed nodes that explain the others come first; tables among them are compared by rows and columns.',
  args: {
    a: arg.one('The earlier one', { completes: 'snapshot' }),
    b: arg.one('The later one', { completes: 'snapshot' }),
  },
  flags: {
    all: flag.boolean('List every changed node, not only the first of each kind', { short: 'a' }),
    rows: flag.integerOr('Compare the contents of this many changed artifacts', 8, { short: 'n', min: 0 }),
  },
  examples: [
    { line: 'pipe diff last~1 last', says: 'what the last run changed' },
    { line: 'pipe diff demo last', says: 'the newest run against a snapshot' },
    { line: 'pipe diff demo demo2 --json', says: 'for a program' },
  ],
  json: '{"a": {"label", "id"}, "b": {"label", "id"}, "same", "pipeline"?, "config", "asOf"?, "targets", "onlyInA", "onlyInB", "changed": [{"address", "task", "causes", "artifacts", "bytesChanged", "root", "after"}], "unchangedNodes", "contents": [{"address", "file", "kind", …}]}',
  async run(context, values) {
    const { store, close } = await context.openRoot({ readOnly: true })
    try {
      const a = findManifest(store, values.a, context.cwd)
      const b = findManifest(store, values.b, context.cwd)
      const found = diffManifests(a.manifest, b.manifest, (list) => readList(store, list))
      const contents = values.rows === 0 || found.same ? [] : await compareContents(store, found, values.rows)
      const { out } = context
      out.print(renderDiff(namesOf(a, b), found, contents, { all: values.all }, out.style))
      const { ids, ...rest } = found
      out.printJson({ a: { label: a.label, id: ids.a }, b: { label: b.label, id: ids.b }, ...rest, contents })
      return 'ok'
    } finally {
      await close()
    }
  },
})

const namesOf = (a: NamedManifest, b: NamedManifest) => ({ a: a.label, b: b.label })

function readList(store: Store, list: Digest): readonly Digest[] | undefined {
  return store.hasObject(list) ? parseList(list, store.readObject(list)) : undefined
}

/** Contents are compared where something new came in; what merely follows from it would only repeat it. */
async function compareContents(store: Store, found: ManifestDiff, most: number): Promise<ArtifactDiff[]> {
  const { compareArtifacts } = await import('./compareArtifacts.ts')
  const changed = found.changed.filter((node) => node.bytesChanged)
  const first = [...changed.filter((node) => node.root), ...changed.filter((node) => !node.root)].slice(0, most)
  return first.flatMap(({ address, artifacts }) => compareArtifacts(store, address, artifacts.a, artifacts.b))
}
