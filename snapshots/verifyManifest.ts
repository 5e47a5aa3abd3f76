import { readdirSync } from 'node:fs'
import { type Digest, short } from '../cas/digest.ts'
import type { Fault } from '../lib/fault.ts'
import { bundledFiles } from './exportBundle.ts'
import { keyOfSpec, type Manifest, type ManifestNode, specOf } from './manifest.ts'
import { folderFiles } from './pin.ts'
import { reachOf } from './reach.ts'
import { readSnapshotFile, type Snapshot, snapshotFiles, snapshotFolder } from './snapshotFolder.ts'
import type { LevelContext, LevelResult } from './verifyLevel.ts'
import type { Finding } from './verifyReport.ts'

/** Holds the manifest against the lists beside it, the objects that describe others, and the records of the store. */
export function verifyManifestLevel({ store, snapshot, options }: LevelContext): LevelResult {
  const { manifest } = snapshot
  const findings: Finding[] = []
  const unreadable = new Map<Digest, { fault: Fault; address: string }>()
  const reach = reachOf(
    manifest,
    (digest) => store.readObject(digest),
    (digest, fault, address) => void unreadable.set(digest, { fault, address }),
  )
  for (const [digest, { fault, address }] of unreadable) {
    findings.push({
      severity: 'error',
      kind: fault.code === 'corrupt' ? 'damaged' : 'missing',
      node: address,
      digest,
      what: fault.what,
      todo: fault.todo ?? 'run "pipe verify --level objects" to see what else is hit',
    })
  }
  findings.push(
    ...verifyFolder(store.root, snapshot.name, (provenance) =>
      // What cannot be reached cannot be listed, so the lists are compared only where everything was.
      unreadable.size > 0 ? undefined : folderFiles(manifest, provenance, reach, snapshot.origin),
    ),
  )
  findings.push(...verifyWiring(manifest, (list) => reach.lists.get(list)))
  store.records.refresh()
  for (const node of manifest.nodes) {
    const finding = verifyRecord(node, snapshot, {
      results: (key) => store.records.results(key).map(({ artifact }) => artifact),
      observations: (key) => store.records.observations(key).map(({ artifact }) => artifact),
      serving: (key) => store.records.result(key)?.artifact,
      disputed: (key) => store.records.disputed(key),
    })
    if (finding !== undefined) findings.push(finding)
  }
  const total = manifest.nodes.length
  options.onProgress?.({ level: 'manifest', done: total, total })
  return { findings, counts: { total, checked: total, notSampled: 0, resumed: 0, evicted: 0 }, interrupted: false }
}

function verifyFolder(
  root: string,
  name: string,
  expectedFiles: (provenance: string) => Readonly<Record<string, string>> | undefined,
): Finding[] {
  const findings: Finding[] = []
  const wrong = (what: string): void =>
    void findings.push({
      severity: 'error',
      kind: 'manifest',
      what,
      todo: `export nothing from it; pin the run again under another name, or import a bundle of ${name}`,
    })
  const found = new Map<string, Buffer>()
  for (const file of bundledFiles) {
    try {
      found.set(file, readSnapshotFile(root, name, file))
    } catch (error) {
      wrong((error as Fault).what)
    }
  }
  const provenance = found.get('provenance')
  const expected = provenance === undefined ? undefined : expectedFiles(provenance.toString('utf8'))
  if (expected !== undefined) {
    for (const file of ['checksums', 'derivedChecksums'] as const) {
      const bytes = found.get(file)
      if (bytes !== undefined && !bytes.equals(Buffer.from(expected[file]!))) {
        wrong(`${snapshotFiles[file]} does not say what follows from the manifest and the provenance`)
      }
    }
  }
  const known = new Set<string>(Object.values(snapshotFiles))
  for (const entry of readdirSync(snapshotFolder(root, name)).sort()) {
    if (known.has(entry)) continue
    findings.push({ severity: 'warning', kind: 'odd file', what: `${entry} does not belong in snapshots/${name}` })
  }
  return findings
}

/** Every input was made by a node of the same run, and no node stands above itself. */
function verifyWiring(manifest: Manifest, readList: (list: Digest) => readonly Digest[] | undefined): Finding[] {
  const findings: Finding[] = []
  const made = new Set(manifest.nodes.map(({ artifact }) => artifact))
  const needs = new Map<ManifestNode, ReadonlySet<Digest>>()
  for (const node of manifest.nodes) {
    const inputs = new Set<Digest>()
    for (const [port, input] of Object.entries(node.inputs)) {
      // A list that cannot be read is a finding already.
      const artifacts = input === null ? [] : typeof input === 'string' ? [input] : (readList(input.list) ?? [])
      for (const artifact of artifacts) {
        if (made.has(artifact)) inputs.add(artifact)
        else {
          findings.push({
            severity: 'error',
            kind: 'wiring',
            node: node.address,
            digest: artifact,
            what: `its input ${port} takes the artifact ${short(artifact)}, which no node of this run made`,
            todo: 'this manifest is not what a run writes: get the snapshot again from where it came',
          })
        }
      }
    }
    needs.set(node, inputs)
  }
  return [...findings, ...findRings(manifest, needs)]
}

/** Peels off nodes whose inputs are all made by nodes that were peeled off before; what is left stands in a ring. */
function findRings(manifest: Manifest, needs: ReadonlyMap<ManifestNode, ReadonlySet<Digest>>): Finding[] {
  const waitingFor = new Map<Digest, ManifestNode[]>()
  const open = new Map<ManifestNode, number>()
  const ready: ManifestNode[] = []
  for (const node of manifest.nodes) {
    const inputs = needs.get(node)!
    open.set(node, inputs.size)
    if (inputs.size === 0) ready.push(node)
    for (const input of inputs) {
      const waiting = waitingFor.get(input)
      if (waiting === undefined) waitingFor.set(input, [node])
      else waiting.push(node)
    }
  }
  const available = new Set<Digest>()
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    open.delete(node)
    if (available.has(node.artifact)) continue
    available.add(node.artifact)
    for (const waiting of waitingFor.get(node.artifact) ?? []) {
      const left = open.get(waiting)! - 1
      open.set(waiting, left)
      if (left === 0) ready.push(waiting)
    }
  }
  const first = [...open.keys()][0]
  if (first === undefined) return []
  return [
    {
      severity: 'error',
      kind: 'wiring',
      node: first.address,
      what: `${open.size} nodes take each other's artifacts in a ring, or stand below one: no run can have made them`,
      todo: 'this manifest is not what a run writes: get the snapshot again from where it came',
    },
  ]
}

interface RecordView {
  results(key: Digest): readonly (Digest | undefined)[]
  observations(key: Digest): readonly (Digest | undefined)[]
  serving(key: Digest): Digest | undefined
  disputed(key: Digest): boolean
}

function verifyRecord(node: ManifestNode, { name, origin }: Snapshot, records: RecordView): Finding | undefined {
  const key = keyOfSpec(specOf(node))
  const about = { node: node.address, digest: node.artifact }
  if (node.kind === 'source') {
    // What a stranger observed is taken from the snapshot alone, and recorded nowhere.
    if (!origin.trusted || records.observations(key).includes(node.artifact)) return undefined
    return {
      severity: 'warning',
      kind: 'record',
      ...about,
      what: 'no observation of this source is recorded with these bytes: the records were lost, or never came along',
      todo: `a run with --snapshot ${name} uses them all the same; import a bundle of it to record them again`,
    }
  }
  if (records.disputed(key)) {
    return {
      severity: 'error',
      kind: 'disputed',
      ...about,
      what: `its key gave ${new Set(records.results(key)).size} different artifacts, and nobody has chosen`,
      todo: `choose with "pipe resolve ${short(key)}"`,
    }
  }
  const serving = records.serving(key)
  if (serving === node.artifact) return undefined
  if (serving === undefined) {
    if (!origin.trusted) return undefined // a stranger's result is no record: a run computes it again
    return {
      severity: 'warning',
      kind: 'record',
      ...about,
      what: 'its key has no record: a run would execute it again',
      todo: 'run the target again, or import a bundle of this snapshot',
    }
  }
  if (!origin.trusted) {
    return {
      severity: 'error',
      kind: 'record',
      ...about,
      what: `computed here, it is ${short(serving)}; this snapshot, which somebody else made, says ${short(node.artifact)}`,
      todo: `what was computed here counts here; see what the code in it gives with "pipe verify ${name} --level rebuild --trust-code"`,
    }
  }
  return {
    severity: 'error',
    kind: 'record',
    ...about,
    what: `its key is recorded with the artifact ${short(serving)}, this snapshot has ${short(node.artifact)}`,
    todo: `see which is right with "pipe verify ${name} --level rebuild", then choose with "pipe resolve ${short(key)}"`,
  }
}
