import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { canonicalJson } from '../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../cas/digest.ts'
import { errnoOf, isGone } from '../cas/ioFault.ts'
import type { Finding, Sample, VerifyLevel } from './verifyReport.ts'

/** What an interrupted verify had done, as lines of JSON: a head that says of what, then one line for each unit with its
 *  findings. A torn last line is a unit that is checked again. */
export class VerifyProgress {
  readonly #path: string | undefined
  readonly #done = new Set<string>()
  readonly #findings: Finding[] = []
  #last: string | undefined

  constructor(
    path: string | undefined,
    about: { readonly id: Digest; readonly level: VerifyLevel; readonly sample: Sample | undefined },
  ) {
    this.#path = path
    if (path === undefined) return
    const head = canonicalJson({
      format: 1,
      id: about.id,
      level: about.level,
      sample: about.sample === undefined ? null : { ...about.sample },
    })
    const lines = readLines(path)
    // Progress on another snapshot, level or sample says nothing about this one.
    if (lines[0] !== head) {
      writeIfRoom(() => writeFileSync(path, `${head}\n`))
      return
    }
    for (const line of lines.slice(1)) this.#adopt(line)
  }

  /** Units done earlier. */
  has(unit: string): boolean {
    return this.#done.has(unit)
  }

  get resumed(): number {
    return this.#done.size
  }

  /** The unit that was noted last, for levels that go through theirs in order. */
  get last(): string | undefined {
    return this.#last
  }

  /** What the earlier verify found in them. */
  get findings(): readonly Finding[] {
    return this.#findings
  }

  note(unit: string, findings: readonly Finding[]): void {
    const path = this.#path
    if (path !== undefined) writeIfRoom(() => appendFileSync(path, `${JSON.stringify({ unit, findings })}\n`))
  }

  /** Nothing is left to resume. */
  finish(): void {
    if (this.#path !== undefined) rmSync(this.#path, { force: true })
  }

  #adopt(line: string): void {
    try {
      const { unit, findings } = JSON.parse(line) as { unit: unknown; findings: unknown }
      if (typeof unit !== 'string' || !Array.isArray(findings)) return
      this.#done.add(unit)
      this.#last = unit
      this.#findings.push(...(findings as Finding[]))
    } catch {
      // Torn by whatever interrupted it.
    }
  }
}

/** On a full disk a verify goes on: what it could not note would only be checked again. */
function writeIfRoom(write: () => void): void {
  try {
    write()
  } catch (error) {
    if (errnoOf(error) !== 'ENOSPC' && errnoOf(error) !== 'EDQUOT') throw error
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** Whether a unit belongs to a sample. */
export function isSampled(unit: string, sample: Sample | undefined): boolean {
  return sample === undefined || Number.parseInt(digestOf(sample.seed + unit).slice(0, 8), 16) < sample.share * 2 ** 32
}
