import type { EditedText } from './editedText.ts'

/** Where the lines of a module's code come from: for each line a flat list of pairs (column in the code, line of the
 *  source), one for each change of source line. Lines count from 1, columns from 0. Columns of the source would make
 *  the map five times as big, and a line is what a reader looks for. */
export type LineMap = readonly (readonly number[])[]

/** A point of a source map: offset in the generated code; source by its number, line and column there. */
export interface MapPoint {
  readonly offset: number
  readonly source: number
  readonly line: number
  readonly column: number
}

const base64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digitOf = new Map([...base64].map((char, digit) => [char, digit]))

/** Reads the `mappings` of a source map (ECMA-426). */
export function readMappings(mappings: string, code: string): MapPoint[] {
  const points: MapPoint[] = []
  let at = 0
  let lineStart = 0
  let [offset, source, line, column] = [0, 0, 0, 0]
  const isEnd = () => at >= mappings.length || mappings[at] === ',' || mappings[at] === ';'
  const number = () => {
    let value = 0
    for (let shift = 0; ; shift += 5) {
      const digit = digitOf.get(mappings[at++]!) ?? 0
      value |= (digit & 31) << shift
      if (digit < 32) return value & 1 ? -(value >>> 1) : value >>> 1
    }
  }
  while (at < mappings.length) {
    if (mappings[at] === ';') {
      at++
      offset = 0
      lineStart = code.indexOf('\n', lineStart) + 1
    } else if (mappings[at] === ',') {
      at++
    } else {
      offset += number()
      if (isEnd()) continue // a segment without a source
      source += number()
      line += number()
      column += number()
      if (!isEnd()) number() // the index of a name
      points.push({ offset: lineStart + offset, source, line: line + 1, column })
    }
  }
  return points
}

/** The line map of a text that was joined from pieces of the code the points are about. */
export function makeLineMap(pieces: readonly EditedText[], separator: string, points: readonly MapPoint[]): LineMap {
  const starts = lineStarts(pieces.map(({ text }) => text).join(separator))
  const lines: number[][] = starts.map(() => [])
  let base = 0
  for (const { text, kept } of pieces) {
    for (const run of kept) {
      for (let p = firstAtOrAfter(points, run.from); p < points.length; p++) {
        const { offset, line } = points[p]!
        if (offset >= run.from + run.length) break
        const at = base + run.at + (offset - run.from)
        const row = rowOf(starts, at)
        const pairs = lines[row]!
        if (pairs.at(-1) !== line) pairs.push(at - starts[row]!, line)
      }
    }
    base += text.length + separator.length
  }
  return lines
}

/** The source line of a position in the code, if it has one. */
export function sourceLine(map: LineMap, line: number, column: number): number | undefined {
  const pairs = map[line - 1] ?? []
  let i = 0
  while (i + 2 < pairs.length && pairs[i + 2]! <= column) i += 2
  return pairs[i + 1]
}

/** The point at or before an offset of the code. */
export function pointAt(points: readonly MapPoint[], offset: number): MapPoint | undefined {
  const next = firstAtOrAfter(points, offset)
  return points[next]?.offset === offset ? points[next] : points[next - 1]
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

function firstAtOrAfter(points: readonly MapPoint[], offset: number): number {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (points[middle]!.offset < offset) low = middle + 1
    else high = middle
  }
  return low
}

function rowOf(starts: readonly number[], at: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= at) low = middle
    else high = middle - 1
  }
  return low
}
