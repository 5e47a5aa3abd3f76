import type { LineMap } from './lineMap.ts'

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** A source map (ECMA-426) for a module of linked code, for debuggers. It is put to the text that is compiled and is no part
 *  of the code object: its identity stays what it is.
 *  @param shift characters that stand before the code in its first line; they are taken for its first statement */
export function sourceMapJson(lines: LineMap, source: { url: string; text: string }, shift: number): string {
  let lastLine = 0
  const segment = (column: number, line: number) => {
    const text = `${number(column)}A${number(line - lastLine)}A`
    lastLine = line
    return text
  }
  const firstLine = lines.flat().find((_, i) => i % 2 === 1) ?? 1
  const mappings = lines.map((pairs, row) => {
    const segments: string[] = row === 0 ? [segment(0, firstLine - 1)] : []
    let column = 0
    for (let i = 0; i < pairs.length; i += 2) {
      const at = pairs[i]! + (row === 0 ? shift : 0)
      segments.push(segment(at - column, pairs[i + 1]! - 1))
      column = at
    }
    return segments.join(',')
  })
  const { url, text } = source
  return JSON.stringify({ version: 3, sources: [url], sourcesContent: [text], names: [], mappings: mappings.join(';') })
}

/** Five bits at a time, the lowest bit of all being the sign. */
function number(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += base64[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return text
}
