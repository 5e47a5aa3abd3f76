import type { ArtifactType } from '../../../lib/artifact.ts'
import type { BarPartition } from '../../../lib/market/ingest/bars.ts'
import { hasDailyFiles, type PlannedBars } from '../../../lib/market/plan/partitions.ts'
import type { DatasetPlan } from '../../../lib/market/plan/planDataset.ts'
import { DAY_MS, dayStart } from '../../../lib/time.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { spotBarsPerRequest } from '../../../lib/venues/spot.ts'
import { barsPerRequest } from '../../../lib/venues/usdm.ts'
import { auditBars } from '../../../tasks/ingest/klines/auditBars.ts'
import { fetchBarPage } from '../../../tasks/ingest/klines/fetchBarPage.ts'
import { fetchBars } from '../../../tasks/ingest/klines/fetchBars.ts'
import { findBarGaps } from '../../../tasks/ingest/klines/findBarGaps.ts'
import { ingestIndexKlines } from '../../../tasks/ingest/klines/ingestIndexKlines.ts'
import { ingestKlines } from '../../../tasks/ingest/klines/ingestKlines.ts'
import { ingestMarkKlines } from '../../../tasks/ingest/klines/ingestMarkKlines.ts'
import { ingestPremiumKlines } from '../../../tasks/ingest/klines/ingestPremiumKlines.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import type { Collection, Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import { placedOnce } from './placedOnce.ts'

type Plan = NodeHandle<typeof planPartitions.output>
type Raw = NodeHandle<typeof fetchBars.output> | Collection<typeof fetchBars.output>
type Series = Pick<PlannedBars, 'market' | 'kind' | 'symbol' | 'interval'>

/** What a data set is made of, and the audits of it. */
export type Made = { readonly tables: readonly Collection[]; readonly audits: readonly Collection[] }

/** Tables of bars by partition: the archive first, then days for what a month lacks, then the API for what a day lacks.
 *  Each is placed when it is first asked for. */
export function barTables(graph: Graph, choice: VenueChoice, { policy, source }: DatasetConfig) {
  const hasApi = source !== 'archives'
  const keyOf = (partition: PlannedBars) => placeOf(partition, partition.period)
  // A partition's files are wired to its table and to its audit.
  const filesOf = placedOnce(keyOf, (partition: PlannedBars): Raw[] =>
    partition.isArchived ? archived(partition, partition.period, partition) : pages(partition, partition.slices),
  )
  const placementOf = (partition: PlannedBars) => ({
    at: keyOf(partition),
    params: { ...barPartition(partition), policy },
    inputs: { raw: filesOf(partition) },
  })
  return {
    klines: placedOnce(keyOf, (partition: PlannedBars) => graph.add(ingestKlines, placementOf(partition))),
    mark: placedOnce(keyOf, (partition: PlannedBars) => graph.add(ingestMarkKlines, placementOf(partition))),
    index: placedOnce(keyOf, (partition: PlannedBars) => graph.add(ingestIndexKlines, placementOf(partition))),
    premium: placedOnce(keyOf, (partition: PlannedBars) => graph.add(ingestPremiumKlines, placementOf(partition))),
    audit: placedOnce(keyOf, (partition: PlannedBars) => {
      const at = keyOf(partition)
      const params = { ...barPartition(partition), policy, partition: at.join(',') }
      return graph.add(auditBars, { at, params, inputs: { raw: filesOf(partition) } })
    }),
  }

  function archived(series: Series, period: string, { fromTsMs, toTsMs }: { fromTsMs: number; toTsMs: number }): Raw[] {
    const at = placeOf(series, period)
    const archive = graph.add(fetchBars, { at, params: { ...choice, ...seriesOf(series), period } })
    const isMonth = period.length === 7
    const next = isMonth && hasDailyFiles(series.interval) ? 'days' : hasApi ? 'slices' : 'nobody'
    if (next === 'nobody') return [archive]
    const gaps = graph.add(findBarGaps, {
      at,
      params: {
        ...seriesOf(series),
        fromTsMs,
        toTsMs,
        next,
        rowsPerSlice: series.market === 'spot' ? spotBarsPerRequest : barsPerRequest,
      },
      inputs: { archive },
    })
    const days = graph.each(
      gaps,
      (found) => found.days,
      (day) =>
        archived(series, day, {
          fromTsMs: Math.max(fromTsMs, dayStart(day)),
          toTsMs: Math.min(toTsMs, dayStart(day) + DAY_MS),
        }),
    )
    const rest = graph.each(
      gaps,
      (found) => found.slices,
      (slice) => pages(series, [slice]),
    )
    return [archive, days, rest]
  }

  function pages(series: Series, slices: PlannedBars['slices']): Raw[] {
    return slices.map((slice) =>
      graph.add(fetchBarPage, {
        at: placeOf(series, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`),
        params: { ...choice, ...seriesOf(series), slice },
      }),
    )
  }
}

const tableOf = {
  klines: 'klines',
  markPriceKlines: 'mark',
  indexPriceKlines: 'index',
  premiumIndexKlines: 'premium',
} as const
const kinds = Object.keys(tableOf) as (keyof typeof tableOf)[]

/** All bars of a plan. */
export function addBars(graph: Graph, plan: Plan, bars: ReturnType<typeof barTables>, audit: boolean): Made {
  const tables = kinds.map((kind) =>
    graph.each<DatasetPlan, PlannedBars, ArtifactType>(
      plan,
      (found) => found.bars.filter((one) => one.kind === kind),
      bars[tableOf[kind]],
    ),
  )
  const audits = graph.each(plan, (found) => (audit ? found.bars : []), bars.audit)
  return { tables, audits: [audits] }
}

/** Perpetuals and trade prices are the usual, and go without saying. */
function placeOf({ market, kind, symbol, interval }: Series, period: string): string[] {
  return [...(market === 'usdm' ? [] : [market]), ...(kind === 'klines' ? [] : [kind]), symbol, interval, period]
}

const seriesOf = ({ market, kind, symbol, interval }: Series): Series => ({ market, kind, symbol, interval })

const barPartition = ({ fromTsMs, toTsMs, closedBeforeTsMs, ...series }: PlannedBars): BarPartition => ({
  ...seriesOf(series),
  fromTsMs,
  toTsMs,
  ...(closedBeforeTsMs === undefined ? {} : { closedBeforeTsMs }),
})
