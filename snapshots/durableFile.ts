import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { writeFault } from '../cas/ioFault.ts'

/** Writes a new file whose bytes survive a power cut; its name does once its folder is flushed. */
export function writeDurably(path: string, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  try {
    const fd = openSync(path, 'wx', 0o644)
    try {
      for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done, bytes.byteLength - done)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    throw writeFault(error, path)
  }
}
