import { z } from 'zod'
import { audit, verdictOf } from '../../../lib/audit/finding.ts'
import { readNotes } from '../../../lib/audit/tableNotes.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { spotTradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { auditTrades as auditFile } from '../../../lib/market/trades/tradeStream.ts'
import { spotTrades } from '../../../lib/tables/spotTrades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of single trades of a coin pair. The pass that made the table
 *  has noted it there; without a table the file is read. */
export const auditSpotTrades = defineTask({
  name: 'auditSpotTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { table: optional(stored(spotTrades)), archive: optional(stored(rawTrades)) },
  output: audit,
  run: ({ table, archive }, params) => {
    const read = () => auditFile(archive?.files, spotTradeForm(params.fromTsMs), params, params.policy)
    const { rows, findings } = table === undefined ? read() : readNotes(table.files)
    return {
      artifactType: 'spotTrades',
      partition: params.partition,
      verdict: verdictOf(findings),
      rows,
      findings: [...findings],
    }
  },
})
