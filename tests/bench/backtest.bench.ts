import { createHash } from 'node:crypto'
import { backtestConfig } from '../../lib/backtest/config.ts'
import { runBacktest } from '../../lib/backtest/engine.ts'
import type { ChainHash } from '../../lib/backtest/replay.ts'
import { Replay } from '../../lib/backtest/replay.ts'
import type { ReplayStream } from '../../lib/backtest/replayStream.ts'
import { backtestInput } from '../../lib/market/runs/backtestInput.ts'
import { backtestParams, describeRun, marketFacts } from '../../lib/market/runs/backtestParams.ts'
import { barTable } from '../../lib/market/runs/minuteBars.ts'
import { createRng } from '../../lib/rng.ts'
import { crossSectionalMomentum } from '../../lib/strategies/crossSectionalMomentum.ts'
import { meanReversion } from '../../lib/strategies/meanReversion.ts'
import { decodeTable } from '../../lib/tables/parquet.ts'
import { DAY_MS, dayOf } from '../../lib/time.ts'
import { hourMs, randomMarket, startMs } from '../lib/backtest/markets.ts'
import { minuteFile } from './backtest/minuteFiles.ts'
import { type Bench, medianMs, type Row, rounded } from './measure.ts'

/** A portfolio of 50 symbols over three years of hourly bars, in memory; minutes from their files to the result; and the
 *  merge of bars and trades. */
export const bench: Bench = {
  name: 'backtest',
  async run({ quick }) {
    const runs = quick ? 3 : 5
    const rows: Row[] = []
    const bars = quick ? 8_760 : 26_280
    const market = randomMarket(7, 50, bars)
    const config = backtestConfig.parse({})
    const base = { market, config, fromMs: startMs, toMs: startMs + bars * hourMs }
    const note = `50 symbols, ${bars} hourly bars each, funding and marks, audited every hour`
    const momentum = () =>
      runBacktest({ ...base, strategy: crossSectionalMomentum, params: crossSectionalMomentum.params.parse({}) })
    rows.push({ name: 'momentum, daily decisions', value: rounded(await medianMs(runs, momentum)), unit: 'ms', note })
    const reversion = () => runBacktest({ ...base, strategy: meanReversion, params: meanReversion.params.parse({}) })
    rows.push({ name: 'mean reversion, hourly', value: rounded(await medianMs(runs, reversion)), unit: 'ms', note })

    rows.push(...(await minuteRows(runs, quick ? 30 : 120)))

    const sha256: ChainHash = (previous, block) => createHash('sha256').update(previous).update(block).digest()
    for (const symbols of [4, 20]) {
      const streams = sampleStreams(symbols, (quick ? 1_000_000 : 8_000_000) / symbols)
      let events = 0
      const replay = () => {
        const merged = new Replay(streams, sha256)
        while (merged.next() !== undefined);
        events = merged.events
      }
      const ms = await medianMs(runs, replay)
      const name = `replay of trades and bars, ${symbols} symbols`
      rows.push({ name, value: rounded(events / ms / 1000), unit: 'M events/s', note: 'merge and SHA-256, 1 thread' })
    }
    return rows
  },
}

/** Sixteen symbols, a file a month: decoded as the task's port does, brought into the engine's form, run. */
async function minuteRows(runs: number, days: number): Promise<Row[]> {
  const names = Array.from({ length: 16 }, (_, s) => `M${String(s).padStart(2, '0')}USDT`)
  const months = Array.from({ length: days / 30 }, (_, month) => startMs + month * 30 * DAY_MS)
  const files = names.flatMap((symbol) => months.map((fromMs) => minuteFile(symbol, 3, fromMs, 30)))
  const universe = {
    symbols: names.map((symbol) => ({
      symbol,
      tickSize: '0.01',
      stepSize: '0.001',
      minNotional: '5',
      onboardTsMs: 0,
    })),
    rejected: [],
  }
  const asked = backtestParams.parse({
    from: dayOf(startMs),
    to: dayOf(startMs + days * DAY_MS),
    strategy: { lookback: '1d' },
  })
  const strategy = { ...crossSectionalMomentum, decisionEvery: '4h' as const }
  const decode = () => files.map((bytes) => decodeTable(barTable, bytes))
  const minutes = decode()
  const prepare = () => backtestInput({ universe, minutes, funding: [] }, marketFacts(asked, strategy))
  const prepared = prepare()
  const { fromMs, toMs, execution: config, strategy: described } = describeRun({ prepared, strategy }, asked, () => {})
  const run = () => runBacktest({ market: prepared.market, strategy, params: described.params, config, fromMs, toMs })
  const bars = minutes.reduce((sum, { rowCount }) => sum + rowCount, 0)
  const note = `16 symbols, ${days} days of minutes: ${bars} bars in ${files.length} files`
  const row = async (name: string, work: () => unknown) => ({
    name,
    value: rounded(await medianMs(runs, work)),
    unit: 'ms',
    note,
  })
  return [
    await row('minutes: decoded', decode),
    await row('minutes: brought into form', prepare),
    await row('minutes: run, decisions each 4h', run),
  ]
}

function sampleStreams(symbols: number, trades: number): ReplayStream[] {
  const bars = Math.floor(trades / 20)
  return Array.from({ length: symbols }, (_, s) => {
    const rng = createRng(1, s)
    const tradeTsMs = new Float64Array(trades)
    let tsMs = startMs
    for (let i = 0; i < trades; i++) tradeTsMs[i] = tsMs += rng.below(6_000)
    const noise = (rows: number) => Float64Array.from({ length: rows }, () => rng.uniform())
    const source = `s${s}`
    const trade: ReplayStream = {
      source,
      class: 'trade',
      knownAtMs: tradeTsMs,
      sequence: Float64Array.from({ length: trades }, (_, i) => i),
      columns: { px: noise(trades), qty: noise(trades) },
    }
    const barClose: ReplayStream = {
      source,
      class: 'barClose',
      knownAtMs: Float64Array.from({ length: bars }, (_, i) => startMs + (i + 1) * 60_000),
      columns: { open: noise(bars), high: noise(bars), low: noise(bars), close: noise(bars), volume: noise(bars) },
    }
    return [trade, barClose]
  }).flat()
}
