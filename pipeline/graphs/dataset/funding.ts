import type { Partition } from '../../../lib/market/partitions.ts'
import { funding } from '../../../lib/tables/funding.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditFunding } from '../../../tasks/ingest/funding/auditFunding.ts'
import { fetchFundingMonth } from '../../../tasks/ingest/funding/fetchFundingMonth.ts'
import { fetchFundingPage } from '../../../tasks/ingest/funding/fetchFundingPage.ts'
import { ingestFunding } from '../../../tasks/ingest/funding/ingestFunding.ts'
import { listFundingIntervals } from '../../../tasks/ingest/funding/listFundingIntervals.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'

type Raw = NodeHandle<typeof fetchFundingMonth.output>

/** Settlements by month: the archive once it is there, the API until then. */
export function addFunding(
  graph: Graph,
  plan: NodeHandle<typeof planPartitions.output>,
  choice: VenueChoice,
  { policy, audit }: DatasetConfig,
): Made {
  const rawOf = new Map<string, Raw[]>()
  const tables = graph.each(
    plan,
    ({ funding }) => funding,
    (partition) =>
      graph.add(ingestFunding, {
        at: [partition.symbol, partition.period],
        params: { ...spanOf(partition), policy },
        inputs: { raw: filesOf(partition) },
      }),
  )
  const audits = graph.each(
    plan,
    ({ funding }) => (audit ? funding : []),
    (partition) =>
      graph.add(auditFunding, {
        at: [partition.symbol, partition.period],
        params: { ...spanOf(partition), policy, partition: `${partition.symbol},${partition.period}` },
        inputs: { raw: filesOf(partition) },
      }),
  )
  const intervals = graph.each(
    plan,
    (found) => [...new Set(found.funding.map(({ symbol }) => symbol))].map((symbol) => ({ symbol, found })),
    ({ symbol, found }) =>
      graph.add(listFundingIntervals, {
        at: [symbol],
        params: { symbol },
        inputs: {
          months: found.funding
            .filter((partition) => partition.symbol === symbol)
            .map(({ period }) => graph.ref(funding, `ingestFunding[${symbol},${period}]`)),
        },
      }),
  )
  return { tables: [tables, intervals], audits: [audits] }

  function filesOf({ symbol, period, isArchived, slices }: Partition): Raw[] {
    const id = `${symbol},${period}`
    const known = rawOf.get(id)
    if (known !== undefined) return known
    const raw: Raw[] = isArchived
      ? [graph.add(fetchFundingMonth, { at: [symbol, period], params: { ...choice, symbol, period } })]
      : slices.map((slice) =>
          graph.add(fetchFundingPage, {
            at: [symbol, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`],
            params: { ...choice, symbol, slice },
          }),
        )
    rawOf.set(id, raw)
    return raw
  }
}

export const spanOf = ({ symbol, fromTsMs, toTsMs, closedBeforeTsMs }: Partition) => ({
  symbol,
  fromTsMs,
  toTsMs,
  ...(closedBeforeTsMs === undefined ? {} : { closedBeforeTsMs }),
})
