import { z } from 'zod'
import { fundingIntervals } from '../../../lib/market/ingest/fundingIntervals.ts'
import { intervalHistory } from '../../../lib/market/ingest/settlements.ts'
import { funding, fundingTable } from '../../../lib/tables/funding.ts'
import { concatTables } from '../../../lib/tables/table.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'

/** When a contract's settlements changed their spacing, read from the settlements themselves. */
export const listFundingIntervals = defineTask({
  name: 'listFundingIntervals',
  kind: 'pure',
  params: z.object({ symbol: z.string() }),
  inputs: { months: many(funding) },
  output: fundingIntervals,
  run: ({ months }, { symbol }) => {
    const ordered = [...months].filter(({ rowCount }) => rowCount > 0)
    ordered.sort((a, b) => a.columns.tsMs[0]! - b.columns.tsMs[0]!)
    return { symbol, history: intervalHistory(concatTables(fundingTable, ordered)) }
  },
})
