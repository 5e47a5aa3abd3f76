import { Fault } from '../../fault.ts'

/**
 * A venue's JSON list of rows as lines of comma-separated cells, so that one strict reader serves archives and API. Rows
 * are arrays, or objects of which the given fields are taken in order; a field that is not there is an empty cell.
 */
export function jsonRowsAsCsv(bytes: Uint8Array, file: string, fields?: readonly string[]): Uint8Array {
  const bad = (what: string): Fault =>
    new Fault({ code: 'failed', what, where: file, todo: 'fetch it again with --refresh' })
  let rows: unknown
  try {
    rows = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw bad(`this is no JSON (${(cause as Error).message})`)
  }
  if (!Array.isArray(rows)) throw bad('this is no list of rows')
  const lines = rows.map((row: unknown, i) => {
    const cells =
      fields === undefined
        ? Array.isArray(row)
          ? (row as unknown[])
          : undefined
        : typeof row === 'object' && row !== null
          ? fields.map((field) => (row as Record<string, unknown>)[field])
          : undefined
    if (cells === undefined) throw bad(`row ${i + 1} has another form than the venue documents`)
    return cells.map((cell) => cellText(cell, () => bad(`row ${i + 1} holds ${JSON.stringify(cell)}`))).join(',')
  })
  return new TextEncoder().encode(lines.length === 0 ? '' : `${lines.join('\n')}\n`)
}

function cellText(cell: unknown, bad: () => Fault): string {
  if (cell === undefined || cell === null) return ''
  if (typeof cell === 'boolean') return String(cell)
  // A number that is not whole has been through a float: its digits are not the venue's any more.
  if (typeof cell === 'number' && Number.isSafeInteger(cell)) return String(cell)
  if (typeof cell === 'string' && !/[,"\r\n]/.test(cell)) return cell
  throw bad()
}
