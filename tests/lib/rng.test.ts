import { describe, expect, test } from 'vitest'
import { createRng, drawBits, inverseNormal } from '../../lib/rng.ts'

const take = (seed: number | string, ...names: (number | string)[]) => {
  const rng = createRng(seed, ...names)
  return Array.from({ length: 4 }, () => rng.bits())
}

describe('createRng', () => {
  test('the same seed and names give the same stream, for ever', () => {
    expect(take(1, 'path', 'BTC')).toEqual(take(1, 'path', 'BTC'))
    expect(take(1, 'path', 'BTC')).toMatchInlineSnapshot(`
      [
        1778041203,
        2862518423,
        617526938,
        3611109186,
      ]
    `)
  })

  test('seed, name, type, order and border each give another stream', () => {
    const streams = [
      take(1),
      take(2),
      take('1'),
      take(1 + 2 ** 32),
      take(0.5),
      take(1, 'a', 'b'),
      take(1, 'b', 'a'),
      take(1, 'ab'),
      take(1, 'a', 'b', 0),
      take(1, 1),
    ].map(String)
    expect(new Set(streams).size).toBe(streams.length)
  })

  test('drawn all at once the stream is the same', () => {
    for (const seed of [0, 1, 'a', 2 ** 40, 0.25]) {
      const rng = createRng(seed, 'path', 7)
      expect([...drawBits(new Uint32Array(100), seed, 'path', 7)]).toEqual(
        Array.from({ length: 100 }, () => rng.bits()),
      )
    }
  })

  test('uniform fills [0, 1) evenly and neighbours are unrelated', () => {
    const rng = createRng(7, 'uniform')
    const n = 100_000
    const cells = new Array<number>(20).fill(0)
    let product = 0
    let last = 0.5
    for (let i = 0; i < n; i++) {
      const u = rng.uniform()
      cells[Math.floor(u * 20)]!++
      product += (u - 0.5) * (last - 0.5)
      last = u
    }
    const chiSquare = cells.reduce((sum, count) => sum + (count - n / 20) ** 2 / (n / 20), 0)
    expect(chiSquare).toBeLessThan(43.8) // the 99.9 % point with 19 degrees of freedom
    expect(Math.abs(product / n) * 12 * Math.sqrt(n)).toBeLessThan(4)
  })

  test('streams with neighbouring names are unrelated', () => {
    const n = 2_000
    let product = 0
    for (let i = 0; i < n; i++) {
      product += (createRng(1, 'day', i).uniform() - 0.5) * (createRng(1, 'day', i + 1).uniform() - 0.5)
    }
    expect(Math.abs(product / n) * 12 * Math.sqrt(n)).toBeLessThan(4)
  })

  test('normal has the moments of a normal', () => {
    const rng = createRng(7, 'normal')
    const n = 100_000
    const sums = [0, 0, 0, 0]
    for (let i = 0; i < n; i++) {
      const z = rng.normal()
      for (let k = 0; k < 4; k++) sums[k]! += z ** (k + 1)
    }
    const [mean, variance, skew, kurtosis] = sums.map((sum) => sum / n)
    expect(Math.abs(mean!)).toBeLessThan(4 / Math.sqrt(n))
    expect(Math.abs(variance! - 1)).toBeLessThan((4 * Math.SQRT2) / Math.sqrt(n))
    expect(Math.abs(skew!)).toBeLessThan(0.06)
    expect(Math.abs(kurtosis! - 3)).toBeLessThan(0.15)
  })

  test('below has no favourites and stays in range', () => {
    const rng = createRng(7, 'below')
    const cells = [0, 0, 0]
    for (let i = 0; i < 30_000; i++) cells[rng.below(3)]!++
    for (const count of cells) expect(Math.abs(count - 10_000)).toBeLessThan(400)
    expect(createRng(1).below(1)).toBe(0)
  })
})

test('inverseNormal gives the textbook quantiles', () => {
  const cases = [
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.001, -3.090232306167813],
    [1e-10, -6.361340902404056],
    [1e-20, -9.26234008979841],
  ] as const
  for (const [p, z] of cases) expect(inverseNormal(p)).toBeCloseTo(z, 12)
})
