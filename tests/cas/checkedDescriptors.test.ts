import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeArtifact } from '../../cas/artifact.ts'
import { DescriptorRows } from '../../cas/descriptorRows.ts'
import { type Digest, digestOf } from '../../cas/digest.ts'
import { objectPath } from '../../cas/layout.ts'
import type { Store, StoreOptions } from '../../cas/store.ts'
import { openAt, stage, temporaryFolder, temporaryStore } from './temporaryRoot.ts'

/** As many as make an index worth writing. */
const many = 520
/** A minute after everything was written: what is younger than a few seconds is not remembered. */
const later: StoreOptions = { durability: 'none', clock: () => Date.now() + 60_000 }

async function storeOf(artifacts = 5, what = 'value'): Promise<{ root: string; ids: Digest[] }> {
  const store = temporaryStore()
  const { digest, sizeBytes, ...file } = stage(store, what)
  const described = Array.from({ length: artifacts }, (_, i) =>
    describeArtifact('read', [{ name: `${what}${i}`, digest, sizeBytes }]),
  )
  const staged = [{ digest, sizeBytes, ...file }, ...described.map(({ bytes }) => stage(store, bytes))]
  await store.commit({ staged, records: [] })
  await store.close()
  return { root: store.root, ids: described.map(({ id }) => id) }
}

function open(root: string, options = later): Store {
  const store = openAt(root, options)
  store.rememberChecked()
  return store
}

/** A process that looks at artifacts and ends. */
async function lookAt(root: string, ids: readonly Digest[], options = later): Promise<void> {
  const store = open(root, options)
  for (const id of ids) expect(store.artifactPresence(id)).toBe('present')
  await store.close()
}

const cacheOf = (root: string): string => join(root, 'index', 'descriptors.cache')
const pathOf = (root: string, id: Digest): string => objectPath(join(root, 'objects'), id)
const rowsIn = (root: string): DescriptorRows => DescriptorRows.decode(readFileSync(cacheOf(root)))!

/** An index that says the type `remembered` of everything, so that a descriptor tells where it was taken from. */
function rememberAll(root: string, ids: readonly Digest[]): void {
  const store = openAt(root)
  const rows = new DescriptorRows()
  for (const id of ids) {
    const text = JSON.stringify({ ...store.readDescriptor(id), type: 'remembered' })
    rows.add(id, lstatSync(pathOf(root, id)), Buffer.from(text))
  }
  writeFileSync(cacheOf(root), rows.encode())
}

const sourceOf = (root: string, id: Digest): string => open(root).readDescriptor(id).type

function rewrite(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length - 3]! ^= 1
  chmodSync(path, 0o644)
  writeFileSync(path, bytes)
  chmodSync(path, 0o444)
}

/** A whole second, which every file system keeps to the last digit. */
const writtenS = 1_700_000_000

describe('a descriptor that another process checked', () => {
  test('is left for the next, who does not read it again', async () => {
    const { root, ids } = await storeOf(many)
    await lookAt(root, ids)
    expect(rowsIn(root).count).toBe(many)
    await lookAt(root, ids)
    rememberAll(root, ids)
    for (const id of ids) expect(sourceOf(root, id)).toBe('remembered')
  })

  test('is read by whoever has not asked to remember, so that a search for damage finds it', async () => {
    const { root, ids } = await storeOf()
    rememberAll(root, ids)
    expect(openAt(root, later).readDescriptor(ids[0]!).type).toBe('read')
  })

  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ['was written to', rewrite],
    [
      'was written to and its time of writing put back',
      (path) => {
        rewrite(path)
        utimesSync(path, writtenS, writtenS)
      },
    ],
    ['was cut short', (path) => truncateSync(path, 5)],
    [
      'was replaced by another of its size and time',
      (path) => {
        const other = `${path}.other`
        cpSync(path, other)
        rewrite(other)
        utimesSync(other, writtenS, writtenS)
        renameSync(other, path)
      },
    ],
  ]
  for (const [says, damage] of damages) {
    test(`is read again where its file ${says}, and found damaged`, async () => {
      const { root, ids } = await storeOf()
      for (const id of ids) utimesSync(pathOf(root, id), writtenS, writtenS)
      rememberAll(root, ids)
      damage(pathOf(root, ids[3]!))
      const store = open(root)
      expect(store.artifactPresence(ids[3]!)).toBe('missing')
      await store.flush()
      expect(store.isDamaged(ids[3]!)).toBe(true)
      expect(store.records.of('quarantined', ids[3]!)).toHaveLength(1)
      expect(store.artifactPresence(ids[4]!)).toBe('present')
    })
  }

  test('is missed where its file is gone, and its artifact where a file of that is', async () => {
    const { root, ids } = await storeOf()
    rememberAll(root, ids)
    const [first, second] = [ids[0]!, ids[1]!]
    rmSync(pathOf(root, first))
    const store = open(root)
    expect(store.artifactPresence(first)).toBe('missing')
    expect(() => store.readDescriptor(first)).toThrow(/is not in this store/)
    expect(store.artifactPresence(second)).toBe('present')
    rmSync(pathOf(root, store.readDescriptor(second).files[0]!.digest))
    expect(store.artifactPresence(second)).toBe('missing')
  })

  test('counts for nothing where a link to its bytes stands in its place', async () => {
    const { root, ids } = await storeOf()
    rememberAll(root, ids)
    const path = pathOf(root, ids[0]!)
    const elsewhere = join(temporaryFolder(), 'bytes')
    renameSync(path, elsewhere)
    symlinkSync(elsewhere, path)
    expect(open(root).artifactPresence(ids[0]!)).toBe('missing')
  })

  test('counts for nothing in a copy of the root, and is checked there once', async () => {
    const { root, ids } = await storeOf(many)
    rememberAll(root, ids)
    const copy = join(temporaryFolder(), 'copy')
    cpSync(root, copy, { recursive: true, preserveTimestamps: true })
    expect(sourceOf(copy, ids[0]!)).toBe('read')
    await lookAt(copy, ids)
    expect(rowsIn(copy).count).toBe(many)
    expect(rowsIn(copy).text(0).toString()).toContain('"type":"read"')
  })

  test('counts for nothing once it was in the trash and came back', async () => {
    const { root, ids } = await storeOf()
    rememberAll(root, ids)
    const path = pathOf(root, ids[0]!)
    renameSync(path, `${path}.away`)
    // As soon as the file system's clock has ticked.
    await new Promise((resolve) => setTimeout(resolve, 30))
    renameSync(`${path}.away`, path)
    expect(sourceOf(root, ids[0]!)).toBe('read')
  })
})

describe('what is remembered of descriptors', () => {
  test('is nothing of files that changed just now, or in the future of a clock that was set back', async () => {
    const { root, ids } = await storeOf(many)
    await lookAt(root, ids, { durability: 'none' })
    await lookAt(root, ids, { durability: 'none', clock: () => Date.now() - 3_600_000 })
    expect(existsSync(cacheOf(root))).toBe(false)
  })

  test('is written by nobody who only reads', async () => {
    const { root, ids } = await storeOf(many)
    await lookAt(root, ids, { ...later, readOnly: true })
    expect(existsSync(cacheOf(root))).toBe(false)
  })

  test('is of all who checked something: a later process keeps the rows of the one before', async () => {
    const { root, ids } = await storeOf(many)
    const { root: elsewhere, ids: more } = await storeOf(many, 'more')
    cpSync(join(elsewhere, 'objects'), join(root, 'objects'), { recursive: true })
    const [a, b] = [open(root), open(root)]
    for (const id of ids) expect(a.artifactPresence(id)).toBe('present')
    for (const id of more) expect(b.artifactPresence(id)).toBe('present')
    await Promise.all([a.close(), b.close()])
    expect(rowsIn(root).count).toBe(2 * many)
    expect(readdirSync(join(root, 'index')).filter((name) => name.startsWith('descriptors'))).toHaveLength(1)
  })

  test('is thrown away where it is torn or a bit of it is wrong, and made again', async () => {
    const { root, ids } = await storeOf(many)
    await lookAt(root, ids)
    const whole = readFileSync(cacheOf(root))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (at, bit) => {
        const flipped = Buffer.from(whole)
        flipped[at]! ^= 1 << bit
        expect(DescriptorRows.decode(flipped)).toBeUndefined()
        expect(DescriptorRows.decode(whole.subarray(0, at))).toBeUndefined()
      }),
      { numRuns: 200 },
    )
    for (const bad of [whole.subarray(0, whole.length / 2), Buffer.alloc(whole.length), Buffer.alloc(0)]) {
      writeFileSync(cacheOf(root), bad)
      await lookAt(root, ids)
      expect(readFileSync(cacheOf(root)).length).toBe(whole.length)
    }
  })

  test('outlives a writer that was killed: the half file is nobody’s index', async () => {
    const { root, ids } = await storeOf()
    rememberAll(root, ids)
    writeFileSync(`${cacheOf(root)}.4711.abc`, readFileSync(cacheOf(root)).subarray(0, 999))
    expect(sourceOf(root, ids[0]!)).toBe('remembered')
  })

  test('costs nobody his run where it cannot be written', async () => {
    const { root, ids } = await storeOf(many)
    rmSync(join(root, 'index'), { recursive: true, force: true })
    writeFileSync(join(root, 'index'), 'no folder')
    await lookAt(root, ids)
  })
})

describe('rows of descriptors', () => {
  test('are found again after any number of them, as they were added', () => {
    const stat = lstatSync(import.meta.filename)
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ maxLength: 40 }), { maxLength: 3000 }), fc.nat(), (texts, extra) => {
        const rows = new DescriptorRows()
        for (const text of texts) rows.add(digestOf(text), stat, Buffer.from(text))
        for (const text of texts) rows.add(digestOf(text), stat, Buffer.from('a second time'))
        const read = DescriptorRows.decode(rows.encode())!
        expect(read.count).toBe(texts.length)
        for (const text of texts) {
          const row = read.find(digestOf(text))!
          expect(read.text(row).toString()).toBe(text)
          expect(read.isUntouched(row, stat)).toBe(true)
        }
        expect(read.find(digestOf(`none ${extra} of these ${texts.length}`))).toBeUndefined()
      }),
      { numRuns: 20 },
    )
  })

  test('tell a file by its device, inode, size, time of writing and time of change', () => {
    const rows = new DescriptorRows()
    const stat = lstatSync(import.meta.filename)
    rows.add(digestOf('a'), stat, Buffer.from('text'))
    for (const part of ['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const) {
      expect(rows.isUntouched(0, Object.assign(lstatSync(import.meta.filename), { [part]: stat[part] + 1 }))).toBe(
        false,
      )
    }
    expect(rows.isUntouched(0, stat)).toBe(true)
  })

  test('are taken over from others as long as there is room', () => {
    const stat = lstatSync(import.meta.filename)
    const others = new DescriptorRows()
    for (const name of ['a', 'b', 'c']) others.add(digestOf(name), stat, Buffer.from(`text of ${name}`))
    const rows = new DescriptorRows()
    rows.add(digestOf('b'), stat, Buffer.from('newer b'))
    rows.absorb(others, 'newer b'.length + 'text of a'.length)
    expect(['a', 'b', 'c'].map((name) => rows.find(digestOf(name)))).toEqual([1, 0, undefined])
    expect(rows.text(0).toString()).toBe('newer b')
    expect(rows.text(1).toString()).toBe('text of a')
  })
})
