import type { Digest } from '../cas/digest.ts'
import { Fault } from '../lib/fault.ts'
import { inParallel, type LevelContext, type LevelResult, storedArtifact } from './verifyLevel.ts'
import { isSampled } from './verifyProgress.ts'
import type { Finding } from './verifyReport.ts'

/** Decodes what is in the artifacts. Each is looked at once, however many nodes made it. */
export async function verifyDataLevel({ store, snapshot, options, progress }: LevelContext): Promise<LevelResult> {
  const { readArtifact } = options
  if (readArtifact === undefined) throw new TypeError('the data level needs readArtifact')
  const addresses = new Map<Digest, string>()
  for (const { artifact, address } of snapshot.manifest.nodes) {
    if (!addresses.has(artifact)) addresses.set(artifact, address)
  }
  const sampled = [...addresses].filter(([artifact]) => isSampled(artifact, options.sample))
  const open = sampled.filter(([artifact]) => !progress.has(artifact))
  const findings = [...progress.findings]
  let evicted = 0
  let checked = sampled.length - open.length
  const begun = await inParallel(open, options, async ([id, node]) => {
    const found: Finding[] = []
    try {
      const artifact = storedArtifact(store, id)
      if (artifact !== undefined) {
        for (const problem of await readArtifact(artifact)) found.push({ kind: 'data', node, digest: id, ...problem })
        checked++
      } else if (store.artifactPresence(id) === 'evicted') evicted++
      else {
        const todo = 'run "pipe verify --level objects" to see what is hit, then run the target again'
        found.push({ severity: 'error', kind: 'missing', node, digest: id, what: 'its bytes are not all there', todo })
      }
    } catch (error) {
      found.push({
        severity: 'error',
        kind: error instanceof Fault && error.code !== 'corrupt' ? 'unverifiable' : 'data',
        node,
        digest: id,
        what: error instanceof Fault ? error.what : `it cannot be read: ${String(error)}`,
        ...(error instanceof Fault && error.todo !== undefined ? { todo: error.todo } : {}),
      })
    }
    findings.push(...found)
    progress.note(id, found)
    options.onProgress?.({ level: 'data', done: checked + evicted, total: sampled.length, node })
  })
  return {
    findings: findings.sort((a, b) => ((a.node ?? '') < (b.node ?? '') ? -1 : 1)),
    counts: {
      total: addresses.size,
      checked,
      notSampled: addresses.size - sampled.length,
      resumed: sampled.length - open.length,
      evicted,
    },
    interrupted: begun < open.length,
  }
}
