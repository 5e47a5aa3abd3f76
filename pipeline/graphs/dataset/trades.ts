import type { Partition } from '../../../lib/market/partitions.ts'
import type { DatasetPlan } from '../../../lib/market/planDataset.ts'
import { onSpot } from '../../../lib/market/spotPair.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditSpotAggTrades } from '../../../tasks/ingest/aggTrades/auditSpotAggTrades.ts'
import { fetchSpotAggTrades } from '../../../tasks/ingest/aggTrades/fetchSpotAggTrades.ts'
import { ingestSpotAggTrades } from '../../../tasks/ingest/aggTrades/ingestSpotAggTrades.ts'
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

/** Trades by day. Each file is looked at before it is taken in, so its audit is part of the way and never switched off. */
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
      fetch: typeof fetchTrades | typeof fetchSpotTrades | typeof fetchSpotAggTrades
      audit: typeof auditTrades | typeof auditSpotTrades | typeof auditSpotAggTrades
      ingest: typeof ingestTrades | typeof ingestSpotTrades | typeof ingestSpotAggTrades
    },
  ) => {
    if (!isWanted) return
    const place = (day: Partition) => {
      const at = [day.symbol, day.period]
      const fetch = steps.fetch as typeof fetchTrades
      const archive = graph.add(fetch, { at, params: { ...choice, symbol: day.symbol, period: day.period } })
      const audit = graph.add(steps.audit as typeof auditTrades, {
        at,
        params: { ...spanOf(day), policy, partition: at.join(',') },
        inputs: { archive },
      })
      return graph.add(steps.ingest as typeof ingestTrades, {
        at,
        params: { ...spanOf(day), policy },
        inputs: { archive, audit },
      })
    }
    tables.push(graph.each(plan, daysOf, place))
    audits.push(
      graph.each(plan, daysOf, (day) =>
        graph.ref(auditTrades.output, `${steps.audit.name}[${day.symbol},${day.period}]`),
      ),
    )
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
  if (aggTrades.includes('usdm')) {
    const made = addAggTrades(graph, plan, choice, config)
    tables.push(...made.tables)
    audits.push(...made.audits)
  }
  add(aggTrades.includes('spot'), (found) => onSpot(found.aggTrades.filter(({ isArchived }) => isArchived)), {
    fetch: fetchSpotAggTrades,
    audit: auditSpotAggTrades,
    ingest: ingestSpotAggTrades,
  })
  return { tables, audits }
}
