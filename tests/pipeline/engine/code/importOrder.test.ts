import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { importOrder } from '../../../../pipeline/engine/code/importOrder.ts'

const order = (graph: Readonly<Record<string, readonly string[]>>, entry = 'a', effectful: readonly string[] = []) => {
  const result = importOrder(
    entry,
    (id) => graph[id] ?? [],
    (id) => effectful.includes(id),
  )
  return Object.fromEntries(result)
}

/** Module `i` imports only modules after it. */
const acyclic = fc
  .integer({ min: 2, max: 12 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, i) =>
        fc.shuffledSubarray(Array.from({ length: count - i - 1 }, (_, k) => `m${i + 1 + k}`)),
      ),
    ),
  )

describe('importOrder', () => {
  test('sorts imports, and leaves out what the entry does not lead to', () => {
    expect(order({ a: ['c', 'b', 'c'], c: ['node:fs'], z: ['a'] })).toEqual({
      a: ['b', 'c'],
      b: [],
      c: ['node:fs'],
      'node:fs': [],
    })
  })

  test('modules of one cycle keep their order, behind the others', () => {
    expect(order({ a: ['p', 'b'], p: ['r', 'q', 'b'], q: ['p'], r: ['p'] })).toMatchObject({
      a: ['b', 'p'],
      p: ['b', 'r', 'q'],
    })
    expect(order({ a: ['a', 'b'] })).toMatchObject({ a: ['a', 'b'] })
  })

  test('modules that do something, or lead to one that does, keep their order, behind those that only declare', () => {
    const graph = { a: ['z', 'pure', 'm', 'also'], m: ['y'] }
    expect(order(graph, 'a', ['z', 'y'])).toMatchObject({ a: ['also', 'pure', 'z', 'm'] })
    expect(order({ ...graph, a: ['m', 'also', 'z', 'pure'] }, 'a', ['z', 'y'])).toMatchObject({
      a: ['also', 'pure', 'm', 'z'],
    })
  })

  test('does not depend on the order of import lines', () => {
    fc.assert(
      fc.property(acyclic, fc.array(fc.nat(), { minLength: 12, maxLength: 12 }), (lists, keys) => {
        const graph = Object.fromEntries(lists.map((imports, i) => [`m${i}`, imports]))
        const shuffled = Object.fromEntries(
          lists.map((imports, i) => [
            `m${i}`,
            [...imports].sort((x, y) => keys[Number(x.slice(1))]! - keys[Number(y.slice(1))]!),
          ]),
        )
        const result = order(graph, 'm0')
        expect(order(shuffled, 'm0')).toEqual(result)
        for (const [id, imports] of Object.entries(result))
          expect([...imports].sort()).toEqual([...(graph[id] ?? [])].sort())
      }),
      { seed: 7, numRuns: 200 },
    )
  })

  test('goes ten thousand imports deep', () => {
    const result = importOrder(
      '0',
      (id) => (Number(id) < 10_000 ? [String(Number(id) + 1)] : []),
      (id) => id === '10000',
    )
    expect(result.size).toBe(10_001)
  })
})
