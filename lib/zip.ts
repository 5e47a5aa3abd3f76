import { crc32, inflateRawSync } from 'node:zlib'
import { Fault } from './fault.ts'
import { BadDeflate } from './inflate.ts'
import { inflatePieces } from './inflateNative.ts'

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50
const wideEndSignature = 0x06064b50
const locatorSignature = 0x07064b50
const endSizeBytes = 22
const wideEndSizeBytes = 56
const locatorSizeBytes = 20
const entrySizeBytes = 46
const localSizeBytes = 30
const commentSizeBytesMax = 65_535
/** In the place of a number that its field is too narrow for: Zip64 tells it elsewhere, in 64 bits. */
const elsewhere16 = 0xffff
const elsewhere32 = 0xffffffff
const wideExtra = 0x0001
/** What is held in memory at once. */
export const wholeSizeBytesMax = 2 ** 31
/** Some times a busy month of trades, the largest there is. */
const streamedSizeBytesMax = 2 ** 36
/** A stream of the longest matches, each in two bits: nothing that was ever packed comes out larger. */
const deflateRatioMax = 1032
/** No directory of a zip with one short name comes near this. */
const directorySizeBytesMax = 65_536
const pieceSizeBytes = 1 << 20
/** What may be set aside for a file before any of it was seen, on the word of its directory. */
const roomSizeBytesMax = 1 << 24

/** Bytes that are read in pieces: a file of an artifact, or an array. */
export type ByteSource = {
  readonly sizeBytes: number
  readAt(offset: number, lengthBytes: number): Uint8Array
}

export const bytesSource = (bytes: Uint8Array): ByteSource => ({
  sizeBytes: bytes.length,
  readAt: (offset, lengthBytes) => bytes.subarray(offset, offset + lengthBytes),
})

export type ZippedFile = {
  readonly name: string
  /** As declared; what does not come out at it is refused. */
  readonly sizeBytes: number
  /** The content in pieces, checked at its end. A piece is valid until the next one is asked for. */
  pieces(): Generator<Uint8Array, void, undefined>
}

/** The one file of a zip that holds exactly one, as the venue's archives do. Sizes, names and the checksum are those
 *  the zip's directory declares, and what does not agree with them is refused: a zip can lie about all of it. */
export function readSingleFileZip(
  bytes: Uint8Array,
  where: string,
  sizeBytesMax = wholeSizeBytesMax,
): { readonly name: string; readonly bytes: Uint8Array } {
  const entry = readEntry(bytesSource(bytes), where, sizeBytesMax)
  const { name, method, from, packedSizeBytes, sizeBytes, checksum, bad } = entry
  const packed = bytes.subarray(from, from + packedSizeBytes)
  const unpacked = method === 0 ? packed : inflateAtOnce(packed, sizeBytes, bad)
  if (unpacked.length !== sizeBytes) throw bad(`it unpacks to ${unpacked.length} bytes and declares ${sizeBytes}`)
  if (crc32(unpacked) !== checksum) throw bad('the checksum of its file is wrong')
  return { name, bytes: unpacked }
}

/** The same for files that do not fit in memory. */
export function openSingleFileZip(source: ByteSource, where: string, sizeBytesMax = streamedSizeBytesMax): ZippedFile {
  const { name, method, from, packedSizeBytes, sizeBytes, checksum, bad } = readEntry(source, where, sizeBytesMax)
  return {
    name,
    sizeBytes,
    *pieces() {
      let unpackedBytes = 0
      let crc = 0
      const packed = piecesOf(source, from, packedSizeBytes)
      try {
        for (const piece of method === 0 ? packed : inflatePieces(packed)) {
          unpackedBytes += piece.length
          if (unpackedBytes > sizeBytes) throw bad(`it unpacks to more than the ${sizeBytes} bytes it declares`)
          crc = crc32(piece, crc)
          yield piece
        }
      } catch (cause) {
        throw cause instanceof BadDeflate ? bad(`its file does not unpack: ${cause.message}`) : cause
      }
      if (unpackedBytes !== sizeBytes) throw bad(`it unpacks to ${unpackedBytes} bytes and declares ${sizeBytes}`)
      if (crc !== checksum) throw bad('the checksum of its file is wrong')
    },
  }
}

function inflateAtOnce(packed: Uint8Array, sizeBytes: number, bad: Bad): Uint8Array {
  try {
    // One byte more than declared, so that a stream that holds more is found out instead of cut. A file that fits the room
    // set aside for it comes out in one piece, which nobody has to put together.
    const chunkSize = Math.max(64, Math.min(sizeBytes + 1, roomSizeBytesMax))
    return inflateRawSync(packed, { maxOutputLength: sizeBytes + 1, chunkSize })
  } catch (cause) {
    throw bad(`its file does not unpack (${(cause as Error).message})`)
  }
}

function* piecesOf(source: ByteSource, from: number, sizeBytes: number): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < sizeBytes; at += pieceSizeBytes) {
    yield source.readAt(from + at, Math.min(pieceSizeBytes, sizeBytes - at))
  }
}

type Entry = {
  readonly name: string
  readonly method: number
  /** Where its packed bytes begin. */
  readonly from: number
  readonly packedSizeBytes: number
  readonly sizeBytes: number
  readonly checksum: number
  readonly bad: Bad
}

function readEntry(source: ByteSource, where: string, sizeBytesMax: number): Entry {
  const bad: Bad = (what) =>
    new Fault({
      code: 'failed',
      what: `this zip is not what it should be: ${what}`,
      where,
      todo: 'fetch it again with --refresh',
    })
  if (source.sizeBytes === 0) throw bad('it is empty')
  const tailAt = Math.max(0, source.sizeBytes - endSizeBytes - commentSizeBytesMax - directorySizeBytesMax)
  const tailBytes = source.readAt(tailAt, source.sizeBytes - tailAt)
  const tail = viewOf(tailBytes)
  const { entryCount, isWhole, directoryTo, directoryAt } = readEnd(tail, tailAt, (what) =>
    bad(`${what}. Its ${source.sizeBytes} bytes begin with ${beginOf(source)}`),
  )
  if (entryCount !== 1) throw bad(`it holds ${entryCount} files where one belongs`)
  if (!isWhole) throw bad('it is one part of several')
  const entry = directoryAt - tailAt
  if (entry < 0 || entry + entrySizeBytes > directoryTo || tail.getUint32(entry, true) !== entrySignature) {
    throw bad('its directory points nowhere')
  }

  const flags = tail.getUint16(entry + 8, true)
  const method = tail.getUint16(entry + 10, true)
  const checksum = tail.getUint32(entry + 16, true)
  const nameSizeBytes = tail.getUint16(entry + 28, true)
  const extraSizeBytes = tail.getUint16(entry + 30, true)
  const nameAt = entry + entrySizeBytes
  if (nameAt + nameSizeBytes + extraSizeBytes > directoryTo) throw bad('the name in its directory is cut off')
  const wide = wideNumbers(tail, nameAt + nameSizeBytes, extraSizeBytes, bad)
  // The order is the format's: only numbers that do not fit stand there, one behind the other.
  const [sizeBytes, packedSizeBytes, local] = [entry + 24, entry + 20, entry + 42].map((at) => {
    const narrow = tail.getUint32(at, true)
    return narrow === elsewhere32 ? wide.next() : narrow
  }) as [number, number, number]
  if ((flags & 1) !== 0) throw bad('it is encrypted')
  if (method !== 0 && method !== 8) throw bad(`its packing method is ${method}`)
  if (sizeBytes > sizeBytesMax) throw bad(`it unpacks to ${sizeBytes} bytes, more than ${sizeBytesMax}`)
  if (method === 0 && packedSizeBytes !== sizeBytes) throw bad('a file that is not packed has two sizes')
  if (sizeBytes > packedSizeBytes * deflateRatioMax) {
    throw bad(`${packedSizeBytes} bytes cannot unpack to the ${sizeBytes} it declares`)
  }
  const name = new TextDecoder().decode(tailBytes.subarray(nameAt, nameAt + nameSizeBytes))
  // One plain name: no folder, no drive, nothing hidden, nothing that climbs.
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) throw bad(`it names its file ${JSON.stringify(name)}`)

  const entryAt = tailAt + entry
  if (local + localSizeBytes > entryAt) throw bad('its file does not begin where the directory says')
  const head = viewOf(source.readAt(local, localSizeBytes))
  if (head.getUint32(0, true) !== localSignature) throw bad('its file does not begin where the directory says')
  const from = local + localSizeBytes + head.getUint16(26, true) + head.getUint16(28, true)
  if (from + packedSizeBytes > entryAt) throw bad('its file is cut off')
  return { name, method, from, packedSizeBytes, sizeBytes, checksum, bad }
}

const beginOf = (source: ByteSource): string =>
  Array.from(source.readAt(0, Math.min(16, source.sizeBytes)), (byte) => byte.toString(16).padStart(2, '0')).join('')

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

type Bad = (what: string) => Fault

type End = {
  readonly entryCount: number
  /** False for one of the parts a zip was cut into. */
  readonly isWhole: boolean
  /** Within the zip. */
  readonly directoryAt: number
  /** Within its tail: the directory ends before. */
  readonly directoryTo: number
}

/** What stands at the end of a zip. Numbers that do not fit there are told by a longer end before it: Zip64. */
function readEnd(tail: DataView, tailAt: number, bad: Bad): End {
  const end = findEnd(tail)
  if (end < 0) throw bad('it has no directory at its end; it may be cut off')
  const entryCount = tail.getUint16(end + 10, true)
  const directorySizeBytes = tail.getUint32(end + 12, true)
  const directoryAt = tail.getUint32(end + 16, true)
  if (entryCount !== elsewhere16 && directorySizeBytes !== elsewhere32 && directoryAt !== elsewhere32) {
    const isWhole = tail.getUint16(end + 4, true) === 0 && tail.getUint16(end + 8, true) === entryCount
    return { entryCount, isWhole, directoryAt, directoryTo: end }
  }
  const locator = end - locatorSizeBytes
  if (locator < 0 || tail.getUint32(locator, true) !== locatorSignature) {
    throw bad('its directory is told to stand elsewhere, and nothing tells where')
  }
  const wide = wideAt(tail, locator + 8, bad) - tailAt
  if (wide < 0 || wide + wideEndSizeBytes > locator || tail.getUint32(wide, true) !== wideEndSignature) {
    throw bad('the end of its directory points nowhere')
  }
  const found = {
    entryCount: wideAt(tail, wide + 32, bad),
    directorySizeBytes: wideAt(tail, wide + 40, bad),
    directoryAt: wideAt(tail, wide + 48, bad),
  }
  const agrees = (narrow: number, told: number, elsewhere: number) => narrow === elsewhere || narrow === told
  if (
    !agrees(entryCount, found.entryCount, elsewhere16) ||
    !agrees(directorySizeBytes, found.directorySizeBytes, elsewhere32) ||
    !agrees(directoryAt, found.directoryAt, elsewhere32)
  ) {
    throw bad('the two ends of its directory contradict each other')
  }
  const isWhole =
    tail.getUint32(locator + 4, true) === 0 &&
    tail.getUint32(locator + 16, true) <= 1 &&
    tail.getUint32(wide + 16, true) === 0 &&
    wideAt(tail, wide + 24, bad) === found.entryCount
  return { ...found, isWhole, directoryTo: wide }
}

/** The numbers of an entry that are told in 64 bits, in their order. */
function wideNumbers(tail: DataView, from: number, sizeBytes: number, bad: Bad): { next(): number } {
  let at = from
  let to = from
  for (let field = from; field + 4 <= from + sizeBytes; ) {
    const fieldTo = field + 4 + tail.getUint16(field + 2, true)
    if (tail.getUint16(field, true) === wideExtra && fieldTo <= from + sizeBytes) {
      at = field + 4
      to = fieldTo
      break
    }
    field = fieldTo
  }
  return {
    next: () => {
      if (at + 8 > to) throw bad('it has the form for more than 4 GB, and does not tell a size in it')
      at += 8
      return wideAt(tail, at - 8, bad)
    },
  }
}

/** No size of anything real is beyond what a number counts exactly. */
function wideAt(view: DataView, at: number, bad: Bad): number {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(`it tells a size of ${value}`)
  return Number(value)
}

/** Searched from the end, for a comment may follow it. */
function findEnd(view: DataView): number {
  const lowest = Math.max(0, view.byteLength - endSizeBytes - commentSizeBytesMax)
  for (let at = view.byteLength - endSizeBytes; at >= lowest; at--) {
    if (
      view.getUint32(at, true) === endSignature &&
      at + endSizeBytes + view.getUint16(at + 20, true) === view.byteLength
    )
      return at
  }
  return -1
}
