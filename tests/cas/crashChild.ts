import { writeSync } from 'node:fs'
import { type ArtifactFile, describeArtifact } from '../../cas/artifact.ts'
import { type Digest, digestOf } from '../../cas/digest.ts'
import { parseFaultPoints } from '../../cas/faultPoints.ts'
import { planGc } from '../../cas/gc.ts'
import { executeGc, undoGc } from '../../cas/gcExecute.ts'
import { stageBytes } from '../../cas/staging.ts'
import { openStore, type Store } from '../../cas/store.ts'

/** A small process for the crash tests: does one kind of work on a root, says what is finished, and may be killed by
 *  a fault point on the way. Bundled by the test, and started many times. */

export const nodeCount = 12

/** Node i has three files: its own, one it shares with its neighbour, and an empty one. */
export function filesOfNode(i: number): string[] {
  return [`own bytes of node ${i} `.repeat(40), `shared by the pair ${i >> 1} `.repeat(30), '']
}

export const keyOfNode = (i: number): Digest => digestOf(`crash node ${i}`)

/** Every third node is what some snapshot needs. */
export const isRoot = (i: number): boolean => i % 3 === 0

export function describeNode(i: number): ReturnType<typeof describeArtifact> {
  const files = filesOfNode(i).map(
    (text, n): ArtifactFile => ({ name: `f${n}`, digest: digestOf(text), sizeBytes: text.length }),
  )
  return describeArtifact('crash', files)
}

export async function publishNode(store: Store, i: number): Promise<void> {
  const { id, bytes } = describeNode(i)
  const staged = [...filesOfNode(i), bytes].map((content) => stageBytes(store.stagingDir, content))
  await store.commit({ staged, records: [{ kind: 'result', key: keyOfNode(i), artifact: id, payload: { i } }] })
}

export async function collect(store: Store): Promise<void> {
  const nodes = Array.from({ length: nodeCount }, (_, i) => i).filter(isRoot)
  const roots = nodes.map((i) => ({ label: `node ${i}`, digest: describeNode(i).id }))
  // No grace at all: everything that is safe here is safe without the help of time.
  await executeGc(store, planGc(store, { roots, graceMs: 0, nowMs: Date.now() + 10_000 }))
}

async function main(root: string, work: string, seed: number): Promise<void> {
  const fault = process.env['TICKPIPE_FAULT']
  const store = openStore(root, { create: true, faults: fault ? parseFaultPoints(fault) : undefined })
  const say = (line: string) => void writeSync(1, `${line}\n`)
  if (work === 'publish') {
    const order = Array.from({ length: nodeCount }, (_, n) => (n * 5 + seed) % nodeCount)
    // Several groups, of several commits each.
    for (let n = 0; n < order.length; n += 3) {
      await Promise.all(order.slice(n, n + 3).map(async (i) => publishNode(store, i).then(() => say(`done ${i}`))))
    }
  } else if (work === 'gc') {
    await collect(store)
  } else if (work === 'undo') {
    await undoGc(store).catch(() => {})
  }
  await store.close()
  say('closed')
}

const [, , root, work, seed] = process.argv
if (root !== undefined && work !== undefined && process.env['TICKPIPE_CRASH_CHILD'] === '1') {
  await main(root, work, Number(seed ?? 0))
}
