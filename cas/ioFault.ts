import { Fault } from '../lib/fault.ts'

export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}

export function isGone(error: unknown): boolean {
  const errno = errnoOf(error)
  return errno === 'ENOENT' || errno === 'ENOTDIR'
}

/** Turns a failed write into what the user can do about it. Whatever is no fact of the disk passes through. */
export function writeFault(error: unknown, path: string): unknown {
  switch (errnoOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Fault({
        code: 'noStore',
        what: 'the disk of the store is full',
        where: path,
        todo: 'free some space ("pipe gc" shows what the store can give back), then run the same command again: what was finished is kept',
        cause: error,
      })
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new Fault({
        code: 'noStore',
        what: 'the store cannot be written',
        where: path,
        todo: 'check who owns it and how it is mounted, or name another store with --root',
        cause: error,
      })
    default:
      return error
  }
}
