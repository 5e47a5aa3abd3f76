import { crc32 } from 'node:zlib'
import { createDeflater } from './deflate.ts'
import type { TextPiece } from './textPiece.ts'

const FIXED_TIME = 0
const FIXED_DATE = ((2020 - 1980) << 9) | (1 << 5) | 1 // 2020-01-01: a real date would be one more thing to differ

/** A zip with one deflated file, the way the archive bucket holds them. The same pieces give the same bytes. */
export function zipOf(fileName: string, pieces: Iterable<TextPiece>): Uint8Array {
  return inOneGo(zipSteps(fileName, pieces))
}

export function inOneGo<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** The same with a pause after each piece, in which others may have their turn. */
export function* zipSteps(fileName: string, pieces: Iterable<TextPiece>): Generator<void, Uint8Array> {
  const deflater = createDeflater()
  let crc = 0
  let size = 0
  for (const piece of pieces) {
    deflater.add(piece)
    crc = crc32(piece.bytes, crc)
    size += piece.bytes.length
    yield
  }
  const body = deflater.finish()
  const name = new TextEncoder().encode(fileName)
  const zip = new Uint8Array(30 + name.length + body.length + 46 + name.length + 22)
  const view = new DataView(zip.buffer)
  const common = (at: number): void => {
    view.setUint16(at, 20, true) // needs version 2.0
    view.setUint16(at + 4, 8, true) // deflated
    view.setUint16(at + 6, FIXED_TIME, true)
    view.setUint16(at + 8, FIXED_DATE, true)
    view.setUint32(at + 10, crc, true)
    view.setUint32(at + 14, body.length, true)
    view.setUint32(at + 18, size, true)
    view.setUint16(at + 22, name.length, true)
  }
  view.setUint32(0, 0x04034b50, true)
  common(4)
  zip.set(name, 30)
  zip.set(body, 30 + name.length)
  const directory = 30 + name.length + body.length
  view.setUint32(directory, 0x02014b50, true)
  view.setUint16(directory + 4, 20, true)
  common(directory + 6)
  zip.set(name, directory + 46)
  const end = directory + 46 + name.length
  view.setUint32(end, 0x06054b50, true)
  view.setUint16(end + 8, 1, true)
  view.setUint16(end + 10, 1, true)
  view.setUint32(end + 12, end - directory, true)
  view.setUint32(end + 16, directory, true)
  return zip
}
