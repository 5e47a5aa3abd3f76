import type { Partition, PlannedSlice } from '../../../lib/market/plan/partitions.ts'
import type { DatasetPlan } from '../../../lib/market/plan/planDataset.ts'
import { spotTailDays } from '../../../lib/market/plan/tradeTail.ts'
import type { VenueChoice } from '../../../lib/venues/hosts.ts'
import { auditAggTradeSeam } from '../../../tasks/ingest/aggTrades/auditAggTradeSeam.ts'
import { auditAggTrades } from '../../../tasks/ingest/aggTrades/auditAggTrades.ts'
import { auditSpotAggTradeSeam } from '../../../tasks/ingest/aggTrades/auditSpotAggTradeSeam.ts'
import { auditSpotAggTrades } from '../../../tasks/ingest/aggTrades/auditSpotAggTrades.ts'
import { fetchAggTradePages } from '../../../tasks/ingest/aggTrades/fetchAggTradePages.ts'
import { fetchAggTrades } from '../../../tasks/ingest/aggTrades/fetchAggTrades.ts'
import { fetchSpotAggTradePages } from '../../../tasks/ingest/aggTrades/fetchSpotAggTradePages.ts'
import { fetchSpotAggTrades } from '../../../tasks/ingest/aggTrades/fetchSpotAggTrades.ts'
import { findTradeTail } from '../../../tasks/ingest/aggTrades/findTradeTail.ts'
import { ingestAggTrades } from '../../../tasks/ingest/aggTrades/ingestAggTrades.ts'
import { ingestSpotAggTrades } from '../../../tasks/ingest/aggTrades/ingestSpotAggTrades.ts'
import type { planPartitions } from '../../../tasks/ingest/planPartitions.ts'
import type { Graph, NodeHandle } from '../../engine/graph.ts'
import type { DatasetConfig } from '../dataset.ts'
import type { Made } from './bars.ts'
import { spanOf } from './funding.ts'
import { placedOnce } from './placedOnce.ts'

const keyOf = ({ symbol, period }: Partition) => [symbol, period]

/** The tasks of a market. Those of coin pairs take what those of contracts take, into another table. */
const stepsOf = {
  usdm: {
    daysOf: ({ aggTrades }: DatasetPlan) => aggTrades,
    fetch: fetchAggTrades,
    fetchPages: fetchAggTradePages,
    ingest: ingestAggTrades,
    audit: auditAggTrades,
    auditSeam: auditAggTradeSeam,
  },
  spot: {
    daysOf: spotTailDays,
    fetch: fetchSpotAggTrades as unknown as typeof fetchAggTrades,
    fetchPages: fetchSpotAggTradePages as unknown as typeof fetchAggTradePages,
    ingest: ingestSpotAggTrades as unknown as typeof ingestAggTrades,
    audit: auditSpotAggTrades as unknown as typeof auditAggTrades,
    auditSeam: auditSpotAggTradeSeam as unknown as typeof auditAggTradeSeam,
  },
} as const

/** Aggregate trades by day, up to now: the archive where it has the day, and the API for the hours behind. Each table is
 *  placed when it is first asked for. */
export function aggTradeTables(
  graph: Graph,
  choice: VenueChoice,
  { policy }: DatasetConfig,
  market: keyof typeof stepsOf,
) {
  const steps = stepsOf[market]
  const place = placedOnce(keyOf, (day: Partition) => {
    const at = keyOf(day)
    const { symbol, period } = day
    const isOver = day.closedBeforeTsMs === undefined
    const archive =
      day.isArchived || isOver ? graph.add(steps.fetch, { at, params: { ...choice, symbol, period } }) : undefined
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
    const table = graph.add(steps.ingest, { at, params, inputs: { archive, pages } })
    const audit = graph.add(steps.audit, {
      at,
      params: { ...params, partition: at.join(',') },
      // What is rejected has no table to tell of it.
      inputs: policy === 'reject' ? { archive, pages } : { table },
    })
    return { table, audit }
  })
  return {
    table: (day: Partition) => place(day).table,
    audit: (day: Partition) => place(day).audit,
    seam: ({ before, after }: { before: Partition; after: Partition }) =>
      graph.add(steps.auditSeam, {
        at: keyOf(after),
        params: { policy, partition: keyOf(after).join(',') },
        inputs: { before: place(before).table, after: place(after).table },
      }),
  }

  function tailOf(day: Partition, archive: NodeHandle<typeof fetchAggTrades.output>) {
    // One task for both markets, and a coin's pair may have its contract's name.
    const at = [...(market === 'usdm' ? [] : [market]), ...keyOf(day)]
    const tail = graph.add(findTradeTail, { at, params: { slices: day.slices, policy }, inputs: { archive } })
    return graph.each(tail, ({ slices }) => slices, pageOf(day))
  }

  function pageOf({ symbol }: Partition) {
    return (slice: PlannedSlice) =>
      graph.add(steps.fetchPages, {
        at: [symbol, `${slice.fromTsMs}-${slice.asOfTsMs ?? slice.toTsMs}`],
        params: { ...choice, symbol, slice },
      })
  }
}

/** All aggregate trades of a market in a plan. */
export function addAggTrades(
  graph: Graph,
  plan: NodeHandle<typeof planPartitions.output>,
  { table, audit, seam }: ReturnType<typeof aggTradeTables>,
  market: keyof typeof stepsOf,
): Made {
  const { daysOf } = stepsOf[market]
  return {
    tables: [graph.each(plan, daysOf, table)],
    audits: [graph.each(plan, daysOf, audit), graph.each(plan, (found) => seamsOf(daysOf(found)), seam)],
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
