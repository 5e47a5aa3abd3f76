import type { BacktestConfig } from '../../../../lib/backtest/config.ts'
import { backtestConfig } from '../../../../lib/backtest/config.ts'
import { fromUnits, type Instrument, makeInstrument } from '../../../../lib/backtest/instrument.ts'
import type { SymbolInput, TimeSpan, UniverseChange } from '../../../../lib/backtest/market.ts'
import { createRng, type Rng } from '../../../../lib/rng.ts'
import type { Action, Request } from './story.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const startMs = Date.UTC(2024, 0, 1)

const pick = <T>(rng: Rng, from: readonly T[]): T => from[rng.below(from.length)]!
const chance = (rng: Rng, oneIn: number): boolean => rng.below(oneIn) === 0
const between = (rng: Rng, low: number, high: number): number => low + rng.uniform() * (high - low)

/** Tick, step, a price to begin at: from a coin of a millionth to one of a hundred thousand. */
const kinds = [
  ['0.01', '0.01', 100],
  ['0.1', '0.001', 60_000],
  ['0.0000001', '1', 0.0009],
  ['0.000001', '10', 0.00002],
  ['1', '0.0001', 3_000],
  ['0.0005', '0.5', 0.6],
  ['0.05', '0.02', 7],
] as const

function randomSymbol(rng: Rng, name: string, bars: number, intervalMs: number): SymbolInput {
  const [tickSize, stepSize, firstPrice] = pick(rng, kinds)
  const instrument = makeInstrument({ symbol: name, tickSize, stepSize, minNotional: pick(rng, ['5', '20', '100']) }, 8)
  const { tickPx, stepQty, pxDecimals, qtyDecimals } = instrument
  const ticks = (px: number) => Math.max(1, Math.round(px / tickPx)) * tickPx
  type Column = 'openTsMs' | 'openPx' | 'highPx' | 'lowPx' | 'closePx' | 'volumeQty' | 'tradeCount'
  const rows: Record<Column, number[]> = {
    ...{ openTsMs: [], openPx: [], highPx: [], lowPx: [], closePx: [] },
    ...{ volumeQty: [], tradeCount: [] },
  }
  const marks = { openPx: [] as number[], highPx: [] as number[], lowPx: [] as number[], closePx: [] as number[] }
  const roughness = pick(rng, [0.002, 0.01, 0.03])
  const isThin = chance(rng, 3)
  let last = firstPrice * 10 ** pxDecimals
  let [gap, outage] = [0, 0]
  const begins = chance(rng, 4) ? rng.below(bars >> 1) : 0
  const ends = chance(rng, 5) ? begins + 2 + rng.below(bars - begins) : bars
  for (let i = begins; i < Math.min(ends, bars); i++) {
    if (chance(rng, 60)) gap = 1 + rng.below(6)
    if (chance(rng, 60)) outage = 1 + rng.below(6)
    const jump = chance(rng, 120) ? pick(rng, [0.5, 1.5]) : 1
    const open = ticks(last * (chance(rng, 3) ? 1 + roughness * rng.normal() * 0.3 : 1))
    const close = ticks(open * jump * Math.max(0.2, 1 + roughness * rng.normal()))
    const high = ticks(Math.max(open, close) * (1 + roughness * rng.uniform() * 0.5))
    const low = ticks(Math.min(open, close) * (1 - roughness * rng.uniform() * 0.5))
    const isStill = outage-- > 0
    if (!isStill) last = Math.max(close, 20 * tickPx)
    if (gap-- > 0) continue
    const flat = ticks(last)
    const [o, h, l, c] = isStill ? [flat, flat, flat, flat] : [open, Math.max(open, high), Math.min(open, low), close]
    const coins = (isThin ? between(rng, 200, 20_000) : between(rng, 1e5, 1e7)) / fromUnits(last, pxDecimals)
    rows.openTsMs.push(startMs + i * intervalMs)
    rows.openPx.push(o)
    rows.highPx.push(h)
    rows.lowPx.push(l)
    rows.closePx.push(c)
    rows.volumeQty.push(isStill ? 0 : Math.max(1, Math.round((coins * 10 ** qtyDecimals) / stepQty)) * stepQty)
    rows.tradeCount.push(isStill ? 0 : 1 + rng.below(500))
    const isUnmarked = chance(rng, 40)
    const mark = (px: number) => (isUnmarked ? Number.NaN : Math.max(1, Math.round(px * between(rng, 0.999, 1.001))))
    const [mo, mc, mh, ml] = [mark(o), mark(c), mark(h), mark(l)]
    marks.openPx.push(mo)
    marks.highPx.push(Math.max(mo, mc, mh))
    marks.lowPx.push(Math.min(mo, mc, ml))
    marks.closePx.push(mc)
  }
  const filled = <Name extends string>(of: Record<Name, number[]>) =>
    Object.fromEntries(
      Object.entries<number[]>(of).map(([name, values]) => [name, Float64Array.from(values)]),
    ) as Record<Name, Float64Array>
  const mark = chance(rng, 3) ? undefined : filled(marks)
  const spanMs = bars * intervalMs
  const delistTsMs = chance(rng, 5) ? startMs + (bars >> 1) * intervalMs + rng.below(bars >> 1) * intervalMs : undefined
  return {
    instrument,
    bars: { ...filled(rows), mark },
    funding: chance(rng, 5) ? undefined : randomFunding(rng, spanMs, last),
    ...(delistTsMs === undefined ? {} : { delistTsMs }),
    quarantine: randomSpans(rng, spanMs, intervalMs),
  }
}

function randomFunding(rng: Rng, spanMs: number, px: number): SymbolInput['funding'] {
  const tsMs: number[] = []
  let at = startMs
  let everyMs = pick(rng, [1, 4, 8]) * hourMs
  for (;;) {
    if (chance(rng, 10)) everyMs = pick(rng, [1, 4, 8]) * hourMs
    at = Math.floor(at / everyMs + 1) * everyMs
    if (at > startMs + spanMs) break
    if (!chance(rng, 20)) tsMs.push(at)
  }
  const rate = () =>
    BigInt(Math.round(rng.normal() * 30_000)) * 10n ** 10n + (chance(rng, 4) ? BigInt(rng.below(1e9)) : 0n)
  return {
    tsMs: Float64Array.from(tsMs),
    rateE18: BigInt64Array.from(tsMs, rate),
    markPx: Float64Array.from(tsMs, () =>
      chance(rng, 3) ? Number.NaN : Math.max(1, Math.round(px * between(rng, 0.9, 1.1))),
    ),
  }
}

function randomSpans(rng: Rng, spanMs: number, intervalMs: number): TimeSpan[] {
  const spans: TimeSpan[] = []
  let at = startMs
  while (chance(rng, 2)) {
    const offMs = chance(rng, 4) ? rng.below(intervalMs / minuteMs) * minuteMs : 0
    const fromMs = at + rng.below(Math.round(spanMs / intervalMs)) * intervalMs + offMs
    const toMs = fromMs + (1 + rng.below(10)) * intervalMs
    spans.push({ fromMs, toMs })
    at = toMs
  }
  return spans
}

function randomUniverse(
  rng: Rng,
  names: readonly string[],
  bars: number,
  intervalMs: number,
): UniverseChange[] | undefined {
  if (chance(rng, 2)) return undefined
  const changes: UniverseChange[] = []
  for (let i = 0; i < bars; i += 1 + rng.below(bars >> 1)) {
    const offMs = i > 0 && chance(rng, 4) ? rng.below(intervalMs / minuteMs) * minuteMs : 0
    changes.push({ tsMs: startMs + i * intervalMs + offMs, symbols: names.filter(() => !chance(rng, 3)) })
  }
  return changes
}

function randomConfig(rng: Rng, intervalMs: number): BacktestConfig {
  const day = pick(rng, ['2024-01-01', '2024-01-02', '2024-01-05'])
  const maybe = <T>(value: T): T | undefined => (chance(rng, 4) ? value : undefined)
  const fees = (maker: number, taker: number) => ({ regular: { makerBps: maker, takerBps: taker } })
  const level = (...rates: number[]) => {
    const borders = [5_000, 50_000, 1_000_000]
    return rates.map((maintenanceBps, i) => ({
      maintenanceBps,
      ...(i < rates.length - 1 ? { upToUsdt: borders[i]! } : {}),
    }))
  }
  return backtestConfig.parse({
    capitalUsdt: pick(rng, [1_000, 10_000, 100_000, 12_345.67]),
    marginMode: chance(rng, 3) ? 'isolated' : 'cross',
    leverageMax: pick(rng, [1, 2, 3, 7.5, 20]),
    latencyMs: pick(rng, [
      0,
      200,
      200,
      30_000,
      minuteMs,
      5 * minuteMs,
      10 * minuteMs,
      intervalMs,
      0.75 * intervalMs,
      2 * intervalMs,
    ]),
    fees: [
      { from: '2023-01-01', tiers: fees(pick(rng, [2, 0, -0.5]), pick(rng, [5, 4.5, 0])) },
      { from: day, tiers: fees(1.8, pick(rng, [4.05, 3.3333])) },
    ].slice(0, 1 + rng.below(2)),
    slippage: pick(rng, [
      { model: 'fixedBps', bps: pick(rng, [0, 1, 1.5, 7, 30]) },
      { model: 'halfSpread', spreadBps: pick(rng, [0, 3, 20]), bySymbol: { S1: 9 } },
      { model: 'sqrtImpact', coefficient: pick(rng, [1, 0.7]), lookbackBars: pick(rng, [2, 5, 24]) },
    ]),
    volumeShareMax: pick(rng, [0.01, 0.1, 0.3, 1]),
    brackets: pick(rng, [
      [{ from: '2019-01-01', levels: level(40, 50, 100, 250) }],
      [
        { from: '2019-01-01', levels: level(100, 500) },
        { from: '2024-01-01', symbol: 'S1', levels: level(200, 300, 1000) },
        { from: day, levels: level(50, 250) },
      ],
    ]),
    liquidationFeeBps: pick(rng, [0, 50, 125]),
    risk: { grossMax: maybe(1.3), netMax: maybe(0.6), symbolMax: maybe(0.45), drawdownMax: maybe(0.25) },
    equityEveryMs: pick(rng, [hourMs, 4 * hourMs, 24 * hourMs, 15 * minuteMs]),
  })
}

type Look = (index: number, tsMs: number) => number | undefined

function randomActions(
  rng: Rng,
  tsMs: number,
  instruments: readonly Instrument[],
  capital: number,
  temper: Temper,
  look: Look,
  orders: number,
): Action[] {
  const actions: Action[] = []
  const count = chance(rng, temper.quiet) ? 1 + rng.below(temper.many) : 0
  for (let i = 0; i < count; i++) {
    const s = rng.below(instruments.length)
    const { symbol, qtyDecimals, pxDecimals } = instruments[s]!
    const close = look(s, tsMs)
    const way = rng.below(10)
    if (way < temper.weights) {
      const weight = () => ((rng.below(129) - 64) / 64) * temper.reach
      if (chance(rng, 3)) actions.push({ weights: { [symbol]: weight() }, othersToZero: false })
      else
        actions.push({
          weights: Object.fromEntries(instruments.filter(() => chance(rng, 2)).map((one) => [one.symbol, weight()])),
          othersToZero: true,
        })
    } else if (way === 9) {
      actions.push(
        chance(rng, 2) && orders > 0
          ? { cancel: rng.below(orders) }
          : { cancelAll: chance(rng, 2) ? undefined : symbol },
      )
    } else {
      const size = (capital * temper.reach * rng.uniform() * rng.uniform()) / (close ?? 100)
      const qty = Number((chance(rng, 2) ? size : -size).toFixed(qtyDecimals + 1))
      if (qty === 0) continue
      const kind = temper.stops === 1 ? 'stop' : pick(rng, ['market', 'market', 'limit', 'limit', 'stop'] as const)
      const px = Number(((close ?? 100) * between(rng, 0.97, 1.03)).toFixed(pxDecimals + 1))
      const price = kind === 'market' || px <= 0 ? {} : { price: px }
      if (kind !== 'market' && px <= 0) continue
      orders++
      actions.push({ order: { symbol, qty, kind, reduceOnly: chance(rng, temper.stops), ...price } })
    }
  }
  return actions
}

interface Temper {
  quiet: number
  many: number
  weights: number
  reach: number
  /** One order in so many only reduces; at one, all of them are stops that do. */
  stops: number
}

/** A market, a config, and what a strategy asks for in it. */
export function randomRun(seed: number): Request {
  const rng = createRng(seed, 'reference')
  const intervalMs = pick(rng, [1, 5, 15, 60, 60, 240]) * minuteMs
  const bars = 50 + rng.below(350)
  const names = Array.from({ length: 2 + rng.below(4) }, (_, i) => `S${i}`)
  const symbols = names.map((name, i) => randomSymbol(createRng(seed, 'symbol', i), name, bars, intervalMs))
  const universe = randomUniverse(rng, names, bars, intervalMs)
  // All that may be borrowed, with stops: else hardly anybody is liquidated.
  const isBold = chance(rng, 4)
  const anyConfig = randomConfig(rng, intervalMs)
  const config = isBold ? { ...anyConfig, leverageMax: 20, risk: {}, volumeShareMax: 1 } : anyConfig
  const fromMs = startMs + (chance(rng, 3) ? rng.below(20) * intervalMs : 0)
  const toMs = startMs + (bars - (chance(rng, 3) ? rng.below(20) : 0)) * intervalMs
  const decisionEveryMs = pick(rng, [intervalMs, intervalMs, 4 * intervalMs, hourMs])
  const temper = {
    quiet: pick(rng, [1, 2, 5]),
    many: pick(rng, [1, 2, 4]),
    weights: pick(rng, [0, 2, 5, 9]),
    reach: pick(rng, [0.25, 1, config.leverageMax]),
    stops: 3,
    ...(isBold ? { weights: 3, reach: 20, stops: 1 } : {}),
  }
  const look: Look = (s, tsMs) => {
    const { bars: of, instrument } = symbols[s]!
    let row = -1
    while (row + 1 < of.openTsMs.length && of.openTsMs[row + 1]! + intervalMs <= tsMs) row++
    return row < 0 ? undefined : fromUnits(of.closePx[row]!, instrument.pxDecimals)
  }
  const script = new Map<number, Action[]>()
  const instruments = symbols.map(({ instrument }) => instrument)
  let orders = 0
  for (let tsMs = Math.ceil(fromMs / decisionEveryMs) * decisionEveryMs; tsMs < toMs; tsMs += decisionEveryMs) {
    const actions = randomActions(rng, tsMs, instruments, config.capitalUsdt, temper, look, orders)
    orders += actions.filter((action) => 'order' in action).length
    if (actions.length > 0) script.set(tsMs, actions)
  }
  const onFunding = new Map<number, Action[]>()
  const settledMs = [...new Set(symbols.flatMap(({ funding }) => [...(funding?.tsMs ?? [])]))].sort((a, b) => a - b)
  for (const tsMs of chance(rng, 3) ? settledMs.filter((at) => at >= fromMs) : []) {
    const actions = randomActions(rng, tsMs, instruments, config.capitalUsdt, temper, look, 0)
    if (actions.length > 0) onFunding.set(tsMs, actions)
  }
  const market = { intervalMs, symbols, ...(universe ? { universe } : {}) }
  return { market, config, fromMs, toMs, decisionEveryMs, script, onFunding }
}
