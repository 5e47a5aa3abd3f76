import { dayStart, parseUtc } from '../time.ts'
import type { AssetSpec, HaltSpec, InstrumentSpec, MarketConfig } from './config.ts'
import { defaultEffects } from './effects.ts'

const START = dayStart('2026-01-01')
const at = (text: string): number => {
  const tsMs = parseUtc(text)
  if (tsMs === undefined) throw new RangeError(`not a UTC instant: ${text}`)
  return tsMs
}

/** The events of the default world, in one place: tests and the demo speak of them by name. */
export const defaultEvents = {
  nowTsMs: at('2026-08-05T09:00:30Z'),
  startTsMs: START,
  /** SUIUSDT and WIFUSDT come later than the others. */
  suiOnboardTsMs: at('2026-02-10T12:30Z'),
  wifOnboardTsMs: at('2026-05-20T10:00Z'),
  /** LUNAUSDT, a big one, stops trading; rows repeat its last price for ten days, then end. */
  lunaDelistTsMs: at('2026-06-18T09:00Z'),
  lunaRowsEndTsMs: at('2026-06-28T00:00Z'),
  /** MATICUSDT becomes POLUSDT: the same coin, one for one, under another symbol. */
  renameFromTsMs: at('2026-05-11T08:00Z'),
  renameToTsMs: at('2026-05-11T10:00Z'),
  /** 1000PEPEUSDT settles every four hours instead of eight from here on. */
  pepeFundingChangeTsMs: at('2026-05-28T08:00Z'),
  /** All contracts stop for 43 minutes: rows with count 0. */
  outageFromTsMs: at('2026-06-02T14:11Z'),
  outageToTsMs: at('2026-06-02T14:54Z'),
  /** XRPUSDT has no rows at all for two and a half hours. */
  gapFromTsMs: at('2026-07-07T03:30Z'),
  gapToTsMs: at('2026-07-07T06:00Z'),
} as const

/** name, start price, beta, own daily volatility, premium mean in bps, turnover in million USD a day,
 *  then tick and step of the contract, tick and step of the coin pair ('' for none). */
const coins = [
  ['BTC', 88_000, 0.85, 0.012, 1.5, 900, '0.10', '0.001', '0.01', '0.00001'],
  ['ETH', 3_050, 1.05, 0.018, 1, 600, '0.01', '0.001', '0.01', '0.0001'],
  ['SOL', 132, 1.2, 0.026, 1, 300, '0.0100', '0.01', '0.01', '0.001'],
  ['BNB', 870, 0.8, 0.017, 0.5, 120, '0.010', '0.01', '0.01', '0.001'],
  ['XRP', 1.92, 1, 0.026, 0.5, 180, '0.0001', '0.1', '0.0001', '0.1'],
  ['DOGE', 0.128, 1.25, 0.031, 1, 140, '0.000010', '1', '0.00001', '1'],
  ['ADA', 0.37, 1.15, 0.029, 0, 70, '0.00010', '1', '0.0001', '0.1'],
  ['AVAX', 13.2, 1.2, 0.031, 0, 60, '0.001', '0.1', '0.01', '0.01'],
  ['LINK', 12.9, 1.15, 0.028, 0.5, 65, '0.001', '0.01', '0.01', '0.01'],
  ['LTC', 79, 0.9, 0.023, 0, 50, '0.01', '0.001', '0.01', '0.001'],
  ['DOT', 1.95, 1.1, 0.03, -0.5, 40, '0.001', '0.1', '0.001', '0.01'],
  ['1000PEPE', 0.00435, 1.4, 0.042, 2, 110, '0.0000010', '1', '0.00000001', '1'],
  ['LUNA', 61, 1.3, 0.036, 2, 170, '0.001', '0.01', '0.01', '0.01'],
  ['POL', 0.102, 1.15, 0.032, -0.5, 45, '0.000010', '1', '0.0001', '0.1'],
  ['SUI', 1.52, 1.3, 0.036, 1, 95, '0.000100', '0.1', '0.0001', '0.1'],
  ['WIF', 0.32, 1.45, 0.045, 2.5, 75, '0.0001', '0.1', '0.0001', '0.01'],
] as const

const assets: AssetSpec[] = coins.map(([name, startPriceUsd, beta, ownVolDaily, premiumMeanBps, millions]) => ({
  name,
  startPriceUsd,
  beta,
  ownVolDaily,
  premiumMeanBps,
  volumeUsdDaily: millions * 1e6,
}))
assets.push({
  name: 'XAU',
  startPriceUsd: 4_320,
  beta: 0.05,
  ownVolDaily: 0.009,
  premiumMeanBps: 0,
  volumeUsdDaily: 30e6,
})

type Life = Partial<Pick<InstrumentSpec, 'onboardTsMs' | 'delistTsMs' | 'frozenUntilTsMs'>>

const lives: Record<string, Life> = {
  LUNA: { delistTsMs: defaultEvents.lunaDelistTsMs, frozenUntilTsMs: defaultEvents.lunaRowsEndTsMs },
  SUI: { onboardTsMs: defaultEvents.suiOnboardTsMs },
  WIF: { onboardTsMs: defaultEvents.wifOnboardTsMs },
  POL: { onboardTsMs: defaultEvents.renameToTsMs },
}

const eightHourly = [{ fromTsMs: START, hours: 8 }] as const

const contract = {
  market: 'usdm',
  quoteAsset: 'USDT',
  priceFactor: 1,
  contractType: 'PERPETUAL',
  underlyingType: 'COIN',
  minNotional: '5',
  onboardTsMs: START,
  funding: eightHourly,
  volumeShare: 1,
} as const

const pair = { ...contract, market: 'spot', contractType: 'SPOT', funding: [], volumeShare: 0.2 } as const

const instruments: InstrumentSpec[] = coins.flatMap(([name, , , , , millions, tick, step, pairTick, pairStep]) => {
  const coin = name.replace(/^1000/, '')
  const perpetual: InstrumentSpec = {
    ...contract,
    ...lives[name],
    symbol: `${name}USDT`,
    asset: name,
    baseAsset: name,
    tickSize: tick,
    stepSize: step,
    averageTradeUsd: 250 * Math.sqrt(millions * 1.2),
    funding:
      name === '1000PEPE' ? [...eightHourly, { fromTsMs: defaultEvents.pepeFundingChangeTsMs, hours: 4 }] : eightHourly,
  }
  const spot: InstrumentSpec = {
    ...pair,
    ...lives[name],
    symbol: `${coin}USDT`,
    asset: name,
    baseAsset: coin,
    priceFactor: name === coin ? 1 : 1 / 1000,
    tickSize: pairTick,
    stepSize: pairStep,
    // Turnover of a coin with eight decimals has to stay an exact integer over a month.
    volumeShare: name === coin ? 0.2 : 0.01,
    averageTradeUsd: 180 * Math.sqrt(millions * 1.2),
  }
  return [perpetual, spot]
})

// The old name of POL: it ends where the new one begins, two hours apart, and its rows end with it.
for (const spec of instruments.filter(({ asset }) => asset === 'POL')) {
  const end = defaultEvents.renameFromTsMs
  instruments.push({
    ...spec,
    symbol: 'MATICUSDT',
    baseAsset: 'MATIC',
    onboardTsMs: START,
    delistTsMs: end,
    frozenUntilTsMs: end,
  })
}

// What a universe has to tell apart from perpetual coin contracts: a dated contract, a commodity, one not open yet.
instruments.push(
  {
    ...contract,
    symbol: 'BTCUSDT_260925',
    asset: 'BTC',
    baseAsset: 'BTC',
    contractType: 'CURRENT_QUARTER',
    deliveryTsMs: at('2026-09-25T08:00Z'),
    tickSize: '0.1',
    stepSize: '0.001',
    onboardTsMs: at('2026-03-27T08:00Z'),
    funding: [],
    volumeShare: 0.04,
    averageTradeUsd: 4_000,
  },
  {
    ...contract,
    symbol: 'XAUUSDT',
    asset: 'XAU',
    baseAsset: 'XAU',
    contractType: 'TRADIFI_PERPETUAL',
    underlyingType: 'COMMODITY',
    tickSize: '0.01',
    stepSize: '0.001',
    onboardTsMs: at('2026-01-05T00:00Z'),
    averageTradeUsd: 1_500,
  },
  {
    ...contract,
    symbol: 'NEWUSDT',
    asset: 'WIF',
    baseAsset: 'NEW',
    contractType: '',
    tickSize: '0.0001',
    stepSize: '1',
    onboardTsMs: at('2026-08-12T10:00Z'),
    averageTradeUsd: 500,
  },
)

const halts: HaltSpec[] = [
  {
    market: 'usdm',
    symbols: 'all',
    fromTsMs: defaultEvents.outageFromTsMs,
    toTsMs: defaultEvents.outageToTsMs,
    rows: 'flat',
  },
  {
    market: 'usdm',
    symbols: ['XRPUSDT'],
    fromTsMs: defaultEvents.gapFromTsMs,
    toTsMs: defaultEvents.gapToTsMs,
    rows: 'missing',
  },
]

/** Sixteen coins with their perpetual contracts and spot pairs, seven months of history, and one of each event a
 *  backtest has to survive. */
export const defaultWorld: MarketConfig = {
  seed: 25,
  nowTsMs: defaultEvents.nowTsMs,
  startTsMs: START,
  effects: defaultEffects,
  assets,
  instruments,
  halts,
}
