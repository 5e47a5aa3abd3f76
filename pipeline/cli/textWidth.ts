/** How many terminal cells text takes, and how to cut and pad by cells. Escape sequences take none. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
const escapeSequence = /\x1b\[[0-9;?]*[A-Za-z]/y

/** East Asian wide and emoji blocks take two cells; combining marks and joiners take none. */
function cellsOf(codePoint: number): number {
  if (codePoint < 0x300) return codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0) ? 0 : 1
  if (
    (codePoint >= 0x300 && codePoint <= 0x36f) ||
    codePoint === 0x200d ||
    (codePoint >= 0xfe00 && codePoint <= 0xfe0f)
  )
    return 0
  const wide =
    (codePoint >= 0x1100 && codePoint <= 0x115f) ||
    (codePoint >= 0x2e80 && codePoint <= 0xa4cf) ||
    (codePoint >= 0xac00 && codePoint <= 0xd7a3) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0xfe30 && codePoint <= 0xfe6f) ||
    (codePoint >= 0xff00 && codePoint <= 0xff60) ||
    (codePoint >= 0xffe0 && codePoint <= 0xffe6) ||
    (codePoint >= 0x1f300 && codePoint <= 0x1faff) ||
    (codePoint >= 0x20000 && codePoint <= 0x3fffd)
  return wide ? 2 : 1
}

export function textWidth(text: string): number {
  let cells = 0
  for (let i = 0; i < text.length; ) {
    const escapeLength = escapeLengthAt(text, i)
    if (escapeLength > 0) {
      i += escapeLength
      continue
    }
    const codePoint = text.codePointAt(i)!
    cells += cellsOf(codePoint)
    i += codePoint > 0xffff ? 2 : 1
  }
  return cells
}

/** Cuts to `cells` with an ellipsis; a colour that was open at the cut is closed. */
export function cutText(text: string, cells: number): string {
  if (cells <= 0) return ''
  if (textWidth(text) <= cells) return text
  let kept = ''
  let used = 0
  let coloured = false
  for (let i = 0; i < text.length; ) {
    const escapeLength = escapeLengthAt(text, i)
    if (escapeLength > 0) {
      kept += text.slice(i, i + escapeLength)
      coloured = true
      i += escapeLength
      continue
    }
    const codePoint = text.codePointAt(i)!
    if (used + cellsOf(codePoint) > cells - 1) break
    used += cellsOf(codePoint)
    kept += String.fromCodePoint(codePoint)
    i += codePoint > 0xffff ? 2 : 1
  }
  return `${kept}…${coloured ? '\x1b[0m' : ''}`
}

/** Cuts the middle out, so that both the family and the last parameter of a long address stay readable. */
export function cutMiddle(text: string, cells: number): string {
  if (textWidth(text) <= cells) return text
  if (cells <= 1) return cutText(text, cells)
  const points = [...text]
  const head = Math.ceil((cells - 1) / 2)
  const tail = cells - 1 - head
  return `${points.slice(0, head).join('')}…${tail > 0 ? points.slice(-tail).join('') : ''}`
}

export function padEnd(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - textWidth(text)))
}

export function padStart(text: string, cells: number): string {
  return ' '.repeat(Math.max(0, cells - textWidth(text))) + text
}

function escapeLengthAt(text: string, index: number): number {
  if (text.charCodeAt(index) !== 0x1b) return 0
  escapeSequence.lastIndex = index
  return escapeSequence.exec(text)?.[0].length ?? 0
}

/** Lines of so many cells at most, broken between words; a longer word has a line to itself. */
export function wrapText(text: string, cells: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && textWidth(line) + 1 + textWidth(word) > cells) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    return [...lines, line]
  })
}
