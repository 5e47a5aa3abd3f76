import { z } from 'zod'
import { backtestConfig } from '../../backtest/config.ts'
import { durationMs } from '../../backtest/duration.ts'
import type { Strategy } from '../../backtest/strategy.ts'
import { Fault } from '../../fault.ts'
import type { ReplaySummary } from '../../tables/events.ts'
import { dayStart, formatUtc, intervalMs, isDay } from '../../time.ts'
import type { RunRequest } from './backtestFiles.ts'
import type { BacktestInputOptions, PreparedMarket } from './backtestInput.ts'
import { strategyParams } from './strategyParams.ts'

const day = z.string().refine(isDay, 'not a day such as 2026-03-01')

/** What a backtest is asked for. Execution assumptions are part of it, and so of the key and the manifest. */
export const backtestParams = z
  .object({
    baseInterval: z.enum(['1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h']).default('1m'),
    from: day,
    /** The first day that is not included. */
    to: day,
    strategy: z.record(z.string(), z.unknown()).default({}),
    execution: backtestConfig.prefault({}),
    /** For how long a feature may be used after it became known; as long as a bar unless said. */
    maxFeatureAgeMs: z.int().positive().optional(),
  })
  .refine(({ from, to }) => from < to, {
    error: 'must be after "from": it is the first day not included',
    path: ['to'],
  })
export type BacktestParams = z.output<typeof backtestParams>

/** All that the market of a run depends on besides the data. Strategies that declare no columns share one market. */
export const marketFacts = (asked: BacktestParams, { name, columns = [] }: Strategy): BacktestInputOptions => ({
  ...rangeOf(asked),
  intervalMs: intervalMs(asked.baseInterval),
  cashDecimals: asked.execution.cashDecimals,
  columns,
  maxFeatureAgeMs: asked.maxFeatureAgeMs ?? intervalMs(asked.baseInterval),
  ...(columns.length === 0 ? {} : { strategy: name }),
})

const rangeOf = ({ from, to }: BacktestParams) => ({ fromMs: dayStart(from), toMs: dayStart(to) })

/** What is asked of a run, with what was found in its data written down beside it. */
export function describeRun<Params>(
  {
    prepared: { stamp },
    strategy,
    replay,
  }: {
    readonly prepared: Pick<PreparedMarket, 'stamp'>
    readonly strategy: Strategy<Params>
    readonly replay?: ReplaySummary | undefined
  },
  asked: BacktestParams,
  log: (message: string) => void,
): RunRequest & { readonly strategy: { readonly params: Params } } {
  const { execution, baseInterval } = asked
  const range = rangeOf(asked)
  const params = strategyParams(strategy, asked.strategy)
  if (durationMs(strategy.decisionEvery, `strategy ${strategy.name}`) < intervalMs(baseInterval)) {
    log(`the strategy decides every ${strategy.decisionEvery}, and is asked at each close of its ${baseInterval} bars`)
  }
  const { withoutBars, delisted } = stamp.universe
  if (withoutBars.length > 0) log(`without a bar, and left out: ${withoutBars.join(', ')}`)
  for (const { symbol, tsMs } of delisted) log(`${symbol} ends at ${formatUtc(tsMs)}`)
  if (stamp.unsoundBars > 0) log(`${stamp.unsoundBars} bars left out: their prices cannot be right`)
  return {
    strategy: { name: strategy.name, params },
    interval: baseInterval,
    ...range,
    execution,
    data: { ...stamp, ...eventStream(replay, range) },
  }
}

/** The digest is of what the run saw only if the replay reaches as far. */
function eventStream(
  replay: ReplaySummary | undefined,
  { toMs }: { toMs: number },
): Pick<NonNullable<RunRequest['data']>, 'eventStream'> {
  if (replay === undefined) return {}
  if (replay.toMs < toMs) {
    throw new Fault({
      code: 'failed',
      what: `the replay ends at ${formatUtc(replay.toMs)}, and the backtest at ${formatUtc(toMs)}`,
      where: 'backtest.replay',
      todo: 'wire the replay of the last period of the range',
    })
  }
  const { digest, events, chainFromMs } = replay
  return { eventStream: { digest, events, fromMs: chainFromMs, toMs: replay.toMs } }
}
