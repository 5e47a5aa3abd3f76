import { closeSync, fsync, fsyncSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf, writeFault } from './ioFault.ts'

/** Makes the names inside a folder durable: a created or renamed file survives a power cut only after this. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Flushes one file or folder without blocking the thread. */
export function flushPath(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Opening and closing cost a few microseconds; handing them to the thread pool would cost more than it frees.
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch (error) {
      reject(error)
      return
    }
    fsync(fd, (error) => {
      closeSync(fd)
      if (error) reject(writeFault(error, path))
      else resolve()
    })
  })
}

export function ensureFolder(path: string): void {
  try {
    mkdirSync(path)
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return
    if (errnoOf(error) !== 'ENOENT') throw writeFault(error, path)
    ensureFolder(dirname(path))
    ensureFolder(path)
  }
}
