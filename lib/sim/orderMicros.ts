import { createRng } from '../rng.ts'
import type { Instrument } from './instrument.ts'
import type { Market } from './market.ts'
import { ordersOver } from './tradeDay.ts'

const lastAsked = new WeakMap<Instrument, { readonly d: number; readonly micros: Uint16Array }>()

/** Microseconds of each taker order of a day beyond its millisecond. The archive and the API tell the same. */
export function orderMicros(market: Market, instrument: Instrument, d: number): Uint16Array {
  const known = lastAsked.get(instrument)
  if (known?.d === d) return known.micros
  const jitter = createRng(market.config.seed, 'microseconds', instrument.spec.symbol, d)
  const micros = new Uint16Array(ordersOver(market.bars(instrument, d).count))
  for (let order = 0; order < micros.length; order++) micros[order] = jitter.below(1000)
  lastAsked.set(instrument, { d, micros })
  return micros
}
