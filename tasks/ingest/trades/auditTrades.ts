import { z } from 'zod'
import { audit, verdictOf } from '../../../lib/audit/finding.ts'
import { readNotes } from '../../../lib/audit/tableNotes.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { rawTrades } from '../../../lib/market/ingest/rawFiles.ts'
import { tradeForm } from '../../../lib/market/trades/tradeForms.ts'
import { auditTrades as auditFile } from '../../../lib/market/trades/tradeStream.ts'
import { trades } from '../../../lib/tables/trades.ts'
import { defineTask, optional, stored } from '../../../pipeline/engine/task.ts'

/** What was wrong with a day of single trades. The pass that made the table
 *  has noted it there; without a table the file is read. */
export const auditTrades = defineTask({
  name: 'auditTrades',
  kind: 'pure',
  params: z.object({ ...partitionParams, partition: z.string() }),
  inputs: { table: optional(stored(trades)), archive: optional(stored(rawTrades)) },
  output: audit,
  run: ({ table, archive }, params) => {
    const read = () => auditFile(archive?.files, tradeForm(params.fromTsMs), params, params.policy)
    const { rows, findings } = table === undefined ? read() : readNotes(table.files)
    return {
      artifactType: 'trades',
      partition: params.partition,
      verdict: verdictOf(findings),
      rows,
      findings: [...findings],
    }
  },
})
