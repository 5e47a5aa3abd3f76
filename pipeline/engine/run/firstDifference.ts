import { readFileSync } from 'node:fs'
import { diffTables, type FirstDifference } from '../../../lib/tables/diff.ts'
import { decodeAnyTable } from '../../../lib/tables/parquet.ts'
import { jsonChanges } from '../../../snapshots/jsonChanges.ts'

/** An artifact whose bytes are here. */
export interface FilesOnDisk {
  readonly files: readonly { readonly name: string; readonly path: string }[]
}

/** Where two artifacts differ first, in words. */
export function firstDifference(a: FilesOnDisk, b: FilesOnDisk): string | undefined {
  const inB = new Map(b.files.map((file) => [file.name, file]))
  for (const file of a.files) {
    const other = inB.get(file.name)
    if (other === undefined) return `${file.name} was not made again`
    const [bytesA, bytesB] = [readFileSync(file.path), readFileSync(other.path)]
    if (bytesA.equals(bytesB)) continue
    const said = file.name.endsWith('.parquet') ? tableDifference(bytesA, bytesB) : jsonDifference(bytesA, bytesB)
    if (said !== undefined) return `${file.name}: ${said}`
    let offset = 0
    while (bytesA[offset] === bytesB[offset]) offset++
    return `${file.name}: byte ${offset} of ${bytesA.length} and ${bytesB.length}`
  }
  return a.files.length === b.files.length ? undefined : 'it has more files than before'
}

function tableDifference(a: Uint8Array, b: Uint8Array): string | undefined {
  const { first, changedRows, addedRows, removedRows, columns } = diffTables(decodeAnyTable(a), decodeAnyTable(b))
  if (first === undefined) return undefined
  const counts = [`${changedRows} rows changed`, `${addedRows} added`, `${removedRows} removed`].join(', ')
  const names = columns.map((column) => `${column.name} (${column.changedRows})`).join(', ')
  return `${firstText(first)}; ${counts}${names === '' ? '' : `; columns ${names}`}`
}

function firstText(first: FirstDifference): string {
  if (first.kind !== 'changed') return `row ${first.row} (${first.key}) was ${first.kind}`
  return `row ${first.rowA} (${first.key}), column ${first.column}: ${first.a} became ${first.b}`
}

function jsonDifference(a: Uint8Array, b: Uint8Array): string | undefined {
  try {
    const parse = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString())
    const [change] = jsonChanges(parse(a), parse(b))
    return (
      change && `${change.path || '(all)'}: ${JSON.stringify(change.before)} became ${JSON.stringify(change.after)}`
    )
  } catch {
    return undefined // it is not JSON after all
  }
}
