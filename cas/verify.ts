import { chmodSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, digestOf, short } from './digest.ts'
import { type HashedFile, HashWorker } from './hashWorker.ts'
import { digestOfObjectFile, objectPath } from './layout.ts'
import { listObjects } from './objects.ts'
import type { SegmentDamage } from './recordLog.ts'
import type { Store } from './store.ts'

export interface VerifyFinding {
  /** What is wrong. `writable` was set right at once; `stranger` is a file that is no object, and was left alone. */
  readonly kind: 'bytes' | 'notAFile' | 'unreadable' | 'missing' | 'writable' | 'stranger'
  readonly digest: Digest | undefined
  readonly path: string
  readonly why: string
  /** Whether it was moved out of the way, so that a rebuilt object can take its place. */
  readonly quarantined: boolean
}

export interface VerifyProgress {
  readonly checkedObjects: number
  readonly checkedBytes: number
  readonly totalObjects: number
  readonly totalBytes: number
  /** Everything up to this digest has been checked: pass it as `resumeFrom` to go on after an interruption. */
  readonly resumeFrom: Digest | undefined
}

export interface VerifyOptions {
  /** Only these; else every object there is. */
  readonly digests?: Iterable<Digest>
  /** A share from 0 to 1. Which objects it means depends on the seed, so that repeated checks see different ones. */
  readonly sample?: { readonly share: number; readonly seed: string }
  readonly workers?: number
  readonly resumeFrom?: Digest
  readonly onProgress?: (progress: VerifyProgress) => void
  readonly signal?: AbortSignal
}

export interface VerifyResult extends VerifyProgress {
  readonly findings: readonly VerifyFinding[]
  readonly interrupted: boolean
}

/** Enough for a thread to be busy for a while, little enough for progress to be seen. */
const batchBytesMax = 64 * 2 ** 20
const batchFilesMax = 512

interface Target {
  readonly digest: Digest
  readonly path: string
  readonly sizeBytes: number
}

/** Hashes objects again, in several threads. A damaged one is quarantined. */
export async function verifyObjects(store: Store, options: VerifyOptions = {}): Promise<VerifyResult> {
  const findings: VerifyFinding[] = []
  const targets = listTargets(store, options, findings)
  const batches = cutBatches(targets)
  const done = new Array<boolean>(batches.length).fill(false)
  const totalBytes = targets.reduce((sum, target) => sum + target.sizeBytes, 0)
  let next = 0
  let frontier = 0
  let progress: VerifyProgress = {
    checkedObjects: 0,
    checkedBytes: 0,
    totalObjects: targets.length,
    totalBytes,
    resumeFrom: options.resumeFrom,
  }
  const runThread = async (): Promise<void> => {
    const worker = new HashWorker()
    try {
      while (next < batches.length && options.signal?.aborted !== true) {
        const number = next++
        const batch = batches[number]!
        const files = await worker.hash({ paths: batch.map((target) => target.path) })
        files.forEach((file, i) => void findings.push(...judge(store, batch[i]!, file)))
        done[number] = true
        while (done[frontier]) frontier++
        progress = {
          ...progress,
          checkedObjects: progress.checkedObjects + batch.length,
          checkedBytes:
            progress.checkedBytes + files.reduce((sum, file) => sum + ('sizeBytes' in file ? file.sizeBytes : 0), 0),
          resumeFrom: frontier > 0 ? batches[frontier - 1]!.at(-1)!.digest : options.resumeFrom,
        }
        options.onProgress?.(progress)
      }
    } finally {
      await worker.stop()
    }
  }
  const threads = Math.min(options.workers ?? 2, batches.length)
  await Promise.all(Array.from({ length: threads }, runThread))
  return { ...progress, findings, interrupted: frontier < batches.length }
}

/** Stretches of record segments that are not what was written; `Records` found them while reading. */
export function verifyRecords(store: Store): readonly SegmentDamage[] {
  store.log.reload()
  return store.log.damage()
}

function listTargets(store: Store, options: VerifyOptions, findings: VerifyFinding[]): Target[] {
  const wanted = options.digests ? [...new Set(options.digests)].sort() : listAll(store, findings)
  const targets: Target[] = []
  for (const digest of wanted) {
    if (options.resumeFrom !== undefined && digest <= options.resumeFrom) continue
    if (options.sample && !isSampled(digest, options.sample)) continue
    // A folder in an object's place is not located, but it has to be looked at.
    const path = store.locate(digest) ?? objectPath(store.objectsDir, digest)
    targets.push({ digest, path, sizeBytes: lstatSync(path, { throwIfNoEntry: false })?.size ?? 0 })
  }
  return targets
}

function listAll(store: Store, findings: VerifyFinding[]): Digest[] {
  const digests: Digest[] = []
  for (const { shard, name } of listObjects(store.layout)) {
    const digest = digestOfObjectFile(shard, name)
    if (digest !== undefined) digests.push(digest)
    else {
      const path = join(store.objectsDir, shard, name)
      findings.push({ kind: 'stranger', digest, path, why: 'its name is not that of an object', quarantined: false })
    }
  }
  return digests.sort()
}

function isSampled(digest: Digest, sample: { share: number; seed: string }): boolean {
  return Number.parseInt(digestOf(sample.seed + digest).slice(0, 8), 16) < sample.share * 2 ** 32
}

function cutBatches(targets: readonly Target[]): Target[][] {
  const batches: Target[][] = []
  let sizeBytes = Number.POSITIVE_INFINITY
  for (const target of targets) {
    if (sizeBytes + target.sizeBytes > batchBytesMax || batches.at(-1)!.length >= batchFilesMax) {
      batches.push([])
      sizeBytes = 0
    }
    batches.at(-1)!.push(target)
    sizeBytes += target.sizeBytes
  }
  return batches
}

function judge(store: Store, target: Target, file: HashedFile): VerifyFinding[] {
  const { digest, path } = target
  if ('problem' in file) {
    if (file.problem === 'missing') return judgeMissing(store, target)
    // A disk that cannot read may be able to tomorrow: nothing is moved for that.
    const quarantined = file.problem === 'notAFile' && store.quarantine(digest, path, file.why)
    return [{ kind: file.problem, digest, path, why: file.why, quarantined }]
  }
  if (file.digest !== digest) {
    const why = file.sizeBytes === 0 ? 'it is empty' : `its ${file.sizeBytes} bytes hash to ${short(file.digest)}`
    return [{ kind: 'bytes', digest, path, why, quarantined: store.quarantine(digest, path, why) }]
  }
  if ((file.mode & 0o222) === 0 || store.readOnly) return []
  return [{ kind: 'writable', digest, path, why: makeReadOnly(path), quarantined: false }]
}

/** It may have moved between the listing and the look: out of staging, or to the trash and back. */
function judgeMissing(store: Store, { digest, path }: Target): VerifyFinding[] {
  if (store.locate(digest) !== undefined) return []
  return [{ kind: 'missing', digest, path, why: 'it is not there', quarantined: false }]
}

function makeReadOnly(path: string): string {
  try {
    chmodSync(path, 0o444)
    return 'it could be written to; now it cannot'
  } catch {
    return 'it can be written to, and its mode is not ours to change'
  }
}
