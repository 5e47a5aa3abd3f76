import { fstatSync, writeSync } from 'node:fs'
import { Writable } from 'node:stream'
import { isatty } from 'node:tty'

/** Standard output or error where it is a file or a device such as /dev/full. Node's own stream for these writes once and
 *  takes a short write, which is how a disk that is almost full answers, for a whole one. */
export function fileOut(fd: number): Writable | undefined {
  if (!isFile(fd)) return undefined
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      try {
        for (let written = 0; written < chunk.length; ) written += writeSync(fd, chunk, written)
      } catch (error) {
        done(error as Error)
        return
      }
      done()
    },
  })
}

function isFile(fd: number): boolean {
  try {
    const stat = fstatSync(fd)
    return stat.isFile() || (stat.isCharacterDevice() && !isatty(fd))
  } catch {
    return false // closed before we began
  }
}
