import { z } from 'zod'
import { parseCsv } from '../../lib/csv/parser.ts'
import { klineArchive } from '../../lib/market/rawFiles.ts'
import { klineCsv, klines, klinesOf, klineTable } from '../../lib/tables/klines.ts'
import { concatTables } from '../../lib/tables/table.ts'
import { readSingleFileZip } from '../../lib/zip.ts'
import { defineTask, optional } from '../../pipeline/engine/task.ts'

/** The bars of one month. A month the archive does not have is a table without rows: a gap, and never a guess. */
export const ingestKlines = defineTask({
  name: 'ingestKlines',
  kind: 'pure',
  params: z.object({ symbol: z.string() }),
  inputs: { archive: optional(klineArchive) },
  output: klines,
  run: ({ archive }, { symbol }) => {
    const zipName = archive?.names[0]
    if (archive === undefined || zipName === undefined) return concatTables(klineTable, [])
    const { name, bytes } = readSingleFileZip(archive.read(zipName), zipName)
    return klinesOf(symbol, parseCsv(klineCsv, bytes, { file: `${zipName}/${name}` }).table)
  },
})
