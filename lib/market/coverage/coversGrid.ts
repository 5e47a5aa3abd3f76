const COMMA = 44
const NEWLINE = 10
const DOT = 46
const MINUS = 45

/** Words are read up to here behind a row. */
const slack = 4

/** No row of bars is as long: what goes on without an end is not kept in search of it. */
const rowBytesMax = 1 << 20

/**
 * Whether a file of bars, as pieces of text, plainly has a row for every bar of [fromTsMs, toTsMs), in order, each with as
 * many fields of digits as the others. It costs a fraction of reading the numbers, and most archives of whole months are
 * so; for all others, or in any doubt, the answer is no, and whoever asked has to look closely. After a no the rest of the
 * pieces is not asked for.
 */
export function coversGrid(
  pieces: Iterable<Uint8Array>,
  fromTsMs: number,
  toTsMs: number,
  intervalMs: number,
): boolean {
  // Rows, and behind them the beginning of one whose end is in the next piece.
  let text = new Uint8Array(0)
  let view = new DataView(text.buffer)
  let held = 0
  let isBegun = false
  let fieldsPerRow = 0
  let tsMs = fromTsMs
  for (const piece of pieces) {
    const to = held + piece.length
    if (to + slack > text.length) {
      const larger = new Uint8Array(2 * to + slack)
      larger.set(text.subarray(0, held))
      text = larger
      view = new DataView(text.buffer)
    }
    text.set(piece, held)
    const end = held + piece.lastIndexOf(NEWLINE) + 1
    if (end === held) {
      if (to > rowBytesMax) return false
      held = to
      continue
    }
    // A header begins with a letter.
    let at = isBegun || text[0]! <= 57 ? 0 : text.indexOf(NEWLINE) + 1
    isBegun = true
    for (; at < end; tsMs += intervalMs) {
      if (fieldsPerRow === 0) fieldsPerRow = fieldsIn(text.subarray(at, text.indexOf(NEWLINE, at)))
      at = endOfRow(text, view, at, tsMs, fieldsPerRow)
      if (at < 0) return false
    }
    text.copyWithin(0, end, to)
    held = to - end
  }
  // A file that is empty, or that ends within a row, is none of these.
  return isBegun && held === 0 && tsMs === toTsMs
}

const fieldsIn = (row: Uint8Array): number => row.reduce((count, byte) => count + (byte === COMMA ? 1 : 0), 1)

/**
 * Where the row at `start` ends, or -1 if it is not the one that is looked for. A newline follows somewhere. This is a function
 * of its own because V8 makes nothing good of a loop that runs for long in a function that is seldom called.
 */
function endOfRow(text: Uint8Array, view: DataView, start: number, tsMs: number, fields: number): number {
  let at = start
  let opens = 0
  while (text[at]! >= 48 && text[at]! <= 57) opens = opens * 10 + (text[at++]! - 48)
  // Milliseconds have thirteen digits, microseconds sixteen.
  if (opens !== (at - start === 16 ? tsMs * 1000 : tsMs) || text[at] !== COMMA) return -1
  let left = fields - 1
  let afterComma = 0
  for (;;) {
    // Four bytes at once, where they are digits, points and commas: where a field ends the processor cannot foresee, and to
    // guess wrong at every one of them costs more than all else.
    const word = view.getInt32(at, true)
    const beyond = (word | ~(word + 0x54545454) | (word + 0x46464646)) & 0x80808080 // any not from ',' to '9'
    const minusOrSlash = word & ~(word >>> 4) & 0x01010101
    if ((beyond | minusOrSlash) === 0) {
      const commas = ~((word >>> 4) | (word >>> 1)) & 0x01010101
      // An empty field.
      if ((((commas << 8) | afterComma) & commas) !== 0) return -1
      left -= Math.imul(commas, 0x01010101) >>> 24
      afterComma = commas >>> 24
      at += 4
      continue
    }
    for (const next = at + 4; at < next; ) {
      const byte = text[at++]!
      if (byte === NEWLINE) return afterComma === 0 && left === 0 ? at : -1
      if (byte === COMMA) {
        if (afterComma === 1) return -1
        afterComma = 1
        left--
        continue
      }
      if (byte === MINUS ? afterComma === 0 : byte !== DOT && (byte < 48 || byte > 57)) return -1
      afterComma = 0
    }
  }
}
