import { writeFileSync } from 'node:fs'
import { Fault } from '../../lib/fault.ts'

/** Writes a file that somebody named on the command line: where that cannot be done, it is a fact and no bug. */
export function writeAsked(path: string, bytes: Uint8Array | string): void {
  try {
    writeFileSync(path, bytes)
  } catch (cause) {
    throw cannotWrite(path, cause)
  }
}

/** What the system said of a file or stream that was asked for. */
export function cannotWrite(where: string, cause: unknown): Fault {
  const { code, message } = cause as NodeJS.ErrnoException
  return new Fault({
    code: 'failed',
    what: says[code ?? ''] ?? `it cannot be written: ${message}`,
    where,
    todo: isFull(code) ? 'make room, or write elsewhere' : 'name a place that can be written',
    cause,
  })
}

const isFull = (code: string | undefined): boolean => code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'

/** A disk that is full, wherever that was noticed, is no bug of ours. */
export function diskFault(error: unknown): Fault | undefined {
  const { code, path } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  return isFull(code) || code === 'EROFS' ? cannotWrite(path ?? 'a file', error) : undefined
}

const says: Readonly<Record<string, string>> = {
  ENOENT: 'it cannot be written: there is no such folder',
  ENOTDIR: 'it cannot be written: there is no such folder',
  EISDIR: 'it cannot be written: it is a folder',
  EACCES: 'it cannot be written: that is not permitted',
  EPERM: 'it cannot be written: that is not permitted',
  EROFS: 'it cannot be written: its disk is for reading only',
  ENOSPC: 'it could not be written to its end: the disk is full',
  EDQUOT: 'it could not be written to its end: the quota of the disk is used up',
  EFBIG: 'it could not be written to its end: no file may be that large here',
}
