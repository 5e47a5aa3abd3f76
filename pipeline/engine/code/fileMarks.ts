import { type BigIntStats, readFileSync, statSync } from 'node:fs'
import { type Digest, digestOf } from '../../../cas/digest.ts'

/** A file as it was when something was derived from it. */
export interface FileMark {
  readonly path: string
  /** Changes whenever the file is written, replaced or renamed, so that one `stat` tells that nothing happened. It is
   *  `absent` where there was no file, and one that came to be would have mattered. */
  readonly signature: string
  /** Decides when the signature differs: a checkout, a copy or a touch need not mean other bytes. */
  readonly digest?: Digest
}

const absentSignature = 'absent'

/** Looks at files once each: many tasks rest on the same ones. */
export class FileLook {
  readonly #signatures = new Map<string, string | undefined>()
  readonly #digests = new Map<string, Digest | undefined>()

  unchanged(mark: FileMark): boolean {
    if (!this.#signatures.has(mark.path)) this.#signatures.set(mark.path, signatureOf(mark.path))
    const signature = this.#signatures.get(mark.path) ?? absentSignature
    if (signature === mark.signature) return true
    if (signature === absentSignature || mark.digest === undefined) return false
    return this.#digestOf(mark.path, signature) === mark.digest
  }

  /** Marks files, and paths where there is none, as they are now. Undefined when a file is gone, or was written so
   *  lately that a reader which began at `sinceMs` may have seen it before the write: what was derived from it is then
   *  not worth keeping. */
  markAll(paths: Iterable<string>, absent: Iterable<string>, sinceMs: number): FileMark[] | undefined {
    const marks: FileMark[] = []
    for (const path of absent) {
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
