import {
  createBlockWriter,
  distanceMost,
  distanceSymbol,
  lengthSymbol,
  matchMost,
  tokensInBlock,
} from '../../deflate/blockWriter.ts'

/** A DEFLATE encoder for tables of text. zlib's output differs between versions and processors, and an archive's bytes
 *  are somebody's ids, so the exchange brings its own. It looks for repetition in one place only, the same field of
 *  the row before, which in a CSV is where it is: that makes it fast, and deterministic by construction. Any bytes are
 *  encoded correctly; other shapes are merely encoded worse. */
export type Deflater = {
  /** Adds a piece of the text. A piece never refers to the one before it. */
  add(bytes: Uint8Array): void
  finish(): Uint8Array
}

const COMMA = 44
const NEWLINE = 10
const MATCH_LEAST = 5

/** Position of the newline that ends the row, or of the end of the text. */
function endOfRow(bytes: Uint8Array, from: number): number {
  const at = bytes.indexOf(NEWLINE, from)
  return at < 0 ? bytes.length : at
}

export function createDeflater(): Deflater {
  const { tokens, literalUse, distanceUse, endBlock, finish } = createBlockWriter()

  const add = (bytes: Uint8Array): void => {
    const end = bytes.length
    const queue = tokens
    const literals = literalUse
    const distances = distanceUse
    let here = 0
    let above = -1 // where the row before has the byte this row has at `here`; -1 in the first row
    let rowStart = 0
    let rowEnd = endOfRow(bytes, 0)
    let count = 0
    while (here < end) {
      if (count > tokensInBlock - 2) {
        endBlock(count)
        count = 0
      }
      const byte = bytes[here]!
      // Reading past the end would be harmless and would make every read of this loop slower.
      if (above >= 0 && bytes[above] === byte && here + MATCH_LEAST < end) {
        let length = 1
        const most = Math.min(matchMost, end - here)
        while (length < most && bytes[above + length] === bytes[here + length]) length++
        const distance = here - above
        if (length >= MATCH_LEAST && distance < distanceMost) {
          queue[count++] = (length << 16) | distance
          literals[257 + lengthSymbol[length]!]!++
          distances[distanceSymbol(distance)]!++
          here += length
          above += length
          // The match may run on into the next row: its fields then sit over the row after `above`.
          while (here > rowEnd) {
            rowStart = rowEnd + 1
            rowEnd = endOfRow(bytes, rowStart)
          }
          continue
        }
      }
      queue[count++] = byte
      literals[byte]!++
      here++
      if (here > rowEnd) {
        above = rowStart
        rowStart = here
        rowEnd = endOfRow(bytes, here)
      } else if (above >= 0) {
        const over = bytes[above]!
        if (byte === COMMA) {
          // Step to just behind the same comma above, however long the field there was.
          while (above < rowStart && bytes[above] !== COMMA && bytes[above] !== NEWLINE) above++
          if (bytes[above] === COMMA) above++
        } else if (over !== COMMA && over !== NEWLINE) {
          above++
        }
      }
    }
    endBlock(count)
  }

  return { add, finish }
}
