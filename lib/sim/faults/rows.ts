import { createRng, type Rng } from '../../rng.ts'
import { dayStart, formatUtc, parseUtc } from '../../time.ts'
import { candleHeader } from '../archive/candleCsv.ts'
import type { ArchiveFile } from '../archive/keys.ts'
import { metricsStartLabelFrom } from '../archive/metricsCsv.ts'
import type { TextPiece } from '../archive/textPiece.ts'
import { FIVE_MINUTES_MS } from '../positions.ts'
import type { FaultState, RowFault } from './plan.ts'

const rowFaults: readonly RowFault[] = [
  'missingRows',
  'offGridRow',
  'duplicateRows',
  'reorderRows',
  'unitFlip',
  'labelFlip',
  'headerFlip',
]

/** Applies to a csv the row faults that hold for its path. Undefined where none does. */
export function spoiledCsv(
  state: FaultState,
  path: string,
  file: ArchiveFile,
  pieces: Iterable<TextPiece>,
): TextPiece[] | undefined {
  const kinds = rowFaults.filter((kind) => state.holds(kind, path) !== undefined)
  if (kinds.length === 0) return undefined
  const lines: string[] = []
  for (const { bytes } of pieces) lines.push(...Buffer.from(bytes).toString('latin1').split('\n').slice(0, -1))
  let header = lines.length > 0 && /^[a-z]/.test(lines[0]!) ? lines.shift() : undefined
  let rows = lines
  for (const kind of kinds) {
    const rng = createRng('rows', kind, path)
    if (kind === 'headerFlip') header = header === undefined ? candleHeader.slice(0, -1) : undefined
    else if (kind === 'unitFlip') rows = rows.map((row) => flipUnit(row, timeColumns(file)))
    else if (kind === 'labelFlip') rows = rows.map((row) => flipLabel(row, labelMoveMs(file)))
    else if (kind === 'offGridRow') rows = offGrid(rng, rows, timeColumns(file))
    else rows = disorder(rng, kind, rows)
  }
  const text = [...(header === undefined ? [] : [header]), ...rows, ''].join('\n')
  return [{ bytes: Buffer.from(text, 'latin1') }]
}

/** The same for the rows of a REST answer. */
export function spoiledArray(state: FaultState, url: string, rows: unknown[]): unknown[] {
  let spoiled = rows
  for (const kind of rowFaults) {
    if (state.holds(kind, url) === undefined) continue
    const rng = createRng('rows', kind, url)
    if (kind === 'duplicateRows' || kind === 'reorderRows' || kind === 'missingRows') {
      spoiled = disorder(rng, kind, spoiled)
    } else if (kind === 'offGridRow' || kind === 'unitFlip') {
      const at = rng.below(Math.max(1, spoiled.length))
      spoiled = spoiled.map((row, i) => {
        if (!Array.isArray(row) || (kind === 'offGridRow' && i !== at)) return row
        const open = row[0] as number
        const close = row[6] as number
        return kind === 'offGridRow'
          ? [open + 789, ...row.slice(1)]
          : [open * 1000, ...row.slice(1, 6), close * 1000 + 999, ...row.slice(7)]
      })
    }
  }
  return spoiled
}

/** Columns that hold a time, by kind of file. */
function timeColumns({ kind, interval }: ArchiveFile): readonly number[] {
  if (interval !== undefined) return [0, 6]
  if (kind === 'fundingRate') return [0]
  return kind === 'trades' ? [4] : kind === 'aggTrades' ? [5] : []
}

function flipUnit(row: string, columns: readonly number[]): string {
  const fields = row.split(',')
  for (const column of columns) {
    const time = fields[column]!
    // Close times end in …999 in both units.
    const isClose = time.endsWith('999')
    fields[column] = time.length > 13 ? time.slice(0, -3) : `${time}${isClose ? '999' : '000'}`
  }
  return fields.join(',')
}

/** To the other end of its five minutes: forward from the day on at which rows are named by their start. */
const labelMoveMs = ({ period }: ArchiveFile): number =>
  dayStart(period) >= metricsStartLabelFrom ? FIVE_MINUTES_MS : -FIVE_MINUTES_MS

function flipLabel(row: string, moveMs: number): string {
  const tsMs = parseUtc(row.slice(0, 19))
  if (tsMs === undefined) return row
  const moved = formatUtc(tsMs + moveMs)
  return `${moved.slice(0, 10)} ${moved.slice(11, 19)}${row.slice(19)}`
}

function offGrid(rng: Rng, rows: readonly string[], columns: readonly number[]): string[] {
  const at = rng.below(Math.max(1, rows.length))
  return rows.map((row, i) => {
    if (i !== at || columns.length === 0) return row
    const fields = row.split(',')
    const time = fields[columns[0]!]!
    fields[columns[0]!] = String(Number(time) + (time.length > 13 ? 789_000 : 789))
    return fields.join(',')
  })
}

function disorder<T>(rng: Rng, kind: 'duplicateRows' | 'reorderRows' | 'missingRows', rows: readonly T[]): T[] {
  const spoiled = rows.slice()
  if (rows.length < 8) return kind === 'missingRows' ? spoiled.slice(1) : spoiled
  if (kind === 'missingRows') {
    // Inside the file: rows that lack at its ends could be a short download.
    spoiled.splice(1 + rng.below(rows.length - 7), 5)
    return spoiled
  }
  for (let n = 0; n < 3; n++) {
    const at = rng.below(spoiled.length - 1)
    if (kind === 'duplicateRows') spoiled.splice(at, 0, spoiled[at]!)
    else [spoiled[at], spoiled[at + 1]] = [spoiled[at + 1]!, spoiled[at]!]
  }
  return spoiled
}
