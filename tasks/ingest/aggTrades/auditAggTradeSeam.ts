import { z } from 'zod'
import { tableArtifact } from '../../../lib/artifact.ts'
import { audit, policy, reportOf } from '../../../lib/audit/finding.ts'
import { tradeSeam } from '../../../lib/market/trades/tradePages.ts'
import { pickColumns } from '../../../lib/tables/schema.ts'
import { aggTradeTable } from '../../../lib/tables/trades.ts'
import { defineTask } from '../../../pipeline/engine/task.ts'

const ids = tableArtifact(pickColumns(aggTradeTable, ['aggTradeId', 'tsMs']))

/** Whether a day goes on where the one before it ended: one may be of the archive, and the next of the API. */
export const auditAggTradeSeam = defineTask({
  name: 'auditAggTradeSeam',
  kind: 'pure',
  params: z.object({ partition: z.string(), policy: policy.default('quarantine') }),
  inputs: { before: ids, after: ids },
  output: audit,
  run: ({ before, after }, params) => {
    const findings = tradeSeam(before, after, params.policy)
    return reportOf('aggTrades', params.partition, { rows: before.rowCount + after.rowCount, findings })
  },
})
