import assert from 'node:assert/strict'

/** What is compared of a bar, in this order: decimals in units of 10^-8. */
export const barFields = [
  'openTsMs',
  'open',
  'high',
  'low',
  'close',
  'count',
  'volume',
  'takerBuyVolume',
  'quoteVolume',
  'takerBuyQuoteVolume',
] as const

/** Turnovers are sums of doubles in SQL, and exact here. */
const inDoubles: ReadonlySet<string> = new Set(['quoteVolume', 'takerBuyQuoteVolume'])
const roundingMax = 1e-9

/** Fails where two tools made other bars of the same trades. Returns how many bars were compared: those with a trade, for
 *  SQL groups what is there, and a minute without any is a row of ours that stands at the close before it. */
export function assertSameBars(tool: string, all: Float64Array, others: Float64Array): number {
  const [traded, theirs] = [withTrades(all), withTrades(others)]
  assert.equal(theirs.length, traded.length, `${tool} makes another number of bars`)
  for (let at = 0; at < traded.length; at++) {
    const field = barFields[at % width]!
    const apart = Math.abs(traded[at]! - theirs[at]!)
    if (inDoubles.has(field) ? apart <= roundingMax * Math.abs(traded[at]!) : apart === 0) continue
    assert.fail(`${tool}: ${field} of bar ${Math.floor(at / width)} is ${theirs[at]}, ours ${traded[at]}`)
  }
  return traded.length / width
}

const width = barFields.length
const countField = barFields.indexOf('count')

function withTrades(bars: Float64Array): Float64Array {
  const rows = Array.from({ length: bars.length / width }, (_, row) => bars.subarray(row * width, (row + 1) * width))
  const traded = rows.filter((row) => row[countField]! > 0)
  const result = new Float64Array(traded.length * width)
  for (const [i, row] of traded.entries()) result.set(row, i * width)
  return result
}
