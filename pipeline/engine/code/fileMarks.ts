import { readFileSync, statSync } from 'node:fs'
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

  /** Undefined where there is no file. */
  signatureOf(path: string): string | undefined {
    if (!this.#signatures.has(path)) this.#signatures.set(path, signatureOf(path))
    return this.#signatures.get(path)
  }

  unchanged(mark: FileMark): boolean {
    const signature = this.signatureOf(mark.path) ?? absentSignature
    if (signature === mark.signature) return true
    return signature !== absentSignature && mark.digest !== undefined && this.#digestOf(mark.path) === mark.digest
  }

  /** Marks files, and paths where there is none, for a later look. Undefined when one of them is gone, or was written so lately that a reader which
   *  began at `sinceMs` may have seen it before the write: what was derived from it is then not worth keeping. */
  markAll(paths: Iterable<string>, absent: Iterable<string>, sinceMs: number): FileMark[] | undefined {
    const marks: FileMark[] = []
    for (const path of absent) {
      if (this.signatureOf(path) !== undefined) return undefined
      marks.push({ path, signature: absentSignature })
    }
    for (const path of paths) {
      const stat = statSync(path, { throwIfNoEntry: false })
      // File times come from a coarse clock: a write may look some milliseconds older than it is.
      if (stat === undefined || stat.ctimeMs > sinceMs - 20) return undefined
      const signature = this.signatureOf(path)
      const digest = this.#digestOf(path)
      if (signature === undefined || digest === undefined) return undefined
      marks.push({ path, signature, digest })
    }
    return marks
  }

  #digestOf(path: string): Digest | undefined {
    if (!this.#digests.has(path)) {
      let digest: Digest | undefined
      try {
        digest = digestOf(readFileSync(path))
      } catch {
        digest = undefined // gone, or no file
      }
      this.#digests.set(path, digest)
    }
    return this.#digests.get(path)
  }
}

export function signatureOf(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`
}
