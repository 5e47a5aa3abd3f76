import type { Partition } from '../../../lib/market/plan/partitions.ts'
import type { DatasetPlan } from '../../../lib/market/plan/planDataset.ts'
import { onSpot } from '../../../lib/market/plan/spotPair.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import { auditSpotTrades } from '../../../tasks/ingest/trades/auditSpotTrades.ts'
import { auditTrades } from '../../../tasks/ingest/trades/auditTrades.ts'
import { fetchSpotTrades } from '../../../tasks/ingest/trades/fetchSpotTrades.ts'
import { fetchTrades } from '../../../tasks/ingest/trades/fetchTrades.ts'
import { ingestSpotTrades } from '../../../tasks/ingest/trades/ingestSpotTrades.ts'
import { ingestTrades } from '../../../tasks/ingest/trades/ingestTrades.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'
import { spanOf } from './funding.ts'
import { placedOnce } from './placedOnce.ts'

const keyOf = ({ symbol, period }: Partition) => [symbol, period]

/** The tasks of a market. Those of coin pairs take what those of contracts take, into another table. */
const stepsOf = {
  usdm: {
    daysOf: ({ trades }: DatasetPlan): Partition[] => trades,
    fetch: fetchTrades,
    ingest: ingestTrades,
    audit: auditTrades,
  },
  spot: {
    daysOf: ({ trades }: DatasetPlan) => onSpot(trades),
    fetch: fetchSpotTrades as unknown as typeof fetchTrades,
    ingest: ingestSpotTrades as unknown as typeof ingestTrades,
    audit: auditSpotTrades as unknown as typeof auditTrades,
  },
} as const

/** Trades by day. Each file is looked at while it is taken in, so that its audit costs no second reading. Each table is
 *  placed when it is first asked for. */
export function tradeTables(
  graph: Graph,
  choice: VenueChoice,
  { policy }: DatasetConfig,
  market: keyof typeof stepsOf,
) {
  const { fetch, ingest, audit } = stepsOf[market]
  const archiveOf = placedOnce(keyOf, (day: Partition) =>
    graph.add(fetch, { at: keyOf(day), params: { ...choice, symbol: day.symbol, period: day.period } }),
  )
  const table = placedOnce(keyOf, (day: Partition) =>
    graph.add(ingest, { at: keyOf(day), params: { ...spanOf(day), policy }, inputs: { archive: archiveOf(day) } }),
  )
  return {
    table,
    audit: placedOnce(keyOf, (day: Partition) =>
      graph.add(audit, {
        at: keyOf(day),
        params: { ...spanOf(day), policy, partition: keyOf(day).join(',') },
        // What is rejected has no table to tell of it.
        inputs: policy === 'reject' ? { archive: archiveOf(day) } : { table: table(day) },
      }),
    ),
  }
}

/** All trades of a market in a plan. */
export function addTrades(
  graph: Graph,
  plan: NodeHandle<typeof planPartitions.output>,
  { table, audit }: ReturnType<typeof tradeTables>,
  market: keyof typeof stepsOf,
): Made {
  const { daysOf } = stepsOf[market]
  return { tables: [graph.each(plan, daysOf, table)], audits: [graph.each(plan, daysOf, audit)] }
}
