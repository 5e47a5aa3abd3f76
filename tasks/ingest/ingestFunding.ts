import { z } from 'zod'
import { parseCsv } from '../../lib/csv/parser.ts'
import { fundingArchive } from '../../lib/market/rawFiles.ts'
import { funding, fundingCsv, fundingOf, fundingTable } from '../../lib/tables/funding.ts'
import { concatTables } from '../../lib/tables/table.ts'
import { readSingleFileZip } from '../../lib/zip.ts'
import { defineTask, optional } from '../../pipeline/engine/task.ts'

/** The funding settlements of one month, as published: intervals differ between symbols and change over time. */
export const ingestFunding = defineTask({
  name: 'ingestFunding',
  kind: 'pure',
  params: z.object({ symbol: z.string() }),
  inputs: { archive: optional(fundingArchive) },
  output: funding,
  run: ({ archive }, { symbol }) => {
    const zipName = archive?.names[0]
    if (archive === undefined || zipName === undefined) return concatTables(fundingTable, [])
    const { name, bytes } = readSingleFileZip(archive.read(zipName), zipName)
    return fundingOf(symbol, parseCsv(fundingCsv, bytes, { file: `${zipName}/${name}` }).table)
  },
})
