const COMMA = 44
const NEWLINE = 10
const DOT = 46
const MINUS = 45

/**
 * Whether a file of bars, as text, plainly has a row for every bar of [fromTsMs, toTsMs), in order, each with as many
 * fields of digits as the others. It costs a fraction of reading the numbers, and most archives of whole months are so;
 * for all others, or in any doubt, the answer is no, and whoever asked has to look closely.
 */
export function coversGrid(text: Uint8Array, fromTsMs: number, toTsMs: number, intervalMs: number): boolean {
  const end = text.length
  if (end === 0 || text[end - 1] !== NEWLINE) return false
  // A header begins with a letter.
  let at = text[0]! > 57 ? text.indexOf(NEWLINE) + 1 : 0
  let fieldsPerRow = 0
  let tsMs = fromTsMs
  for (; at < end; tsMs += intervalMs) {
    const start = at
    let opens = 0
    while (at < end && text[at]! >= 48 && text[at]! <= 57) opens = opens * 10 + (text[at++]! - 48)
    // Milliseconds have thirteen digits, microseconds sixteen.
    if (opens !== (at - start === 16 ? tsMs * 1000 : tsMs) || text[at] !== COMMA) return false
    let fields = 1
    let before = 48
    for (; at < end; at++) {
      const byte = text[at]!
      if (byte >= 48 && byte <= 57) {
        before = byte
        continue
      }
      if (byte === COMMA || byte === NEWLINE) {
        // An empty field.
        if (before === COMMA) return false
        if (byte === NEWLINE) break
        fields++
      } else if (byte === MINUS ? before !== COMMA : byte !== DOT) return false
      before = byte
    }
    if (fieldsPerRow === 0) fieldsPerRow = fields
    if (fields !== fieldsPerRow) return false
    at++
  }
  return tsMs === toTsMs
}
