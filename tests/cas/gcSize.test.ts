import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Digest } from '../../cas/digest.ts'
import { planGc } from '../../cas/gc.ts'
import { executeGc, undoGc } from '../../cas/gcExecute.ts'
import { bytesOnDisk, later, options, publish, putLoose } from './collecting.ts'
import { keyOf, openAt, temporaryStore } from './temporaryRoot.ts'

describe('gc with a size to keep', () => {
  test('gives up what is the least work to make again for each byte, and keeps every descriptor', async () => {
    const store = temporaryStore()
    const cheap = await publish(store, 'cheap', ['c'.repeat(1000)])
    const dear = await publish(store, 'dear', ['d'.repeat(1000)])
    const pinned = await publish(store, 'pinned', ['p'.repeat(1000)])
    const unknown = await publish(store, 'unknown', ['u'.repeat(1000)])
    const costs = new Map([
      [cheap, 10],
      [dear, 10_000],
      [pinned, 0],
    ])
    const roots = [
      ...[cheap, dear, unknown].map((digest) => ({ label: 'snapshot', digest, evictable: true })),
      { label: 'target', digest: pinned },
    ]
    const budget = (maxSizeBytes: number) =>
      planGc(store, options([], { roots, maxSizeBytes, costOf: (artifact) => costs.get(artifact) }))
    expect(budget(1e6).evictedForSize).toEqual([])
    expect(budget(4000).evictedForSize).toEqual([cheap])
    expect(budget(3000).evictedForSize).toEqual([cheap, dear].sort())
    expect(budget(10)).toMatchObject({ evictedForSize: [cheap, dear, unknown].sort() })
    expect(budget(10).overBudgetBytes).toBeGreaterThan(1000)
    await executeGc(store, budget(4000))
    expect(store.artifactPresence(cheap)).toBe('evicted')
    expect(store.readDescriptor(cheap).files).toHaveLength(1)
    expect(store.artifactPresence(dear)).toBe('present')
    // What was given up is not wanted back by the next collection, although its root stands.
    expect(budget(4000)).toMatchObject({ putBack: [], collect: [], evicted: [] })
  })

  test('never gives up a file that something pinned shares', async () => {
    const store = temporaryStore()
    const evictable = await publish(store, 'e', ['s'.repeat(1000), 'own'.repeat(100)])
    const pinned = await publish(store, 'p', ['s'.repeat(1000)])
    const roots = [
      { label: 'a', digest: evictable, evictable: true },
      { label: 'b', digest: pinned },
    ]
    await executeGc(store, planGc(store, options([], { roots, maxSizeBytes: 0 })))
    expect(store.artifactPresence(pinned)).toBe('present')
    expect(store.artifactPresence(evictable)).toBe('evicted')
  })
})

test('a file that stays for other reasons does not count as freed', async () => {
  const store = temporaryStore()
  const sharing = await publish(store, 'e', ['s'.repeat(5000), 'own'])
  const other = await publish(store, 'o', ['o'.repeat(2000)])
  const pinned = await publish(store, 'p', ['s'.repeat(5000)])
  const roots = [
    { label: 'a', digest: sharing, evictable: true },
    { label: 'a', digest: other, evictable: true },
    { label: 'b', digest: pinned },
  ]
  const costOf = (artifact: Digest) => (artifact === sharing ? 0 : 1e9)
  const plan = planGc(store, options([], { roots, maxSizeBytes: 6000, costOf }))
  expect(plan.evictedForSize).toEqual([sharing, other].sort())
  expect(plan.overBudgetBytes).toBe(0)
})

test('what lies in the trash and is needed again counts for the size, and is put back only as far as it fits', async () => {
  const store = temporaryStore()
  const [cheap, dear] = [await publish(store, 'c', ['c'.repeat(1000)]), await publish(store, 'd', ['d'.repeat(1000)])]
  const target = await publish(store, 't', ['t'.repeat(1000)])
  const other = await publish(store, 'o', ['other'])
  await executeGc(store, planGc(store, options([other])))
  await store.commit({
    staged: [],
    records: [
      { kind: 'restored', key: cheap },
      { kind: 'restored', key: dear },
    ],
  })
  const roots = [
    ...[cheap, dear].map((digest) => ({ label: 'run', digest, evictable: true })),
    ...[target, other].map((digest) => ({ label: 'target', digest })),
  ]
  const costOf = (artifact: Digest) => (artifact === cheap ? 1 : 1000)
  const plan = () => planGc(store, options([], { roots, costOf, maxSizeBytes: 3000 }))
  const first = plan()
  expect(first.evictedForSize).toEqual([cheap])
  expect(first).toMatchObject({ collect: [], overBudgetBytes: 0, keptObjects: 7 })
  expect((await executeGc(store, first)).restoredObjects).toBe(first.putBack.length)
  expect([target, dear, cheap].map((artifact) => store.artifactPresence(artifact))).toEqual([
    'present',
    'present',
    'evicted',
  ])
  expect(plan()).toMatchObject({ collect: [], putBack: [], restored: [], keptObjects: 7, keptBytes: first.keptBytes })
})

test('the descriptor of something given up comes back without its files, which stay given up', async () => {
  const store = temporaryStore()
  const old = await publish(store, 'old', ['o'.repeat(1000)])
  const other = await publish(store, 'other', ['x'])
  await executeGc(store, planGc(store, options([other])))
  const roots = [
    { label: 'run', digest: old, evictable: true },
    { label: 'target', digest: other },
  ]
  const plan = () => planGc(store, options([], { roots }))
  expect(plan()).toMatchObject({ putBack: [{ digest: old }], restored: [] })
  await executeGc(store, plan())
  expect(store.artifactPresence(old)).toBe('evicted')
  expect(plan()).toMatchObject({ collect: [], putBack: [], restored: [] })
})

test('a plan reads in the trash, and leaves what it reads there', async () => {
  const store = temporaryStore()
  const digest = await putLoose(store, 'code')
  const other = await publish(store, 'other', ['x'])
  await executeGc(store, planGc(store, options([other])))
  expect(Buffer.from(store.peekObject(digest)).toString()).toBe('code')
  expect(store.hasObject(digest)).toBe(false)
  expect(() => store.peekObject(keyOf('nothing'))).toThrow('is not in this store')
})

describe('law: gc never removes what a root or a live lease reaches', () => {
  const world = fc.record({
    artifacts: fc.array(fc.uniqueArray(fc.nat(12), { minLength: 0, maxLength: 4 }), { minLength: 1, maxLength: 10 }),
    roots: fc.array(fc.record({ at: fc.nat(9), evictable: fc.boolean() }), { minLength: 1, maxLength: 4 }),
    used: fc.array(fc.nat(9), { maxLength: 2 }),
    claimed: fc.array(fc.nat(9), { maxLength: 2 }),
    sources: fc.array(fc.nat(9), { maxLength: 2 }),
    maxSizeBytes: fc.option(fc.nat(3000), { nil: undefined }),
    rounds: fc.integer({ min: 1, max: 3 }),
    undo: fc.boolean(),
  })

  test('in random stores', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ artifacts, roots, used, claimed, sources, maxSizeBytes, rounds, undo }) => {
        const store = temporaryStore()
        const ids: Digest[] = []
        for (const [i, files] of artifacts.entries()) {
          const texts = files.map((file) => `file ${file}`.repeat(1 + file * 10))
          ids.push(await publish(store, `${i}`, texts, sources.includes(i) ? 'observation' : 'result'))
        }
        const at = (i: number) => ids[i % ids.length]!
        const lease = openAt(store.root).openLease('run')
        lease.uses(used.map(at))
        for (const i of claimed) lease.claim(keyOf(`${i % ids.length}`))
        const keep = new Set([
          ...used.map(at),
          ...claimed.map(at),
          ...roots.filter((root) => !root.evictable).map((root) => at(root.at)),
        ])
        for (const i of sources) if (i < ids.length) keep.add(ids[i]!)
        const evictable = new Set(roots.filter((root) => root.evictable).map((root) => at(root.at)))
        const planRound = (round: number) =>
          planGc(store, {
            roots: roots.map((root) => ({ label: 'r', digest: at(root.at), evictable: root.evictable })),
            graceMs: 0,
            nowMs: later() + round,
            maxSizeBytes,
            costOf: (artifact) => Number.parseInt(artifact.slice(0, 4), 16),
          })
        for (let round = 0; round < rounds; round++) {
          const plan = planRound(round)
          const before = bytesOnDisk(store.layout.objects)
          const done = await executeGc(store, plan)
          expect(done.collectedBytes).toBe(plan.collectedBytes)
          if (done.restoredObjects === 0) expect(before - bytesOnDisk(store.layout.objects)).toBe(plan.collectedBytes)
          // What was done leaves nothing to do: a plan and its execution see the same store.
          expect(planRound(round)).toMatchObject({ collect: [], putBack: [], restored: [], evictedForSize: [] })
          for (const artifact of keep) expect(store.artifactPresence(artifact)).toBe('present')
          for (const artifact of evictable) {
            expect(store.hasObject(artifact)).toBe(true)
            expect(store.artifactPresence(artifact)).not.toBe('missing')
          }
          if (maxSizeBytes === undefined)
            for (const artifact of evictable) expect(store.artifactPresence(artifact)).toBe('present')
          for (const artifact of ids) expect(store.artifactPresence(artifact)).not.toBe('missing')
          if (undo && done.collectedObjects > 0) {
            await undoGc(store)
            for (const object of plan.collect) expect(store.hasObject(object.digest, object.sizeBytes)).toBe(true)
          }
        }
        await store.close()
      }),
      { numRuns: 20 },
    )
  })
})
