import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRng } from '../../../lib/rng.ts'
import { probabilityOfOverfitting } from '../../../lib/stats/overfitting.ts'

/** Combinatorially symmetric cross-validation as the paper tells it (Bailey, Borwein, López de Prado, Zhu 2017, section
 *  3): rows are glued together, ratios are taken over them, and every set of half the blocks is walked. */
function byTheBook(returns: readonly (readonly number[])[], blocks: number): { probability: number; logits: number[] } {
  const length = Math.floor(returns[0]!.length / blocks)
  const skip = returns[0]!.length - length * blocks
  const rowsOf = (series: readonly number[], set: readonly number[]) =>
    set.flatMap((b) => series.slice(skip + b * length, skip + (b + 1) * length))
  const sharpe = (rows: readonly number[]) => {
    const mean = rows.reduce((a, b) => a + b, 0) / rows.length
    const spread = Math.sqrt(rows.reduce((all, r) => all + (r - mean) ** 2, 0) / (rows.length - 1))
    return spread > 0 ? mean / spread : 0
  }
  const all = Array.from({ length: blocks }, (_, b) => b)
  const halves = (from: number, size: number): number[][] =>
    size === 0 ? [[]] : all.slice(from).flatMap((b) => halves(b + 1, size - 1).map((rest) => [b, ...rest]))
  const logits = halves(0, blocks / 2).map((inside) => {
    const outside = all.filter((b) => !inside.includes(b))
    const trained = returns.map((series) => sharpe(rowsOf(series, inside)))
    const judged = returns.map((series) => sharpe(rowsOf(series, outside)))
    const best = trained.indexOf(Math.max(...trained))
    const ascending = [...judged].sort((a, b) => a - b)
    const relative = (ascending.indexOf(judged[best]!) + 1) / (returns.length + 1)
    return Math.log(relative / (1 - relative))
  })
  return { probability: logits.filter((logit) => logit <= 0).length / logits.length, logits }
}

const noise = (seed: number, count: number, days: number, drift: (k: number) => number) =>
  Array.from({ length: count }, (_, k) => {
    const rng = createRng(seed, 'pbo', k)
    return Array.from({ length: days }, () => drift(k) + rng.normal())
  })
const ours = (returns: readonly (readonly number[])[], blocks: number) =>
  probabilityOfOverfitting(
    returns.map((series) => Float64Array.from(series)),
    blocks,
  )

describe('the probability of overfitting', () => {
  test('is that of the procedure in the paper, split by split', () => {
    const shapes = fc.record({
      seed: fc.nat(),
      count: fc.integer({ min: 2, max: 9 }),
      blocks: fc.constantFrom(2, 4, 6),
      days: fc.integer({ min: 24, max: 70 }),
    })
    fc.assert(
      fc.property(shapes, ({ seed, count, blocks, days }) => {
        const returns = noise(seed, count, days, (k) => k / 20)
        const want = byTheBook(returns, blocks)
        const got = ours(returns, blocks)
        expect(got.probability).toBe(want.probability)
        const ascending = (values: ArrayLike<number>) => Array.from(values).sort((a, b) => a - b)
        const wanted = ascending(want.logits)
        for (const [i, logit] of ascending(got.logits).entries()) expect(logit).toBeCloseTo(wanted[i]!, 12)
      }),
      { numRuns: 60 },
    )
  })

  test('is about one half among worthless strategies, as published, and near none where skill was planted', () => {
    const meanOf = (drift: (k: number) => number) => {
      const seeds = Array.from({ length: 24 }, (_, seed) => seed)
      return seeds.reduce((all, seed) => all + ours(noise(seed, 20, 256, drift), 8).probability, 0) / seeds.length
    }
    const worthless = meanOf(() => 0)
    expect(worthless).toBeGreaterThan(0.4)
    expect(worthless).toBeLessThan(0.65)
    expect(meanOf((k) => (k === 7 ? 0.5 : 0))).toBeLessThan(0.01)
  })
})
