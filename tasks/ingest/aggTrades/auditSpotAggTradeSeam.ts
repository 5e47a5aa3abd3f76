import { z } from 'zod'
import { tableArtifact } from '../../../lib/artifact.ts'
import { audit, policy, reportOf } from '../../../lib/audit/finding.ts'
import { tradeSeam } from '../../../lib/market/trades/tradePages.ts'
import { pickColumns } from '../../../lib/tables/schema.ts'
import { spotAggTradeTable } from '../../../lib/tables/spotTrades.ts'
import { defineTask } from '../../../pipeline/engine/task.ts'

const ids = tableArtifact(pickColumns(spotAggTradeTable, ['aggTradeId', 'tsUs']))

/** Whether a day goes on where the one before it ended: one may be of the archive, and the next of the API. */
export const auditSpotAggTradeSeam = defineTask({
  name: 'auditSpotAggTradeSeam',
  kind: 'pure',
  params: z.object({ partition: z.string(), policy: policy.default('quarantine') }),
  inputs: { before: ids, after: ids },
  output: audit,
  run: ({ before, after }, params) => {
    const tsMs = after.columns.tsUs.subarray(0, 1).map((tsUs) => Math.floor(tsUs / 1000))
    const findings = tradeSeam(before, { ...after, columns: { ...after.columns, tsMs } }, params.policy)
    return reportOf('spotAggTrades', params.partition, { rows: before.rowCount + after.rowCount, findings })
  },
})
