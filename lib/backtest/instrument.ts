import { decimalPlaces, formatScaledShort, parseDecimal, parseScaled } from '../decimal.ts'
import { Fault } from '../fault.ts'
import { pow10 } from './scaled.ts'

/** What the venue says about a symbol, as it says it: decimal text. */
export interface InstrumentSpec {
  readonly symbol: string
  readonly tickSize: string
  readonly stepSize: string
  /** In USDT. An order that only reduces a position is exempt, as on the venue. */
  readonly minNotional: string
}

/** The same in whole numbers (see scaled.ts for the units). */
export interface Instrument {
  readonly symbol: string
  readonly pxDecimals: number
  readonly qtyDecimals: number
  /** Units of price in a tick, and units of quantity in a step. */
  readonly tickPx: number
  readonly stepQty: number
  readonly minNotionalCash: number
}

export function makeInstrument(spec: InstrumentSpec, cashDecimals: number): Instrument {
  const tick = parsePositive(spec.tickSize, spec.symbol, 'tickSize')
  const step = parsePositive(spec.stepSize, spec.symbol, 'stepSize')
  const pxDecimals = cashDecimals - step.decimals
  if (pxDecimals < tick.decimals) {
    throw new Fault({
      code: 'usage',
      what: `tick ${spec.tickSize} and step ${spec.stepSize} need ${tick.decimals + step.decimals} decimals of cash, the run has ${cashDecimals}`,
      where: spec.symbol,
      todo: `set cashDecimals to at least ${tick.decimals + step.decimals}`,
    })
  }
  return {
    symbol: spec.symbol,
    pxDecimals,
    qtyDecimals: step.decimals,
    tickPx: tick.units * pow10(pxDecimals - tick.decimals),
    stepQty: step.units,
    minNotionalCash: Math.round(Number(spec.minNotional) * pow10(cashDecimals)),
  }
}

/** A float that was read from decimal text, back in whole units: exact while it has at most 15 digits. NaN stays NaN. */
export function toUnits(value: number, decimals: number): number {
  return Math.round(value * pow10(decimals))
}

/** Units with three digits behind the point: fine enough to be rounded to a tick or a step in the direction that is meant,
 *  and coarse enough that 0.3 coins are three tenths, whatever the double beside it says. */
export function toThousandths(units: number): number {
  // Beyond, a double has no such digits.
  return Math.abs(units) < 1e12 ? Math.round(units * 1000) / 1000 : Math.round(units)
}

/** The nearest double to the decimal: one correctly rounded division. */
export function fromUnits(units: number, decimals: number): number {
  return units / pow10(decimals)
}

export function columnToUnits(values: ArrayLike<number>, decimals: number): Float64Array {
  const scale = pow10(decimals)
  const units = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) units[i] = Math.round(values[i]! * scale)
  return units
}

/** A limit never pays more than its owner said: a buy price goes down to the tick, a sell price up. */
export function roundLimitPx(px: number, isBuy: boolean, tickPx: number): number {
  return (isBuy ? Math.floor(px / tickPx) : Math.ceil(px / tickPx)) * tickPx
}

/** A price that slipped is rounded against us: a buy up, a sell down, but never below one tick. */
export function roundAdversePx(px: number, isBuy: boolean, tickPx: number): number {
  return Math.max(tickPx, (isBuy ? Math.ceil(px / tickPx) : Math.floor(px / tickPx)) * tickPx)
}

/** Toward zero to the step: an order is never larger than what was asked for. */
export function roundQty(qty: number, stepQty: number): number {
  const rounded = Math.trunc(qty / stepQty) * stepQty
  return rounded === 0 ? 0 : rounded // never -0: it would show in the fills table
}

function parsePositive(text: string, symbol: string, field: string): { units: number; decimals: number } {
  // Venues pad with zeros ("0.00100000"), which say nothing about the grid here.
  const decimal = parseDecimal(text)
  const trimmed = decimal && formatScaledShort(decimal.units, decimal.scale)
  const decimals = trimmed === undefined ? 0 : decimalPlaces(trimmed)
  const units = trimmed === undefined ? undefined : parseScaled(trimmed, decimals)
  if (units === undefined || units <= 0) {
    throw new Fault({ code: 'usage', what: `${field} must be a positive decimal, found "${text}"`, where: symbol })
  }
  return { units, decimals }
}
