import { crc32, inflateRawSync } from 'node:zlib'
import { Fault } from './fault.ts'

const endSignature = 0x06054b50
const entrySignature = 0x02014b50
const localSignature = 0x04034b50
const endSizeBytes = 22
const commentSizeBytesMax = 65_535

/** The one file of a zip that holds exactly one, as the venue's archives do. Sizes, names and the checksum are those
 *  the zip's directory declares, and what does not agree with them is refused: a zip can lie about all of it. */
export function readSingleFileZip(
  bytes: Uint8Array,
  where: string,
  sizeBytesMax = 2 ** 31,
): { readonly name: string; readonly bytes: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const bad = (what: string): Fault =>
    new Fault({
      code: 'failed',
      what: `this zip is not what it should be: ${what}`,
      where,
      todo: 'fetch it again with --refresh',
    })

  const end = findEnd(view)
  if (end < 0) throw bad('it has no directory at its end; it may be cut off')
  const entryCount = view.getUint16(end + 10, true)
  if (entryCount !== 1) throw bad(`it holds ${entryCount} files where one belongs`)
  const entry = view.getUint32(end + 16, true)
  if (entry + 46 > end || view.getUint32(entry, true) !== entrySignature) throw bad('its directory points nowhere')

  const flags = view.getUint16(entry + 8, true)
  const method = view.getUint16(entry + 10, true)
  const checksum = view.getUint32(entry + 16, true)
  const packedSizeBytes = view.getUint32(entry + 20, true)
  const sizeBytes = view.getUint32(entry + 24, true)
  const nameSizeBytes = view.getUint16(entry + 28, true)
  const local = view.getUint32(entry + 42, true)
  if ((flags & 1) !== 0) throw bad('it is encrypted')
  if (method !== 0 && method !== 8) throw bad(`its packing method is ${method}`)
  if (sizeBytes > sizeBytesMax) throw bad(`it unpacks to ${sizeBytes} bytes, more than ${sizeBytesMax}`)
  if (entry + 46 + nameSizeBytes > end) throw bad('the name in its directory is cut off')
  const name = new TextDecoder().decode(bytes.subarray(entry + 46, entry + 46 + nameSizeBytes))
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) throw bad(`it names its file ${JSON.stringify(name)}`)

  if (local + 30 > entry || view.getUint32(local, true) !== localSignature)
    throw bad('its file does not begin where the directory says')
  const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true)
  if (from + packedSizeBytes > entry) throw bad('its file is cut off')
  const packed = bytes.subarray(from, from + packedSizeBytes)
  let unpacked: Uint8Array
  try {
    unpacked = method === 0 ? packed : inflateRawSync(packed, { maxOutputLength: Math.max(sizeBytes, 1) })
  } catch (cause) {
    throw bad(`its file does not unpack (${(cause as Error).message})`)
  }
  if (unpacked.length !== sizeBytes) throw bad(`it unpacks to ${unpacked.length} bytes and declares ${sizeBytes}`)
  if (crc32(unpacked) !== checksum) throw bad('the checksum of its file is wrong')
  return { name, bytes: unpacked }
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
