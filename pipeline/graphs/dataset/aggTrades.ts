import type { Partition, PlannedSlice } from '../../../lib/market/partitions.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditAggTradeSeam } from '../../../tasks/ingest/aggTrades/auditAggTradeSeam.ts'
import { auditAggTrades } from '../../../tasks/ingest/aggTrades/auditAggTrades.ts'
import { fetchAggTradePages } from '../../../tasks/ingest/aggTrades/fetchAggTradePages.ts'
import { fetchAggTrades } from '../../../tasks/ingest/aggTrades/fetchAggTrades.ts'
import { findTradeTail } from '../../../tasks/ingest/aggTrades/findTradeTail.ts'
import { ingestAggTrades } from '../../../tasks/ingest/aggTrades/ingestAggTrades.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'
import { spanOf } from './funding.ts'
import { placedOnce } from './placedOnce.ts'

const keyOf = ({ symbol, period }: Partition) => [symbol, period]

/** Aggregate trades of contracts by day, up to now: the archive where it has the day, and the API for the hours behind. */
export function addAggTrades(
  graph: Graph,
  plan: NodeHandle<typeof planPartitions.output>,
  choice: VenueChoice,
  { policy }: DatasetConfig,
): Made {
  const place = placedOnce(keyOf, (day: Partition) => {
    const at = keyOf(day)
    const { symbol, period } = day
    const isOver = day.closedBeforeTsMs === undefined
    const archive =
      day.isArchived || isOver ? graph.add(fetchAggTrades, { at, params: { ...choice, symbol, period } }) : undefined
    const pages = day.isArchived
      ? undefined
      : archive === undefined
        ? day.slices.map(pageOf(day))
        : [tailOf(day, archive)]
    const servedFromTsMs = day.isArchived ? undefined : day.slices[0]?.fromTsMs
    const params = {
      ...spanOf(day),
      policy,
      ...(servedFromTsMs === undefined || servedFromTsMs <= day.fromTsMs ? {} : { servedFromTsMs }),
    }
    const table = graph.add(ingestAggTrades, { at, params, inputs: { archive, pages } })
    const audit = graph.add(auditAggTrades, {
      at,
      params: { ...params, partition: at.join(',') },
      // What is rejected has no table to tell of it.
      inputs: policy === 'reject' ? { archive, pages } : { table },
    })
    return { table, audit }
  })
  const tables = graph.each(
    plan,
    ({ aggTrades }) => aggTrades,
    (day) => place(day).table,
  )
  const audits = graph.each(
    plan,
    ({ aggTrades }) => aggTrades,
    (day) => place(day).audit,
  )
  const seams = graph.each(
    plan,
    ({ aggTrades }) => seamsOf(aggTrades),
    ({ before, after }) =>
      graph.add(auditAggTradeSeam, {
        at: keyOf(after),
        params: { policy, partition: keyOf(after).join(',') },
        inputs: { before: place(before).table, after: place(after).table },
      }),
  )
  return { tables: [tables], audits: [audits, seams] }

  function tailOf(day: Partition, archive: NodeHandle<typeof fetchAggTrades.output>) {
    const tail = graph.add(findTradeTail, { at: keyOf(day), params: { slices: day.slices }, inputs: { archive } })
    return graph.each(tail, ({ slices }) => slices, pageOf(day))
  }

  function pageOf({ symbol }: Partition) {
    return (slice: PlannedSlice) =>
      graph.add(fetchAggTradePages, {
        at: [symbol, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`],
        params: { ...choice, symbol, slice },
      })
  }
}

/** Neighbouring days of which another source may serve each. */
function seamsOf(days: readonly Partition[]): { before: Partition; after: Partition }[] {
  return days.flatMap((after, i) => {
    const before = days[i - 1]
    const isSeam = before?.symbol === after.symbol && before.toTsMs === after.fromTsMs && !after.isArchived
    return isSeam ? [{ before, after }] : []
  })
}
