import type { Partition, PlannedSlice } from '../../../lib/market/plan/partitions.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditFunding } from '../../../tasks/ingest/funding/auditFunding.ts'
import { fetchFundingMonth } from '../../../tasks/ingest/funding/fetchFundingMonth.ts'
import { fetchFundingPage } from '../../../tasks/ingest/funding/fetchFundingPage.ts'
import { findFundingGaps } from '../../../tasks/ingest/funding/findFundingGaps.ts'
import { ingestFunding } from '../../../tasks/ingest/funding/ingestFunding.ts'
import { listFundingIntervals } from '../../../tasks/ingest/funding/listFundingIntervals.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import type { Collection, Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'
import { placedOnce } from './placedOnce.ts'

type Plan = NodeHandle<typeof planPartitions.output>
type Raw = NodeHandle<typeof fetchFundingMonth.output> | Collection<typeof fetchFundingMonth.output>

const keyOf = ({ symbol, period }: Partition) => [symbol, period]

/** Settlements by month: the archive once it is there, the API until then and for what the archive lacks. Each table is
 *  placed when it is first asked for. */
export function fundingTables(graph: Graph, choice: VenueChoice, { policy, source }: DatasetConfig) {
  const pageOf = (symbol: string) => (slice: PlannedSlice) =>
    graph.add(fetchFundingPage, {
      at: [symbol, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`],
      params: { ...choice, symbol, slice },
    })
  const filesOf = placedOnce(keyOf, (partition: Partition): Raw[] => {
    const { symbol, period, isArchived, slices } = partition
    if (!isArchived) return slices.map(pageOf(symbol))
    const at = keyOf(partition)
    const archive = graph.add(fetchFundingMonth, { at, params: { ...choice, symbol, period } })
    if (source === 'archives') return [archive]
    const gaps = graph.add(findFundingGaps, { at, params: spanOf(partition), inputs: { archive } })
    return [archive, graph.each(gaps, (found) => found.slices, pageOf(symbol))]
  })
  return {
    funding: placedOnce(keyOf, (partition: Partition) =>
      graph.add(ingestFunding, {
        at: keyOf(partition),
        params: { ...spanOf(partition), policy },
        inputs: { raw: filesOf(partition) },
      }),
    ),
    audit: placedOnce(keyOf, (partition: Partition) =>
      graph.add(auditFunding, {
        at: keyOf(partition),
        params: { ...spanOf(partition), policy, partition: keyOf(partition).join(',') },
        inputs: { raw: filesOf(partition) },
      }),
    ),
  }
}

/** All settlements of a plan, and how often each symbol settled when. */
export function addFunding(
  graph: Graph,
  plan: Plan,
  { funding, audit }: ReturnType<typeof fundingTables>,
  isAudited: boolean,
): Made {
  const tables = graph.each(plan, (found) => found.funding, funding)
  const audits = graph.each(plan, (found) => (isAudited ? found.funding : []), audit)
  const intervals = graph.each(
    plan,
    (found) => monthsBySymbol(found.funding),
    ([symbol, months]) =>
      graph.add(listFundingIntervals, { at: [symbol], params: { symbol }, inputs: { months: months.map(funding) } }),
  )
  return { tables: [tables, intervals], audits: [audits] }
}

function monthsBySymbol(months: readonly Partition[]): [symbol: string, months: Partition[]][] {
  const bySymbol = new Map<string, Partition[]>()
  for (const month of months) {
    const known = bySymbol.get(month.symbol)
    if (known === undefined) bySymbol.set(month.symbol, [month])
    else known.push(month)
  }
  return [...bySymbol]
}

export const spanOf = ({ symbol, fromTsMs, toTsMs, closedBeforeTsMs }: Partition) => ({
  symbol,
  fromTsMs,
  toTsMs,
  ...(closedBeforeTsMs === undefined ? {} : { closedBeforeTsMs }),
})
