/** How few bytes a column could do with, as an estimate: what a good coder would take that learns as it goes and looks at
 *  one column at a time. It is no bound: columns know something of each other. Two models are tried and the better one
 *  counts: how often each value came so far, and how far each value is from the one before it, in ticks. */
export function floorBytes(values: readonly number[]): number {
  const tick = Math.max(1, values.reduce(divisorOf, 0))
  const ticks = values.map((value) => value / tick)
  const steps = costOfSteps(ticks)
  const asSteps = steps.reduce((sum, bits) => sum + bits, 0)
  return Math.min(asSteps, costOfRepeats(ticks, costOfSizes(ticks))) / 8
}

function divisorOf(a: number, b: number): number {
  for (; b !== 0; ) [a, b] = [b, a % b]
  return a
}

/** Bits of every step: its length in binary, foreseen from the two before it, and then its digits, which nobody foresees. */
function costOfSteps(ticks: readonly number[]): number[] {
  const model = new Map<string, Map<number, number>>()
  let [first, second] = [0, 0]
  return ticks.map((tick, i) => {
    const step = i === 0 ? tick : tick - ticks[i - 1]!
    const length = step === 0 ? 0 : Math.sign(step) * (1 + Math.floor(Math.log2(Math.abs(step))))
    const bits = costOf(model, `${first} ${second}`, length) + Math.max(0, Math.abs(length) - 1)
    ;[first, second] = [length, first]
    return bits
  })
}

/** Bits of every value by itself: its length in binary and its digits. */
function costOfSizes(ticks: readonly number[]): number[] {
  const model = new Map<string, Map<number, number>>()
  return ticks.map((tick) => {
    const length = tick === 0 ? 0 : 1 + Math.floor(Math.log2(Math.abs(tick)))
    return costOf(model, '', length) + Math.max(0, length - 1)
  })
}

/** Bits of all values where one that came before costs what its share of them does, and a new one what it costs alone. */
function costOfRepeats(ticks: readonly number[], alone: readonly number[]): number {
  const counts = new Map<number, number>()
  let bits = 0
  ticks.forEach((tick, i) => {
    const count = counts.get(tick)
    const total = i + counts.size + 1
    bits += count === undefined ? Math.log2(total / (counts.size + 1)) + alone[i]! : Math.log2(total / count)
    counts.set(tick, (count ?? 0) + 1)
  })
  return bits
}

function costOf(model: Map<string, Map<number, number>>, context: string, symbol: number): number {
  let counts = model.get(context)
  if (counts === undefined) model.set(context, (counts = new Map()))
  let total = 0
  for (const count of counts.values()) total += count
  const count = counts.get(symbol)
  counts.set(symbol, (count ?? 0) + 1)
  // Something new has the share of one value, and may be any of a hundred.
  return count === undefined ? Math.log2((total + 1) * 100) : Math.log2((total + 1) / count)
}
