import { z } from 'zod'
import { audit, verdictOf } from '../../../lib/audit/finding.ts'
import { readNotes } from '../../../lib/audit/tableNotes.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { spotAggTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { auditTradePages } from '../../../lib/market/trades/tradePages.ts'
import { auditTrades as auditFile } from '../../../lib/market/trades/tradeStream.ts'
import { spotAggTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, many, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of aggregate trades of a coin pair. The pass that made the table has noted it there; without a
 *  table the file or the pages are read. */
export const auditSpotAggTrades = defineTask({
  name: 'auditSpotAggTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: {
    table: optional(stored(spotAggTrades)),
    archive: optional(stored(rawTrades)),
    pages: optional(many(rawTrades)),
  },
  output: audit,
  run: ({ table, archive, pages = [] }, params) => {
    const form = spotAggTradeForm(params.fromTsMs)
    const read = () =>
      archive === undefined && pages.length > 0
        ? auditTradePages(pages, form, params, params.policy)
        : auditFile(archive?.files, form, params, params.policy)
    const { rows, findings } = table === undefined ? read() : readNotes(table.files)
    return {
      artifactType: 'spotAggTrades',
      partition: params.partition,
      verdict: verdictOf(findings),
      rows,
      findings: [...findings],
    }
  },
})
