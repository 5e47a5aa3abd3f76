import type { UniverseChange } from '../backtest/market.ts'
import type { ReplayStream } from '../backtest/replayStream.ts'
import { joinSettlements } from '../minute/settlements.ts'
import type { fundingTable } from '../tables/funding.ts'
import type { QaReport } from '../tables/qa.ts'
import type { TableOf } from '../tables/table.ts'

/** What happens now and then: small enough to be held for the whole range. */
export interface SparseEvents {
  readonly funding: readonly TableOf<typeof fundingTable>[]
  readonly quality: readonly QaReport[]
  readonly universe: readonly UniverseChange[]
}

/** The streams of one symbol over all time. */
export function sparseStreams(symbol: string, { funding, quality, universe }: SparseEvents): ReplayStream[] {
  return [fundingStream(symbol, funding), memberStream(symbol, universe), maskStream(symbol, quality)]
}

function fundingStream(symbol: string, tables: SparseEvents['funding']): ReplayStream {
  const { tsMs, rate, intervalHours } = joinSettlements(tables, symbol)
  const rates = Float64Array.from(rate, (units) => Number(units) / 1e18)
  return { source: symbol, class: 'funding', knownAtMs: tsMs, columns: { rate: rates, intervalHours } }
}

function memberStream(symbol: string, universe: readonly UniverseChange[]): ReplayStream {
  const steps: { tsMs: number; value: number }[] = []
  for (const { tsMs, symbols } of [...universe].sort((a, b) => a.tsMs - b.tsMs)) {
    steps.push({ tsMs, value: symbols.includes(symbol) ? 1 : 0 })
  }
  return stepStream(symbol, 'member', steps)
}

const levels = { quarantine: 1, reject: 2 } as const

/** Masks of reports that follow each other meet at their borders: what counts is where the level changes. */
function maskStream(symbol: string, reports: readonly QaReport[]): ReplayStream {
  const masks = reports.filter((report) => report.symbol === symbol).flatMap((report) => report.masks)
  const instants = [...new Set(masks.flatMap(({ fromMs, toMs }) => [fromMs, toMs]))].sort((a, b) => a - b)
  const steps = instants.map((tsMs) => ({
    tsMs,
    value: masks.reduce(
      (level, mask) => (mask.fromMs <= tsMs && tsMs < mask.toMs ? Math.max(level, levels[mask.action]) : level),
      0,
    ),
  }))
  return stepStream(`${symbol}#qa`, 'mask', steps)
}

/** Only the steps that change something; before the first the value is 0. */
function stepStream(source: string, name: string, steps: readonly { tsMs: number; value: number }[]): ReplayStream {
  const changes = steps.filter(({ value }, i) => value !== (i === 0 ? 0 : steps[i - 1]!.value))
  return {
    source,
    class: 'universe',
    knownAtMs: Float64Array.from(changes, ({ tsMs }) => tsMs),
    columns: { [name]: Float64Array.from(changes, ({ value }) => value) },
  }
}
