import { z } from 'zod'
import { runBacktest } from '../../../../lib/backtest/engine.ts'
import { orderKinds, outcomes, reasons } from '../../../../lib/backtest/orders.ts'
import { defineStrategy, type StrategyContext } from '../../../../lib/backtest/strategy.ts'
import { referenceRun } from './reference.ts'
import type { Action, Request, Row } from './story.ts'

/** A strategy that plays the script, and nothing else. */
function playing({ script, onFunding, decisionEveryMs }: Request) {
  const ids: number[] = []
  let lastSettledMs = 0
  const play = (ctx: StrategyContext<unknown, undefined>, actions: readonly Action[] = []) => {
    for (const action of actions) {
      if ('order' in action) ids.push(ctx.order(action.order))
      else if ('cancel' in action) ctx.cancel(ids[action.cancel] ?? 0)
      else if ('cancelAll' in action) ctx.cancelAll(action.cancelAll)
      else if (action.othersToZero) ctx.setWeights(action.weights)
      else for (const [symbol, weight] of Object.entries(action.weights)) ctx.setWeight(symbol, weight)
    }
  }
  return defineStrategy<unknown, undefined>({
    name: 'script',
    params: z.unknown(),
    decisionEvery: `${decisionEveryMs / 1000}s`,
    onBar: (ctx) => play(ctx, script.get(ctx.nowMs)),
    // Heard once for each symbol that settles, and played at the first.
    onFunding(ctx, { tsMs }) {
      if (tsMs !== lastSettledMs) play(ctx, onFunding.get(tsMs))
      lastSettledMs = tsMs
    },
  })
}

const line = (row: Record<string, unknown>): string =>
  Object.entries(row)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')

function engineRun(request: Request) {
  const { market, config, fromMs, toMs } = request
  const strategy = playing(request)
  return runBacktest({ market, strategy, params: {}, config, fromMs, toMs, observe: (_, ledger) => ledger.audit() })
}

/** Both runs as lines of text, to be equal to the last digit. */
export function bothStories(request: Request) {
  const result = engineRun(request)
  const reference = referenceRun(request)
  const { fills, equity } = result
  const iso = (tsMs: number) => (Number.isNaN(tsMs) ? '-' : new Date(tsMs).toISOString().slice(5, 23))
  const px = (value: number | bigint | undefined) => (value === undefined || Number.isNaN(value) ? '-' : String(value))
  // Ids that no row tells of are nobody's business: orders are counted by those that have a row.
  const ranks = (ids: Iterable<number>) => {
    const sorted = [...new Set(ids)].sort((a, b) => a - b)
    return (id: number) => sorted.indexOf(id)
  }
  const rankOfEngine = ranks(fills.orderId)
  const rankOfReference = ranks(reference.rows.map((row) => row.id))
  const ofEngine = Array.from({ length: fills.rows }, (_, i) =>
    line({
      ts: iso(fills.tsMs[i]!),
      symbol: result.symbols[fills.symbol[i]!],
      id: rankOfEngine(fills.orderId[i]!),
      kind: orderKinds[fills.kind[i]!],
      outcome: outcomes[fills.outcome[i]!],
      reason: reasons[fills.reason[i]!],
      flags: fills.flags[i],
      maker: fills.isMaker[i],
      wanted: fills.wantedQty[i],
      qty: fills.qty[i],
      position: fills.positionQty[i],
      limit: px(fills.limitPx[i]),
      stop: px(fills.stopPx[i]),
      reference: px(fills.referencePx[i]),
      fill: px(fills.fillPx[i]),
      fee: fills.fee[i],
      slippage: fills.slippage[i],
      decided: iso(fills.decisionTsMs[i]!),
      active: iso(fills.activeTsMs[i]!),
      bar: iso(fills.barOpenTsMs[i]!),
    }),
  )
  const ofReference = reference.rows.map((row: Row) =>
    line({
      ts: iso(row.tsMs),
      symbol: row.symbol,
      id: rankOfReference(row.id),
      kind: row.kind,
      outcome: row.outcome,
      reason: row.reason,
      flags: row.flags,
      maker: row.isMaker ? 1 : 0,
      wanted: row.wanted,
      qty: row.qty,
      position: row.position,
      limit: px(row.limit),
      stop: px(row.stop),
      reference: px(row.reference),
      fill: px(row.fill),
      fee: row.fee,
      slippage: row.slippage,
      decided: iso(row.decisionTsMs),
      active: iso(row.activeTsMs),
      bar: iso(row.barOpenTsMs),
    }),
  )
  const everyMs = Math.max(request.config.equityEveryMs, request.market.intervalMs)
  const columns = [
    'equity',
    'cash',
    'gross',
    'net',
    'pricePnl',
    'slippage',
    'fees',
    'funding',
    'liquidationFees',
  ] as const
  const worth = (tsMs: number, of: (name: (typeof columns)[number]) => unknown) =>
    `${iso(tsMs)} ${columns.map((c) => `${c}=${String(of(c))}`).join(' ')}`
  const engineCurve = Array.from({ length: equity.rows }, (_, i) => worth(equity.tsMs[i]!, (c) => equity[c][i]))
  const referenceCurve = reference.curve
    .filter(({ tsMs }, i, { length }) => i === 0 || i === length - 1 || tsMs % everyMs === 0)
    .map((row) => worth(row.tsMs, (c) => row[c]))
  return {
    engine: [...ofEngine, ...engineCurve, result.outcome],
    reference: [...ofReference, ...referenceCurve, reference.outcome],
    fills: fills.rows,
  }
}
