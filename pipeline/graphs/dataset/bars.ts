import { type BarPartition, isCoarse } from '../../../lib/market/bars.ts'
import { hasDailyFiles, type PlannedBars } from '../../../lib/market/partitions.ts'
import { DAY_MS, dayStart } from '../../../lib/time.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { spotBarsPerRequest } from '../../../lib/venues/spot.ts'
import { barsPerRequest } from '../../../lib/venues/usdm.ts'
import { auditBars } from '../../../tasks/ingest/klines/auditBars.ts'
import { fetchBarPage } from '../../../tasks/ingest/klines/fetchBarPage.ts'
import { fetchBars } from '../../../tasks/ingest/klines/fetchBars.ts'
import { findBarGaps } from '../../../tasks/ingest/klines/findBarGaps.ts'
import { ingestCoarseKlines } from '../../../tasks/ingest/klines/ingestCoarseKlines.ts'
import { ingestIndexKlines } from '../../../tasks/ingest/klines/ingestIndexKlines.ts'
import { ingestKlines } from '../../../tasks/ingest/klines/ingestKlines.ts'
import { ingestMarkKlines } from '../../../tasks/ingest/klines/ingestMarkKlines.ts'
import { ingestPremiumKlines } from '../../../tasks/ingest/klines/ingestPremiumKlines.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import type { Collection, Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'

type Plan = NodeHandle<typeof planPartitions.output>
type Raw = NodeHandle<typeof fetchBars.output> | Collection<typeof fetchBars.output>
type Series = Pick<PlannedBars, 'market' | 'kind' | 'symbol' | 'interval'>

/** What a data set is made of, and the audits of it. */
export type Made = { readonly tables: readonly Collection[]; readonly audits: readonly Collection[] }

/** Bars, partition by partition: the archive first, then days for what a month lacks, then the API for what a day lacks. */
export function addBars(graph: Graph, plan: Plan, choice: VenueChoice, { policy, audit, source }: DatasetConfig): Made {
  const hasApi = source !== 'archives'
  // A partition's files are wired to its table and to its audit, and both are grown from the same plan.
  const rawOf = new Map<string, Raw[]>()
  type Placed = {
    at: string[]
    params: BarPartition & { policy: DatasetConfig['policy'] }
    inputs: { raw: Raw[] }
  }
  const ingest: Readonly<Record<PlannedBars['kind'] | 'coarse', (placed: Placed) => NodeHandle>> = {
    klines: (placed) => graph.add(ingestKlines, placed),
    coarse: (placed) => graph.add(ingestCoarseKlines, placed),
    markPriceKlines: (placed) => graph.add(ingestMarkKlines, placed),
    indexPriceKlines: (placed) => graph.add(ingestIndexKlines, placed),
    premiumIndexKlines: (placed) => graph.add(ingestPremiumKlines, placed),
  }
  const kinds = ['klines', 'coarse', 'markPriceKlines', 'indexPriceKlines', 'premiumIndexKlines'] as const

  const tables = kinds.map((kind) =>
    graph.each(
      plan,
      ({ bars }) => bars.filter((one) => kindOf(one) === kind),
      (partition) => {
        const at = placeOf(partition, partition.period)
        const placed = { at, params: { ...barPartition(partition), policy }, inputs: { raw: filesOf(partition) } }
        return ingest[kind](placed)
      },
    ),
  )
  const audits = graph.each(
    plan,
    ({ bars }) => (audit ? bars : []),
    (partition) => {
      const at = placeOf(partition, partition.period)
      const params = { ...barPartition(partition), policy, partition: at.join(',') }
      return graph.add(auditBars, { at, params, inputs: { raw: filesOf(partition) } })
    },
  )
  return { tables, audits: [audits] }

  function filesOf(partition: PlannedBars): Raw[] {
    const id = placeOf(partition, partition.period).join(',')
    let raw = rawOf.get(id)
    if (raw === undefined) {
      raw = partition.isArchived ? archived(partition, partition.period, partition) : pages(partition, partition.slices)
      rawOf.set(id, raw)
    }
    return raw
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

const kindOf = ({ kind, interval }: Series) => (kind === 'klines' && isCoarse(interval) ? 'coarse' : kind)

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
