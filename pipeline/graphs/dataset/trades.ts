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
import type { Collection, Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import { addAggTrades } from './aggTrades.ts'
import type { Made } from './bars.ts'
import { spanOf } from './funding.ts'
import { placedOnce } from './placedOnce.ts'

/** Trades by day. Each file is looked at while it is taken in, so that its audit costs no second reading. */
export function addTrades(
  graph: Graph,
  plan: NodeHandle<typeof planPartitions.output>,
  choice: VenueChoice,
  config: DatasetConfig,
): Made {
  const { policy, trades, aggTrades } = config
  const tables: Collection[] = []
  const audits: Collection[] = []

  const add = (
    isWanted: boolean,
    daysOf: (found: DatasetPlan) => Partition[],
    steps: {
      fetch: typeof fetchTrades | typeof fetchSpotTrades
      audit: typeof auditTrades | typeof auditSpotTrades
      ingest: typeof ingestTrades | typeof ingestSpotTrades
    },
  ) => {
    if (!isWanted) return
    const keyOf = ({ symbol, period }: Partition) => [symbol, period]
    const archiveOf = placedOnce(keyOf, ({ symbol, period }: Partition) =>
      graph.add(steps.fetch as typeof fetchTrades, {
        at: [symbol, period],
        params: { ...choice, symbol, period },
      }),
    )
    const tableOf = placedOnce(keyOf, (day: Partition) =>
      graph.add(steps.ingest as typeof ingestTrades, {
        at: keyOf(day),
        params: { ...spanOf(day), policy },
        inputs: { archive: archiveOf(day) },
      }),
    )
    const auditOf = (day: Partition) =>
      graph.add(steps.audit as typeof auditTrades, {
        at: keyOf(day),
        params: { ...spanOf(day), policy, partition: keyOf(day).join(',') },
        // What is rejected has no table to tell of it.
        inputs: policy === 'reject' ? { archive: archiveOf(day) } : { table: tableOf(day) },
      })
    tables.push(graph.each(plan, daysOf, tableOf))
    audits.push(graph.each(plan, daysOf, auditOf))
  }
  add(trades.includes('usdm'), (found) => found.trades, {
    fetch: fetchTrades,
    audit: auditTrades,
    ingest: ingestTrades,
  })
  add(trades.includes('spot'), (found) => onSpot(found.trades), {
    fetch: fetchSpotTrades,
    audit: auditSpotTrades,
    ingest: ingestSpotTrades,
  })
  for (const market of new Set(aggTrades)) {
    const made = addAggTrades(graph, plan, choice, config, market)
    tables.push(...made.tables)
    audits.push(...made.audits)
  }
  return { tables, audits }
}
