import { badCellFault } from './badCell.ts'
import { type CsvField, type CsvLayout, headerNames } from './layout.ts'

/** Whether a file that begins with this byte begins with a header. */
export function expectsHeader({ header = 'sniff' }: Pick<CsvLayout, 'header'>, firstByte: number): boolean {
  if (header !== 'sniff') return header === 'always'
  const isDigit = firstByte >= 48 && firstByte <= 57
  const isMinus = firstByte === 45
  return !isDigit && !isMinus
}

/** The names in a header line, checked field by field against the layout: a moved column must not be read as another. */
export function readHeader(
  fields: readonly CsvField[],
  file: string,
  line: Uint8Array,
  byteOffset: number,
): readonly string[] {
  const text = new TextDecoder().decode(line).replace(/\r$/, '')
  const names = text.split(',').map((name) => name.trim())
  const refuse = (field: string | undefined, why: string) =>
    badCellFault({ file, line: 1, field, byteOffset, text: text.slice(0, 160), why })
  fields.forEach((field, index) => {
    const known = headerNames(field)
    const found = names[index]
    if (found === undefined) throw refuse(known[0], 'is missing from the header')
    if (!known.includes(found)) throw refuse(known[0], `is called ${JSON.stringify(found)} in the header`)
  })
  if (names.length > fields.length) throw refuse(undefined, `the header has the unknown field ${names[fields.length]}`)
  return names
}
