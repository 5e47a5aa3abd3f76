import type { Digest } from '../cas/digest.ts'
import { short } from '../cas/digest.ts'
import type { Store } from '../cas/store.ts'
import { verifyObjects as verifyStoredObjects } from '../cas/verify.ts'
import type { Manifest } from './manifest.ts'
import { keptArtifacts, type Reach, reachOf } from './reach.ts'
import { remakeCommand } from './remake.ts'
import type { Snapshot } from './snapshotFolder.ts'
import type { LevelContext, LevelResult } from './verifyLevel.ts'
import { isSampled } from './verifyProgress.ts'
import type { Finding } from './verifyReport.ts'

/** Hashes every object the snapshot stands on again, but for evicted ones, in several threads. */
export async function verifyObjectsLevel(context: LevelContext): Promise<LevelResult> {
  const { store, snapshot, progress, options } = context
  const { manifest } = snapshot
  const unreadable = new Map<Digest, { what: string; address: string }>()
  const reach = reachOf(
    manifest,
    (digest) => store.readObject(digest),
    (digest, fault, address) => void unreadable.set(digest, { what: fault.what, address }),
  )
  const evicted = evictedFiles(store, manifest, reach)
  const digests = [...reach.neverEvicted, ...reach.derived].filter((digest) => !evicted.has(digest)).sort()
  const sampled = digests.filter((digest) => isSampled(digest, options.sample))

  const last = progress.last as Digest | undefined
  const resumed = last === undefined ? 0 : sampled.filter((digest) => digest <= last).length
  const result = await verifyStoredObjects(store, {
    digests: sampled,
    ...(last === undefined ? {} : { resumeFrom: last }),
    ...(options.workers === undefined ? {} : { workers: options.workers }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: ({ checkedObjects, totalObjects, resumeFrom }) => {
      if (resumeFrom !== undefined) progress.note(resumeFrom, [])
      options.onProgress?.({ level: 'objects', done: resumed + checkedObjects, total: resumed + totalObjects })
    },
  })

  const addresses = new Map<Digest, string>()
  const about = (digest: Digest): string | undefined => {
    if (addresses.size === 0) nameUsers(manifest, reach, addresses)
    return addresses.get(digest)
  }
  const findings: Finding[] = []
  const told = new Set<Digest>()
  const tell = (digest: Digest, kind: 'damaged' | 'missing', why: string): void => {
    if (told.has(digest)) return
    told.add(digest)
    const node = unreadable.get(digest)?.address ?? about(digest)
    const role = roleOf(digest, manifest, reach)
    findings.push({
      severity: 'error',
      kind,
      ...(node === undefined ? {} : { node }),
      digest,
      what: `the object ${short(digest)} (${role}) is ${kind}: ${why}`,
      todo: wayBack(role, node === undefined ? undefined : commandFor(node, digest, role, snapshot)),
    })
  }
  for (const { kind, digest, why, path } of result.findings) {
    if (digest === undefined) continue
    if (kind === 'writable') {
      findings.push({
        severity: 'warning',
        kind: 'odd file',
        digest,
        what: `the object ${short(digest)}: ${why} (${path})`,
      })
    } else tell(digest, kind === 'missing' ? 'missing' : 'damaged', why)
  }
  // Reading them above may have moved damaged ones to quarantine, and an earlier verify may have done so with what this
  // one skips: where they were, nothing is now.
  for (const [digest, { what }] of unreadable) tell(digest, 'damaged', what)
  for (const digest of sampled) {
    if (!told.has(digest) && !store.hasObject(digest, reach.sizes.get(digest))) {
      const wrongSize = store.hasObject(digest)
      tell(digest, wrongSize ? 'damaged' : 'missing', wrongSize ? 'it has another size' : 'it is not there')
    }
  }
  return {
    findings,
    counts: {
      total: digests.length + evicted.size,
      checked: resumed + result.checkedObjects,
      notSampled: digests.length - sampled.length,
      resumed,
      evicted: evicted.size,
    },
    interrupted: result.interrupted,
  }
}

type Role = 'source bytes' | 'target output' | 'derived output' | 'descriptor, code or list'

const ways: Readonly<Record<Role, string>> = {
  'source bytes':
    'import a bundle of this snapshot, or copy the object from another store; a new fetch is a new observation',
  'target output': 'run the target again: it is made from what is recorded, and checked against this hash',
  'derived output': 'run the target again: it is made from what is recorded, and checked against this hash',
  'descriptor, code or list': 'run the same code again, which writes it anew, or import a bundle of this snapshot',
}

const wayBack = (role: Role, command: string | undefined): string =>
  command === undefined ? ways[role] : `make it again with "${command}", or import a bundle of this snapshot`

/** What a pure node gave is made again by naming the node: another target may need no more of it than its name. */
function commandFor(address: string, digest: Digest, role: Role, { name, manifest }: Snapshot): string | undefined {
  const node = manifest.nodes.find((one) => one.address === address)
  if (node?.kind !== 'pure' || (role === 'descriptor, code or list' && node.artifact !== digest)) return undefined
  return remakeCommand(address, { snapshot: name })
}

function roleOf(digest: Digest, manifest: Manifest, reach: Reach): Role {
  if (reach.derived.has(digest)) return 'derived output'
  const kept = keptArtifacts(manifest)
  for (const { artifact, kind } of manifest.nodes) {
    if (!kept.has(artifact) || !reach.descriptors.get(artifact)?.files.some((file) => file.digest === digest)) continue
    return kind === 'source' ? 'source bytes' : 'target output'
  }
  return 'descriptor, code or list'
}

function nameUsers(manifest: Manifest, reach: Reach, addresses: Map<Digest, string>): void {
  for (const { address, artifact, code } of manifest.nodes) {
    const files = reach.descriptors.get(artifact)?.files.map((file) => file.digest) ?? []
    const named = 'run' in code ? [code.run, ...Object.values(code.ports ?? {})] : []
    for (const digest of [artifact, ...files, ...named]) if (!addresses.has(digest)) addresses.set(digest, address)
  }
}

/** Derived files that are not there, on purpose: all that need them are artifacts that were given up. */
function evictedFiles(store: Store, manifest: Manifest, reach: Reach): ReadonlySet<Digest> {
  const evicted = new Set<Digest>()
  for (const { artifact } of manifest.nodes) {
    if (!store.records.isEvicted(artifact)) continue
    for (const { digest } of reach.descriptors.get(artifact)?.files ?? []) {
      if (reach.derived.has(digest) && !store.hasObject(digest)) evicted.add(digest)
    }
  }
  return evicted
}
