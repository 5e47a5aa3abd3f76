/** A part of a text file, and where it is likely to repeat itself. */
export type TextPiece = {
  readonly bytes: Uint8Array
  /** Pairs of a position and an earlier one, ascending by the first: from there on the text may read as it did there.
   *  Only a hint. Absent where nobody knew: then the rows are looked through. */
  readonly echoes?: Int32Array
}

const COMMA = 44
const NEWLINE = 10

/** The echoes of a CSV: each field sits below the same one of the row before, separator included. */
export function rowEchoes(bytes: Uint8Array): Int32Array {
  let separators = 0
  for (let i = 0; i < bytes.length; i++) if (bytes[i] === COMMA || bytes[i] === NEWLINE) separators++
  const echoes = new Int32Array(2 * separators)
  let count = 0
  // The separator above, which moves with the fields; -1 where the row above is over, or there is none.
  let above = -1
  let rowStart = -1
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === NEWLINE) {
      above = rowStart
      rowStart = i
    } else if (byte === COMMA) {
      if (above >= 0) {
        do above++
        while (bytes[above] !== COMMA && bytes[above] !== NEWLINE)
        if (bytes[above] === NEWLINE) above = -1
      }
    } else {
      continue
    }
    if (above < 0) continue
    echoes[count++] = i
    echoes[count++] = above
  }
  return echoes.subarray(0, count)
}
