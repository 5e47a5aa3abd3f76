import type { Partition } from '../../../lib/market/partitions.ts'
import { statisticsReachMs } from '../../../lib/market/planDataset.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditMetrics } from '../../../tasks/ingest/metrics/auditMetrics.ts'
import { fetchMetrics } from '../../../tasks/ingest/metrics/fetchMetrics.ts'
import { ingestMetrics } from '../../../tasks/ingest/metrics/ingestMetrics.ts'
import { fetchOpenInterestPage } from '../../../tasks/ingest/openInterest/fetchOpenInterestPage.ts'
import { ingestOpenInterest } from '../../../tasks/ingest/openInterest/ingestOpenInterest.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import { fetchTakerVolumePage } from '../../../tasks/ingest/takerVolume/fetchTakerVolumePage.ts'
import { ingestTakerVolume } from '../../../tasks/ingest/takerVolume/ingestTakerVolume.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'
import { spanOf } from './funding.ts'

/** The venue's statistics by day: the archive's metrics, and open interest and taker volumes of the API's last month. */
export function addStatistics(
  graph: Graph,
  plan: NodeHandle<typeof planPartitions.output>,
  choice: VenueChoice,
  { policy, audit }: DatasetConfig,
): Made {
  const archives = new Map<string, NodeHandle<typeof fetchMetrics.output>>()
  const archiveOf = ({ symbol, period }: Partition) => {
    const at = [symbol, period]
    const known = archives.get(at.join())
    const archive = known ?? graph.add(fetchMetrics, { at, params: { ...choice, symbol, period } })
    archives.set(at.join(), archive)
    return archive
  }
  const metrics = graph.each(
    plan,
    (found) => found.metrics,
    (day) =>
      graph.add(ingestMetrics, {
        at: [day.symbol, day.period],
        params: { ...spanOf(day), policy },
        inputs: { raw: [archiveOf(day)] },
      }),
  )
  const audits = graph.each(
    plan,
    (found) => (audit ? found.metrics : []),
    (day) =>
      graph.add(auditMetrics, {
        at: [day.symbol, day.period],
        params: { ...spanOf(day), policy, partition: `${day.symbol},${day.period}` },
        inputs: { raw: [archiveOf(day)] },
      }),
  )
  const openInterest = graph.each(
    plan,
    ({ openInterest: days, nowTsMs }) => days.map((day) => ({ day, nowTsMs })),
    ({ day, nowTsMs }) =>
      graph.add(ingestOpenInterest, {
        at: [day.symbol, day.period],
        params: { ...spanOf(day), policy },
        inputs: { pages: pagesOf(day, nowTsMs).map((page) => graph.add(fetchOpenInterestPage, page)) },
      }),
  )
  const takerVolume = graph.each(
    plan,
    ({ takerVolume: days, nowTsMs }) => days.map((day) => ({ day, nowTsMs })),
    ({ day, nowTsMs }) =>
      graph.add(ingestTakerVolume, {
        at: [day.symbol, day.period],
        params: { ...spanOf(day), policy },
        inputs: { pages: pagesOf(day, nowTsMs).map((page) => graph.add(fetchTakerVolumePage, page)) },
      }),
  )
  return { tables: [metrics, openInterest, takerVolume], audits: [audits] }

  function pagesOf({ symbol, slices }: Partition, nowTsMs: number) {
    const earliestTsMs = nowTsMs - statisticsReachMs
    return slices.map((slice) => ({
      at: [symbol, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`],
      params: { ...choice, symbol, slice, ...(slice.fromTsMs < earliestTsMs ? { earliestTsMs } : {}) },
    }))
  }
}
