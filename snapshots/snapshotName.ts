import { nameCollision, nameProblem } from '../cas/artifact.ts'
import { Fault } from '../lib/fault.ts'

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A name becomes a folder, a file name in bundles and a word on the command line: only what is safe in all of them. */
export function checkSnapshotName(name: string): string {
  const problem = plainName.test(name) ? nameProblem(name) : 'is not a plain name'
  if (problem === undefined) return name
  throw new Fault({
    code: 'usage',
    what: `the snapshot name ${JSON.stringify(name.slice(0, 100))} ${problem}`,
    todo: 'use up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit',
  })
}

/** `X` and `x` are one folder on some filesystems, so a root never holds both. */
export function checkNameIsApart(name: string, others: readonly string[]): void {
  const twin = others.find((other) => other !== name && nameCollision([other, name]) !== undefined)
  if (twin === undefined) return
  throw new Fault({
    code: 'refused',
    what: `the snapshot name ${name} differs only in case from ${twin}, which exists`,
    where: name,
    todo: `choose another name, or say ${twin}`,
  })
}
