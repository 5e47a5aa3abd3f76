import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compactRecords, removeSuperseded } from '../../cas/compaction.ts'
import { type Digest, digestOf } from '../../cas/digest.ts'
import { parseFaultPoints } from '../../cas/faultPoints.ts'
import { layoutOf } from '../../cas/layout.ts'
import type { RecordEntry } from '../../cas/records.ts'
import { groupMagic } from '../../cas/segment.ts'
import type { Store } from '../../cas/store.ts'
import { keyOf, openAt, temporaryStore } from './temporaryRoot.ts'

const note = (store: Store, ...records: RecordEntry[]) => store.commit({ staged: [], records })
const a = digestOf('artifact a')
const b = digestOf('artifact b')
const c = digestOf('artifact c')
const key = keyOf('k')
const result = (artifact: Digest, payload?: unknown): RecordEntry => ({ kind: 'result', key, artifact, payload })

describe('a key that gives other bytes the second time', () => {
  test('is disputed; the first result serves on and both are kept', async () => {
    const store = temporaryStore()
    await note(store, result(a))
    await note(store, result(a))
    expect(store.records.disputed(key)).toBe(false)
    await note(store, result(b))
    expect(store.records.disputed(key)).toBe(true)
    expect(store.records.disputes()).toEqual([key])
    expect(store.records.result(key)?.artifact).toBe(a)
    expect(store.records.results(key).map((each) => each.artifact)).toEqual([a, a, b])
  })

  test('is settled by a choice, until yet other bytes come', async () => {
    const store = temporaryStore()
    await note(store, result(a), result(b))
    await store.records.resolve(key, b)
    expect(store.records.disputed(key)).toBe(false)
    expect(store.records.result(key)?.artifact).toBe(b)
    await note(store, result(a))
    expect(store.records.disputed(key)).toBe(false)
    await note(store, result(c))
    expect(store.records.disputed(key)).toBe(true)
    expect(store.records.result(key)?.artifact).toBe(b)
  })

  test('can only be settled by an artifact it gave', async () => {
    const store = temporaryStore()
    await note(store, result(a), result(b))
    await expect(store.records.resolve(key, c)).rejects.toMatchObject({ code: 'usage' })
  })

  test('is noticed across processes that did not see each other', async () => {
    const one = temporaryStore()
    const two = openAt(one.root, { durability: 'none' })
    await Promise.all([note(one, result(a)), note(two, result(b))])
    one.records.refresh()
    two.records.refresh()
    expect(one.records.disputed(key) && two.records.disputed(key)).toBe(true)
    expect(one.records.result(key)).toEqual(two.records.result(key))
  })
})

test('observations come in the order of their sequence, whatever the clock did', async () => {
  const times = [3000, 2000, 1000]
  const store = temporaryStore({ clock: () => times.shift() ?? 0 })
  for (const artifact of [a, b, c]) await note(store, { kind: 'observation', key, artifact })
  expect(store.records.observations(key).map((each) => each.artifact)).toEqual([a, b, c])
  expect(store.records.observations(key).map((each) => each.recordedAtMs)).toEqual([3000, 2000, 1000])
})

test('a later process goes on with the sequence', async () => {
  const store = temporaryStore()
  await note(store, { kind: 'observation', key, artifact: a })
  const other = openAt(store.root)
  await note(other, { kind: 'observation', key, artifact: b })
  await note(store, { kind: 'observation', key, artifact: c })
  expect(store.records.observations(key).map((each) => each.artifact)).toEqual([a, b, c])
})

test('a tombstone takes one record back, also from later openings', async () => {
  const store = temporaryStore()
  await note(store, result(a), result(b))
  await note(store, { kind: 'tombstone', key: store.records.results(key)[0]!.digest })
  expect(store.records.result(key)?.artifact).toBe(b)
  await store.close()
  expect(openAt(store.root).records.results(key)).toHaveLength(1)
})

test('a value that has no canonical form fails its own commit only', async () => {
  const store = temporaryStore()
  const bad = note(store, result(a, { when: new Date() }))
  const good = note(store, result(b))
  await expect(bad).rejects.toMatchObject({ code: 'usage', where: '$.when' })
  await good
  expect(store.records.results(key).map((each) => each.artifact)).toEqual([b])
})

describe('damaged segments', () => {
  const segmentsOf = (store: Store) => readdirSync(store.layout.records).map((name) => join(store.layout.records, name))

  test('a torn tail is passed over in silence, and what was there before it stays', async () => {
    const store = temporaryStore()
    await note(store, result(a))
    await note(store, { kind: 'note', key: keyOf('last') })
    const [path] = segmentsOf(store)
    truncateSync(path!, readFileSync(path!).length - 5)
    const later = openAt(store.root)
    expect(later.records.damage()).toEqual([])
    expect(later.records.result(key)?.artifact).toBe(a)
    expect(later.records.of('note', keyOf('last'))).toEqual([])
    // The torn segment is left alone, and a new one begun.
    await note(later, { kind: 'note', key: keyOf('last') })
    expect(openAt(store.root).records.of('note', keyOf('last'))).toHaveLength(1)
  })

  test('in a sealed segment even a torn tail is damage', async () => {
    const store = temporaryStore()
    await note(store, result(a))
    await note(store, { kind: 'note', key: keyOf('last') })
    await store.close()
    const [path] = segmentsOf(store)
    truncateSync(path!, readFileSync(path!).length - 5)
    const later = openAt(store.root)
    expect(later.records.damage().length).toBeGreaterThan(0)
    expect(later.records.result(key)?.artifact).toBe(a)
  })

  test('a flipped bit is reported, and everything else serves', async () => {
    const store = temporaryStore()
    for (let i = 0; i < 20; i++) await note(store, { kind: 'result', key: keyOf(`k${i}`), artifact: a, payload: { i } })
    await store.close()
    const [path] = segmentsOf(store)
    const bytes = readFileSync(path!)
    bytes[bytes.indexOf('{"i":7}') + 5]! ^= 4
    writeFileSync(path!, bytes)
    const later = openAt(store.root)
    expect(later.records.damage()).toHaveLength(1)
    const left = Array.from({ length: 20 }, (_, i) => later.records.result(keyOf(`k${i}`))).filter((each) => each)
    expect(left).toHaveLength(19)
    for (const each of left) expect(later.records.payload(each!)).toBeDefined()
  })

  test('a payload that changed after it was indexed is not handed out', async () => {
    const store = temporaryStore()
    await note(store, result(a, { text: 'the payload' }))
    const [path] = segmentsOf(store)
    const bytes = readFileSync(path!)
    bytes[bytes.indexOf('the payload')]! ^= 1
    writeFileSync(path!, bytes)
    expect(() => store.records.payload(store.records.result(key)!)).toThrow(/is damaged/)
  })

  test('files that are no segments, empty ones and stubs do no harm', async () => {
    const store = temporaryStore()
    writeFileSync(join(store.layout.records, 'notes.txt'), 'hello')
    writeFileSync(join(store.layout.records, 'empty.seg'), '')
    writeFileSync(join(store.layout.records, 'stub.seg'), 'tickpipe-rec-1\n\0')
    await note(store, result(a))
    expect(openAt(store.root).records.result(key)?.artifact).toBe(a)
  })

  test('a failed append is tried again in another segment', async () => {
    const store = temporaryStore({ faults: parseFaultPoints('records:midAppend@2:throw=EIO') })
    await note(store, result(a))
    await note(store, result(b))
    expect(segmentsOf(store)).toHaveLength(2)
    const later = openAt(store.root)
    expect(later.records.results(key).map((each) => each.artifact)).toEqual([a, b])
    expect(later.records.damage()).toEqual([])
  })

  test('a full disk fails the commit and leaves the store usable', async () => {
    const store = temporaryStore({ faults: parseFaultPoints('records:midAppend@1:throw=ENOSPC') })
    await expect(note(store, result(a))).rejects.toMatchObject({
      code: 'noStore',
      what: 'the disk of the store is full',
    })
    expect(store.records.result(key)).toBeUndefined()
    await note(store, result(a))
    expect(openAt(store.root).records.result(key)?.artifact).toBe(a)
  })
})

describe('the index cache', () => {
  async function filled(count: number): Promise<Store> {
    const store = temporaryStore()
    const records = Array.from(
      { length: count },
      (_, i): RecordEntry => ({ kind: 'result', key: keyOf(`${i % 700}`), artifact: digestOf(`${i}`), payload: i }),
    )
    await note(store, ...records)
    await store.close()
    return store
  }
  const answers = (store: Store) =>
    Array.from({ length: 700 }, (_, i) =>
      store.records.results(keyOf(`${i}`)).map((each) => [each, store.records.payload(each)]),
    )

  test('says what the segments say, and may be deleted or damaged at any time', async () => {
    const { root } = await filled(2000)
    const cache = join(layoutOf(root).index, 'records.cache')
    const bytes = readFileSync(cache)
    const fromCache = answers(openAt(root, { readOnly: true }))
    rmSync(layoutOf(root).index, { recursive: true })
    expect(answers(openAt(root, { readOnly: true }))).toEqual(fromCache)
    await openAt(root).close()
    for (const at of [5, 21, 200, bytes.length >> 1, bytes.length - 1]) {
      const bent = Buffer.from(bytes)
      bent[at]! ^= 1
      writeFileSync(cache, bent)
      expect(answers(openAt(root, { readOnly: true }))).toEqual(fromCache)
    }
    writeFileSync(cache, bytes.subarray(0, 1000))
    expect(answers(openAt(root, { readOnly: true }))).toEqual(fromCache)
  })

  test('grows with what is appended after it', async () => {
    const { root } = await filled(1000)
    const store = openAt(root, { durability: 'none' })
    await note(store, result(a, 'new'))
    await store.close()
    const later = openAt(root)
    expect(later.records.payload(later.records.result(key)!)).toBe('new')
    expect(later.records.count).toBe(1001)
  })
})

describe('compaction', () => {
  async function manySegments(): Promise<string> {
    const { root } = temporaryStore()
    for (let i = 0; i < 6; i++) {
      const store = openAt(root, { durability: 'none' })
      await note(store, { kind: 'result', key: keyOf(`${i}`), artifact: a, payload: { i } }, result(i % 2 ? a : b))
      await store.close()
    }
    return root
  }
  const answersOf = (store: Store) => [
    store.records.results(key),
    Array.from({ length: 6 }, (_, i) => store.records.payload(store.records.result(keyOf(`${i}`))!)),
  ]

  test('changes no answer, and saves the files', async () => {
    const root = await manySegments()
    const reader = openAt(root, { readOnly: true })
    const before = answersOf(reader)
    const store = openAt(root)
    expect(compactRecords(store, { atLeast: 3 })?.merged).toHaveLength(6)
    expect(answersOf(store)).toEqual(before)
    expect(answersOf(openAt(root))).toEqual(before)
    removeSuperseded(store, { graceMs: 60_000, nowMs: Date.now() })
    expect(readdirSync(store.layout.records)).toHaveLength(7)
    removeSuperseded(store, { graceMs: 60_000, nowMs: Date.now() + 100_000 })
    expect(readdirSync(store.layout.records)).toHaveLength(1)
    expect(answersOf(openAt(root))).toEqual(before)
    // A reader that knows only the old segments finds its way to the new one.
    expect(answersOf(reader)).toEqual(before)
  })

  test('that was cut short stands for nothing', async () => {
    const root = await manySegments()
    const before = answersOf(openAt(root, { readOnly: true }))
    const store = openAt(root, { faults: parseFaultPoints('compact:afterWrite@1:throw') })
    const old = readdirSync(store.layout.records)
    expect(() => compactRecords(store, { atLeast: 2 })).toThrow(/fault point/)
    // Cut behind its first group, which names what it would have superseded.
    const cut = readdirSync(store.layout.records).find((name) => !old.includes(name))!
    const path = join(store.layout.records, cut)
    truncateSync(path, readFileSync(path).indexOf(groupMagic, 100))
    rmSync(store.layout.index, { recursive: true, force: true })
    const unsealed = openAt(root)
    removeSuperseded(unsealed, { graceMs: 0, nowMs: Date.now() + 100_000 })
    expect(readdirSync(store.layout.records)).toHaveLength(7)
    expect(answersOf(unsealed)).toEqual(before)
  })

  test('deletes nothing for a segment that does not match its seal', async () => {
    const root = await manySegments()
    const store = openAt(root)
    const { into } = compactRecords(store, { atLeast: 2 })!
    const path = join(store.layout.records, into)
    const bytes = readFileSync(path)
    bytes[bytes.length - 3]! ^= 1
    writeFileSync(path, bytes)
    removeSuperseded(store, { graceMs: 0, nowMs: Date.now() + 100_000 })
    expect(readdirSync(store.layout.records)).toHaveLength(7)
    rmSync(store.layout.index, { recursive: true, force: true })
    expect(openAt(root).records.result(key)).toBeDefined()
  })

  test('leaves the segment of a living writer alone', async () => {
    const root = await manySegments()
    const writer = openAt(root)
    await note(writer, result(c))
    const other = openAt(root)
    const merged = compactRecords(other, { atLeast: 2 })!.merged
    expect(merged).toHaveLength(6)
    await note(writer, { kind: 'note', key })
    other.records.refresh()
    expect(other.records.of('note', key)).toHaveLength(1)
  })
})

test('whatever is appended by whichever process, all that refresh agree', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          who: fc.nat(2),
          key: fc.nat(3),
          artifact: fc.nat(3),
          kind: fc.constantFrom('result' as const, 'observation' as const, 'evicted' as const, 'restored' as const),
        }),
        { maxLength: 25 },
      ),
      async (steps) => {
        const first = temporaryStore()
        const stores = [first, openAt(first.root, { durability: 'none' }), openAt(first.root, { durability: 'none' })]
        for (const step of steps) {
          await note(stores[step.who]!, {
            kind: step.kind,
            key: keyOf(`${step.key}`),
            artifact: digestOf(`${step.artifact}`),
          })
        }
        const views = [...stores, openAt(first.root, { readOnly: true })].map((store) => {
          store.records.refresh()
          return [0, 1, 2, 3].map((i) => [
            store.records.results(keyOf(`${i}`)),
            store.records.observations(keyOf(`${i}`)),
            store.records.isEvicted(keyOf(`${i}`)),
            store.records.disputed(keyOf(`${i}`)),
          ])
        })
        for (const view of views) expect(view).toEqual(views[0])
        for (const store of stores) await store.close()
      },
    ),
    { numRuns: 15 },
  )
})

test('whatever a key holds, the short questions of a walk have the answers of the long ones', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          key: fc.nat(3),
          artifact: fc.nat(2),
          kind: fc.constantFrom('result' as const, 'observation' as const, 'resolved' as const, 'note' as const),
          buried: fc.boolean(),
        }),
        { maxLength: 12 },
      ),
      async (steps) => {
        const store = temporaryStore()
        const { records } = store
        for (const { key: n, artifact, kind, buried } of steps) {
          const name = keyOf(`${n}`)
          await note(store, { kind, key: name, artifact: digestOf(`${artifact}`) })
          if (buried) await note(store, { kind: 'tombstone', key: records.of(kind, name).at(-1)!.digest })
        }
        for (const i of [0, 1, 2, 3]) {
          const name = keyOf(`${i}`)
          expect(records.resultArtifact(name)).toBe(records.result(name)?.artifact)
          expect(records.newestObservation(name)).toEqual(records.observations(name).at(-1))
        }
        await store.close()
      },
    ),
    { numRuns: 30 },
  )
})
