import { openInterestDays } from '../../../lib/market/plan/openInterestDays.ts'
import type { Partition } from '../../../lib/market/plan/partitions.ts'
import { type DatasetPlan, statisticsReachMs } from '../../../lib/market/plan/planDataset.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditMetrics } from '../../../tasks/ingest/metrics/auditMetrics.ts'
import { fetchMetrics } from '../../../tasks/ingest/metrics/fetchMetrics.ts'
import { ingestMetrics } from '../../../tasks/ingest/metrics/ingestMetrics.ts'
import { auditOpenInterest } from '../../../tasks/ingest/openInterest/auditOpenInterest.ts'
import { fetchOpenInterestPage } from '../../../tasks/ingest/openInterest/fetchOpenInterestPage.ts'
import { ingestOpenInterest } from '../../../tasks/ingest/openInterest/ingestOpenInterest.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import { auditTakerVolume } from '../../../tasks/ingest/takerVolume/auditTakerVolume.ts'
import { fetchTakerVolumePage } from '../../../tasks/ingest/takerVolume/fetchTakerVolumePage.ts'
import { ingestTakerVolume } from '../../../tasks/ingest/takerVolume/ingestTakerVolume.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'
import { spanOf } from './funding.ts'
import { placedOnce } from './placedOnce.ts'

type Plan = NodeHandle<typeof planPartitions.output>
/** A day, and the present of the plan it belongs to: the API's statistics reach back from there. */
type StatisticsDay = Partition & { readonly nowTsMs: number }

const keyOf = ({ symbol, period }: Pick<Partition, 'symbol' | 'period'>) => [symbol, period]

/** The venue's statistics: the archive's metrics by day, and open interest and taker volumes of the API's last month. Each
 *  table is placed when it is first asked for. */
export function statisticsTables(graph: Graph, choice: VenueChoice, { policy }: DatasetConfig) {
  const archiveOf = placedOnce(keyOf, ({ symbol, period }: Partition) =>
    graph.add(fetchMetrics, { at: [symbol, period], params: { ...choice, symbol, period } }),
  )
  const openInterestPages = placedOnce(keyOf, (day: StatisticsDay) =>
    pagesOf(day).map((page) => graph.add(fetchOpenInterestPage, page)),
  )
  const takerVolumePages = placedOnce(keyOf, (day: StatisticsDay) =>
    pagesOf(day).map((page) => graph.add(fetchTakerVolumePage, page)),
  )
  return {
    metrics: placedOnce(keyOf, (day: Partition) =>
      graph.add(ingestMetrics, {
        at: keyOf(day),
        params: { ...spanOf(day), policy },
        inputs: { raw: [archiveOf(day)] },
      }),
    ),
    audit: placedOnce(keyOf, (day: Partition) =>
      graph.add(auditMetrics, {
        at: keyOf(day),
        params: { ...spanOf(day), policy, partition: keyOf(day).join(',') },
        inputs: { raw: [archiveOf(day)] },
      }),
    ),
    openInterest: placedOnce(keyOf, (day: StatisticsDay) =>
      graph.add(ingestOpenInterest, {
        at: keyOf(day),
        params: { ...spanOf(day), policy },
        inputs: openInterestFiles(day),
      }),
    ),
    openInterestAudit: placedOnce(keyOf, (day: StatisticsDay) =>
      graph.add(auditOpenInterest, {
        at: keyOf(day),
        params: { ...spanOf(day), policy, partition: keyOf(day).join(',') },
        inputs: openInterestFiles(day),
      }),
    ),
    takerVolume: placedOnce(keyOf, (day: StatisticsDay) =>
      graph.add(ingestTakerVolume, {
        at: keyOf(day),
        params: { ...spanOf(day), policy },
        inputs: { pages: takerVolumePages(day) },
      }),
    ),
    takerVolumeAudit: placedOnce(keyOf, (day: StatisticsDay) =>
      graph.add(auditTakerVolume, {
        at: keyOf(day),
        params: { ...spanOf(day), policy, partition: keyOf(day).join(',') },
        inputs: { pages: takerVolumePages(day) },
      }),
    ),
  }

  function openInterestFiles(day: StatisticsDay) {
    return day.isArchived ? { metrics: [archiveOf(day)] } : { pages: openInterestPages(day) }
  }

  function pagesOf({ symbol, slices, nowTsMs }: StatisticsDay) {
    const earliestTsMs = nowTsMs - statisticsReachMs
    return slices.map((slice) => ({
      at: [symbol, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`],
      params: { ...choice, symbol, slice, ...(slice.fromTsMs < earliestTsMs ? { earliestTsMs } : {}) },
    }))
  }
}

/** All statistics of a plan. */
export function addStatistics(
  graph: Graph,
  plan: Plan,
  placed: ReturnType<typeof statisticsTables>,
  isAudited: boolean,
): Made {
  const openInterestOf = (found: DatasetPlan) => (found.openInterest.length > 0 ? openInterestDays(found) : [])
  const takerVolumeOf = ({ takerVolume, nowTsMs }: DatasetPlan) => takerVolume.map((day) => ({ ...day, nowTsMs }))
  return {
    tables: [
      graph.each(plan, (found) => found.metrics, placed.metrics),
      graph.each(plan, openInterestOf, placed.openInterest),
      graph.each(plan, takerVolumeOf, placed.takerVolume),
    ],
    audits: isAudited
      ? [
          graph.each(plan, (found) => found.metrics, placed.audit),
          graph.each(plan, openInterestOf, placed.openInterestAudit),
          graph.each(plan, takerVolumeOf, placed.takerVolumeAudit),
        ]
      : [],
  }
}
