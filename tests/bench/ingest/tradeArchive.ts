import { closeSync, openSync, writeSync } from 'node:fs'
import { crc32, deflateRawSync } from 'node:zlib'

/** First trade of the file: a day of contracts, whose files have a header and count milliseconds. */
export const archiveFromTsMs = Date.UTC(2024, 2, 5)
export const archiveSymbol = 'BTCUSDT'
export const archiveName = `${archiveSymbol}-trades-2024-03-05.zip`

const rowsAtOnce = 100_000

/** What a day of a big contract's trades looks like: bursts within a millisecond, prices that stay or move by some
 *  ticks, a few popular sizes and many odd ones. Integer arithmetic alone, so that every machine measures the same file. */
function* tradeLines(rowCount: number): Generator<string, void, undefined> {
  let state = 1
  const below = (limit: number) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 4_294_967_296) * limit)
  }
  yield 'id,price,qty,quote_qty,time,is_buyer_maker\n'
  // However many trades there are, they fill one day.
  const gapMs = (0.98 * 86_400_000) / rowCount
  let [ticks, sinceMs, isSell] = [631_234, 0, 0]
  let text = ''
  for (let row = 0; row < rowCount; row++) {
    // A taker's order fills several makers' at once: the same instant, side, and mostly price.
    if (below(10) < 5) {
      sinceMs += -Math.log((below(1 << 24) + 1) / (1 << 24)) * 2 * gapMs
      if (below(10) < 3) isSell = 1 - isSell
      if (below(3) === 0) ticks += below(5) - 2 + (below(40) === 0 ? below(41) - 20 : 0)
    } else if (below(8) === 0) ticks += isSell === 1 ? -1 : 1
    const lots = below(4) === 0 ? [2, 5, 8, 10, 100, 1000][below(6)]! : 1 + below(1 << (2 + below(11)))
    const [price, qty] = [decimal(ticks, 1), decimal(lots, 3)]
    text += `${4_700_000_000 + row},${price},${qty},${decimal(ticks * lots, 4)},${archiveFromTsMs + Math.min(86_399_999, Math.floor(sinceMs))},${isSell === 1}\n`
    if (row % rowsAtOnce === rowsAtOnce - 1) {
      yield text
      text = ''
    }
  }
  if (text !== '') yield text
}

const decimal = (scaled: number, digits: number): string => {
  const text = String(scaled).padStart(digits + 1, '0')
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** Writes the archive in the venue's form, in memory that does not grow with it: deflate streams may be put in a row
 *  where each but the last ends without saying so. Returns the size of the text inside. */
export function writeTradeArchive(path: string, rowCount: number): number {
  const file = openSync(path, 'w')
  const name = Buffer.from(archiveName.replace('.zip', '.csv'))
  let [at, crc, sizeBytes, packedBytes] = [0, 0, 0, 0]
  const write = (bytes: Uint8Array) => {
    at += writeSync(file, bytes, 0, bytes.length, at)
  }
  try {
    at = 30 + name.length
    for (const lines of tradeLines(rowCount)) {
      const bytes = Buffer.from(lines)
      // A full flush ends on a byte, and so that the next piece can follow it.
      const packed = deflateRawSync(bytes, { finishFlush: 3 })
      crc = crc32(bytes, crc)
      sizeBytes += bytes.length
      packedBytes += packed.length
      write(packed)
    }
    // An empty last block.
    write(Uint8Array.of(3, 0))
    packedBytes += 2
    const directoryAt = at
    const fields = (entry: Buffer, from: number) => {
      entry.writeUInt16LE(20, from)
      entry.writeUInt16LE(8, from + 4)
      entry.writeUInt32LE(crc, from + 10)
      entry.writeUInt32LE(packedBytes, from + 14)
      entry.writeUInt32LE(sizeBytes, from + 18)
      entry.writeUInt16LE(name.length, from + 22)
    }
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    fields(local, 4)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    fields(entry, 6)
    const end = Buffer.alloc(22)
    end.writeUInt32LE(0x06054b50, 0)
    end.writeUInt16LE(1, 8)
    end.writeUInt16LE(1, 10)
    end.writeUInt32LE(entry.length + name.length, 12)
    end.writeUInt32LE(directoryAt, 16)
    write(Buffer.concat([entry, name, end]))
    writeSync(file, Buffer.concat([local, name]), 0, 30 + name.length, 0)
  } finally {
    closeSync(file)
  }
  return sizeBytes
}
