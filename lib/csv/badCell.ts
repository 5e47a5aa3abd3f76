import { Fault } from '../fault.ts'

/** A cell or line that cannot be read. Lines count from 1, header included; offsets are from the start of the file. */
export type BadCell = {
  readonly file: string
  readonly line: number
  /** The header name of the field, absent where the line as a whole is wrong. */
  readonly field: string | undefined
  readonly byteOffset: number
  /** The first characters of what stands there. */
  readonly text: string
  /** Reads on behind the field's name: `is empty`, `is not a number`. */
  readonly why: string
}

export function badCellFault(bad: BadCell): Fault {
  const { file, line, field, byteOffset, text, why } = bad
  const cell = field === undefined ? why : `${field} ${why}`
  return new Fault({
    code: 'failed',
    what: `${cell}, at byte ${byteOffset}${text === '' ? '' : `: ${JSON.stringify(text)}`}`,
    where: `${file}:${line}`,
    todo: 'look at that line; if the file is as the venue published it, let the audit quarantine or tag it',
    details: { ...bad },
  })
}
