import { type BigIntStats, readFileSync, realpathSync, statSync } from 'node:fs'
import { type Digest, digestOf } from '../../../cas/digest.ts'

/** A file as it was when something was derived from it. */
export interface FileMark {
  readonly path: string
  /** Changes whenever the file is written, replaced or renamed, so that one `stat` tells that nothing happened. It is
   *  `absent` where there was no file, and one that came to be would have mattered; and `link:…` where only that counts
   *  what links on the way lead to. */
  readonly signature: string
  /** Decides when the signature differs: a checkout, a copy or a touch need not mean other bytes. */
  readonly digest?: Digest
}

const absentSignature = 'absent'
const linkPrefix = 'link:'

/** What imports were resolved by, besides the files they led to. */
export interface LookedAt {
  /** Paths where there was nothing. */
  readonly absent: Iterable<string>
  /** Paths with links in them, and where they led. */
  readonly links: Iterable<readonly [path: string, target: string]>
}

/** Looks at files once each: many tasks rest on the same ones. */
export class FileLook {
  readonly #signatures = new Map<string, string | undefined>()
  readonly #digests = new Map<string, Digest | undefined>()

  unchanged(mark: FileMark): boolean {
    if (mark.signature.startsWith(linkPrefix)) return mark.signature === linkPrefix + realPathOf(mark.path)
    if (!this.#signatures.has(mark.path)) this.#signatures.set(mark.path, signatureOf(mark.path))
    const signature = this.#signatures.get(mark.path) ?? absentSignature
    if (signature === mark.signature) return true
    if (signature === absentSignature || mark.digest === undefined) return false
    return this.#digestOf(mark.path, signature) === mark.digest
  }

  /** Marks files, paths where there is none and links (by what they led to), as they are now. Undefined when a file is gone, or was written so
   *  lately that a reader which began at `sinceMs` may have seen it before the write: what was derived from it is then
   *  not worth keeping. */
  markAll(paths: Iterable<string>, places: LookedAt, sinceMs: number): FileMark[] | undefined {
    const marks: FileMark[] = []
    for (const [path, target] of places.links) {
      if (realPathOf(path) !== target) return undefined
      marks.push({ path, signature: linkPrefix + target })
    }
    for (const path of places.absent) {
      if (signatureOf(path) !== undefined) return undefined
      marks.push({ path, signature: absentSignature })
    }
    for (const path of paths) {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
      // File times come from a coarse clock: a write may look some milliseconds older than it is.
      if (stat === undefined || Number(stat.ctimeMs) > sinceMs - 20) return undefined
      const signature = signatureFrom(stat)
      const digest = this.#digestOf(path, signature)
      if (digest === undefined) return undefined
      marks.push({ path, signature, digest })
    }
    return marks
  }

  #digestOf(path: string, signature: string): Digest | undefined {
    const key = `${path}\n${signature}`
    if (!this.#digests.has(key)) {
      let digest: Digest | undefined
      try {
        digest = digestOf(readFileSync(path))
      } catch {
        digest = undefined // gone, or no file
      }
      this.#digests.set(key, digest)
    }
    return this.#digests.get(key)
  }
}

export function signatureOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && signatureFrom(stat)
}

const signatureFrom = ({ size, mtimeNs, ctimeNs, ino }: BigIntStats) => `${size}:${mtimeNs}:${ctimeNs}:${ino}`

/** Where a path leads, with all links followed; empty where there is nothing. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return ''
  }
}
