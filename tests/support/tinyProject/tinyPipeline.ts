import { z } from 'zod'
import { filesArtifact, jsonArtifact } from '../../../lib/artifact.ts'
import { defineStrategy, type Strategy } from '../../../lib/backtest/strategy.ts'
import { custom, input, stdOver, sumOver } from '../../../lib/features/column.ts'
import { type FeatureGroup, featureGroup } from '../../../lib/features/feature.ts'
import { universe } from '../../../lib/market/universe/universe.ts'
import { createRng } from '../../../lib/rng.ts'
import { replay as replayArtifact } from '../../../lib/tables/events.ts'
import { features as featureFiles } from '../../../lib/tables/features.ts'
import { klines, klineTable } from '../../../lib/tables/klines.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { DAY_MS, dayStart, HOUR_MS } from '../../../lib/time.ts'
import { definePipeline, defineTask, many, type NodeHandle } from '../../../pipeline/index.ts'
import { buildMinute } from '../../../tasks/minute/buildMinute.ts'
import { qa } from '../../../tasks/minute/qa.ts'
import { checkStrategy } from '../../../tasks/replay/checkStrategy.ts'
import { replay } from '../../../tasks/replay/replay.ts'
import { checkFeatures } from '../../../tasks/research/checkFeatures.ts'
import { features } from '../../../tasks/research/features.ts'

/** The chain in small, for tests of what is around it: made-up hours of a few symbols through the real tasks. */

const walk = filesArtifact('walk')
const verdict = jsonArtifact('verdict', z.object({ digest: z.string(), events: z.number(), files: z.number() }))
const period = z.object({ symbol: z.string(), from: z.string(), to: z.string() })

/** The outside world of this project: steps of a price, a byte an hour. */
export const fetchWalk = defineTask({
  name: 'fetchWalk',
  kind: 'source',
  version: 1,
  params: period,
  output: walk,
  run: async (_, { symbol, from, to }) => {
    const rng = createRng(symbol, from)
    const hours = (dayStart(to) - dayStart(from)) / HOUR_MS
    return [{ name: 'steps.bin', bytes: Uint8Array.from({ length: hours }, () => rng.below(256)) }]
  },
})

export const walkBars = defineTask({
  name: 'walkBars',
  kind: 'pure',
  params: period,
  inputs: { walk },
  output: klines,
  run: (inputs, { symbol, from }) => {
    const steps = inputs.walk.read('steps.bin')
    let at = 100
    const close = Float64Array.from(steps, (step) => (at *= 1 + (step - 127.5) / 20_000))
    const units = (values: Float64Array, scale: (value: number, row: number) => number) =>
      BigInt64Array.from(values, (value, row) => BigInt(Math.round(scale(value, row) * 1e4)) * 10_000n)
    const before = close.map((_, row) => (row === 0 ? 100 : close[row - 1]!))
    const volume = units(close, (_, row) => 10 + steps[row]!)
    const quote = units(close, (value, row) => value * (10 + steps[row]!))
    return makeTable(klineTable, {
      symbol: new Array<string>(steps.length).fill(symbol),
      openTsMs: Float64Array.from(steps, (_, row) => dayStart(from) + row * HOUR_MS),
      open: units(before, (value) => value),
      high: units(close, (value, row) => Math.max(value, before[row]!)),
      low: units(close, (value, row) => Math.min(value, before[row]!)),
      close: units(close, (value) => value),
      volume,
      quoteVolume: quote,
      count: Int32Array.from(steps, (step) => 1 + step),
      takerBuyVolume: volume.map((units) => units / 2n),
      takerBuyQuoteVolume: quote.map((units) => units / 2n),
      closeTsMs: Float64Array.from(steps, (_, row) => dayStart(from) + (row + 1) * HOUR_MS - 1),
    })
  },
})

export const listSymbols = defineTask({
  name: 'listSymbols',
  kind: 'pure',
  params: z.object({ symbols: z.array(z.string()) }),
  inputs: {},
  output: universe,
  run: (_, { symbols }) => ({
    symbols: [...symbols].sort().map((symbol) => ({
      symbol,
      tickSize: '0.0001',
      stepSize: '0.01',
      minNotional: '5',
      onboardTsMs: 0,
    })),
    rejected: [],
  }),
})

export const conclude = defineTask({
  name: 'conclude',
  kind: 'pure',
  params: z.object({}),
  inputs: { replay: replayArtifact, features: many(featureFiles) },
  output: verdict,
  run: (inputs) => ({
    digest: inputs.replay.digest,
    events: inputs.replay.events,
    files: inputs.features.reduce((sum, { names }) => sum + names.length, 0),
  }),
})

export const honest = featureGroup('honest', [
  { name: 'volume_6h', says: 'volume of six hours', column: sumOver(input('volume'), '6h') },
  { name: 'spread_12h', says: 'how far closes lie apart', column: stdOver(input('close'), '12h') },
])

/** One honest column, and one that knows the hour to come. */
export const planted = featureGroup('planted', [
  { name: 'volume_3h', says: 'volume of three hours', column: sumOver(input('volume'), '3h') },
  {
    name: 'tomorrow',
    says: 'the close of the next hour',
    column: custom([input('close')], '1h', ([close], dst) => {
      for (let i = 0; i < dst.length; i++) dst[i] = close![i + 1] ?? Number.NaN
    }),
  },
])

const groups: Readonly<Record<string, FeatureGroup>> = { honest, planted }

export const followsThePast = defineStrategy({
  name: 'followsThePast',
  params: z.object({}),
  decisionEvery: '4h',
  onBar(ctx) {
    for (const symbol of ctx.symbols) {
      const [before, last] = ctx.closes(symbol, 2)
      ctx.setWeight(symbol, last! > before! ? 0.3 : -0.3)
    }
  },
})

/** Learns the whole range by heart while it runs, and trades on it when it runs again. */
const remembered = new Map<string, number>()
export const remembersTheFuture = defineStrategy({
  name: 'remembersTheFuture',
  params: z.object({}),
  decisionEvery: '4h',
  onBar(ctx) {
    for (const symbol of ctx.symbols) {
      const next = remembered.get(`${symbol} ${ctx.nowMs + 4 * HOUR_MS}`)
      ctx.setWeight(symbol, next === undefined || next > ctx.close(symbol) ? 0.3 : -0.3)
      remembered.set(`${symbol} ${ctx.nowMs}`, ctx.close(symbol))
    }
  },
})

const strategies: Readonly<Record<string, Strategy>> = { honest: followsThePast, planted: remembersTheFuture }

const periods = [
  ['2026-03-01', '2026-03-11'],
  ['2026-03-11', '2026-03-21'],
] as const

const config = z.object({
  symbols: z.array(z.string()).default(['AAAUSDT', 'BBBUSDT', 'CCCUSDT']),
  groups: z.array(z.enum(['honest', 'planted'])).default(['honest']),
  strategy: z.enum(['honest', 'planted']).default('honest'),
})

export const tiny = definePipeline('tiny', config, (graph, { symbols, groups: chosen, strategy }) => {
  const members = graph.add(listSymbols, { params: { symbols } })
  const placement = { baseInterval: '1h' as const }
  const minutes = periods.map(([from, to]) =>
    symbols.map((symbol) => {
      const at = [symbol, from]
      const raw = graph.add(fetchWalk, { at, params: { symbol, from, to } })
      const bars = graph.add(walkBars, { at, params: { symbol, from, to }, inputs: { walk: raw } })
      return graph.add(buildMinute, { at, params: { ...placement, symbol, from, to }, inputs: { klines: [bars] } })
    }),
  )
  const all = minutes.flat()
  const verdicts = periods.map(([from, to]) =>
    symbols.map((symbol, s) =>
      graph.add(qa, {
        at: [symbol, from],
        params: { ...placement, symbol, from, to },
        inputs: { minutes: minutes.map((of) => of[s]!) },
      }),
    ),
  )
  const replays: NodeHandle<typeof replayArtifact>[] = []
  for (const [i, [from, to]] of periods.entries()) {
    const inputs = {
      universe: members,
      minutes: minutes.slice(Math.max(0, i - 1), i + 1).flat(),
      qa: verdicts[i]!,
      ...(i === 0 ? {} : { before: replays[i - 1]! }),
    }
    replays.push(graph.add(replay, { at: [from], params: { ...placement, from, to }, inputs }))
  }
  const range = { from: '2026-03-05', to: '2026-03-21' }
  const on = (name: string) => ({
    at: [name],
    params: { ...placement, ...range },
    inputs: { minutes: all },
    code: { group: groups[name]! },
  })
  const columns = chosen.map((name) => graph.add(features, on(name)))
  graph.target('replay', replays.at(-1)!)
  graph.target('report', graph.add(conclude, { inputs: { replay: replays.at(-1)!, features: columns } }))
  graph.target('check-features', ...chosen.map((name) => graph.add(checkFeatures, on(name))))
  graph.target(
    'check-lookahead',
    graph.add(checkStrategy, {
      params: { ...placement, ...range },
      inputs: { universe: members, minutes: all, funding: [] },
      code: { strategy: strategies[strategy]! },
    }),
  )
})

/** The days of the replay. */
export const tinyDays = (dayStart(periods[1][1]) - dayStart(periods[0][0])) / DAY_MS
