import type { Digest } from './digest.ts'
import type { GcOptions, Marks } from './gc.ts'
import type { Survey } from './gcSurvey.ts'
import { isYoung } from './young.ts'

export interface Evictions {
  readonly artifacts: readonly Digest[]
  /** Files that no artifact left over needs. */
  readonly files: ReadonlySet<Digest>
}

/** Chooses which artifacts to give up so that the store fits its size: those first that are the least work to make
 *  again for each byte they free. A greedy choice, whose order does not depend on how the store was listed. */
export function chooseEvictions(survey: Survey, marks: Marks, options: GcOptions): Evictions {
  const files = new Set<Digest>()
  const artifacts: Digest[] = []
  const maxSizeBytes = options.maxSizeBytes ?? Number.POSITIVE_INFINITY
  let keptBytes = keptBytesOf(survey, marks, options)
  if (keptBytes <= maxSizeBytes) return { artifacts, files }

  const removable = (digest: Digest): number => {
    if (marks.firm.has(digest) || marks.young.has(digest)) return 0
    const object = survey.objects.get(digest)
    if (object) return isYoung(object.mtimeMs, options) ? 0 : object.sizeBytes
    // It would be put back: not doing so is what frees its bytes.
    return survey.onlyInTrash.get(digest)?.sizeBytes ?? 0
  }
  const holders = new Map<Digest, number>()
  for (const artifact of marks.evictable) {
    for (const digest of filesOf(survey, artifact)) holders.set(digest, (holders.get(digest) ?? 0) + 1)
  }
  const ranked = marks.evictable
    .map((artifact) => {
      // A shared file counts in parts: it goes only with the last of its holders.
      let bytes = 0
      for (const digest of filesOf(survey, artifact)) bytes += removable(digest) / holders.get(digest)!
      const costMs = options.costOf?.(artifact) ?? Number.POSITIVE_INFINITY
      return { artifact, bytes, msPerByte: costMs / bytes }
    })
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => a.msPerByte - b.msPerByte || b.bytes - a.bytes || (a.artifact < b.artifact ? -1 : 1))

  for (const { artifact } of ranked) {
    if (keptBytes <= maxSizeBytes) break
    artifacts.push(artifact)
    for (const digest of filesOf(survey, artifact)) {
      const left = holders.get(digest)! - 1
      holders.set(digest, left)
      if (left > 0 || removable(digest) === 0) continue
      files.add(digest)
      keptBytes -= removable(digest)
    }
  }
  // One whose files all turned out to be held by others as well lost nothing, and is not evicted.
  const losers = artifacts.filter((artifact) => [...filesOf(survey, artifact)].some((digest) => files.has(digest)))
  return { artifacts: losers.sort(), files }
}

function filesOf(survey: Survey, artifact: Digest): Set<Digest> {
  return new Set(survey.descriptorOf(artifact)?.files.map((file) => file.digest))
}

function keptBytesOf(survey: Survey, marks: Marks, options: GcOptions): number {
  let bytes = 0
  for (const [digest, { sizeBytes, mtimeMs }] of survey.objects) {
    const kept =
      marks.firm.has(digest) || marks.soft.has(digest) || marks.young.has(digest) || isYoung(mtimeMs, options)
    if (kept) bytes += sizeBytes
  }
  for (const [digest, { sizeBytes }] of survey.onlyInTrash) {
    if (marks.firm.has(digest) || marks.soft.has(digest) || marks.young.has(digest)) bytes += sizeBytes
  }
  return bytes
}
