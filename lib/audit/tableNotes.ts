import { z } from 'zod'
import type { FileSet } from '../artifact.ts'
import { openAnyTable } from '../tables/parquet.ts'
import { type Finding, finding } from './finding.ts'

const notes = z.object({ findings: z.array(finding) })

/** What was found while a table was read, in the form its file keeps it; nothing where nothing was. */
export const notesOf = (findings: readonly Finding[]): string | undefined =>
  findings.length === 0 ? undefined : JSON.stringify(notes.parse({ findings }))

/** The same back from a table, of which only the footer is read. */
export function readNotes(files: FileSet): { rows: number; findings: readonly Finding[] } {
  const name = 'table.parquet'
  const { info } = openAnyTable({
    sizeBytes: files.sizeBytes(name),
    readAt: (offset, lengthBytes) => files.readAt(name, offset, lengthBytes),
  })
  return { rows: info.rowCount, findings: info.notes === undefined ? [] : notes.parse(JSON.parse(info.notes)).findings }
}
