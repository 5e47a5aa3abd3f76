import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../cas/digest.ts'
import { parseFaultPoints } from '../../cas/faultPoints.ts'
import { layoutOf, objectPath } from '../../cas/layout.ts'
import { openStagedWriter, stageBytes } from '../../cas/staging.ts'
import { openStore, type Store } from '../../cas/store.ts'
import { verifyObjects, verifyRecords } from '../../cas/verify.ts'
import { keyOf, openAt, put, stage, temporaryFolder, temporaryStore } from './temporaryRoot.ts'

/** What may happen to an object's file behind our back. */
const damages: { says: string; kind: string; damage: (path: string) => void }[] = [
  { says: 'a flipped bit', kind: 'bytes', damage: (path) => rewrite(path, (bytes) => flipped(bytes, 3)) },
  { says: 'a missing end', kind: 'bytes', damage: (path) => truncateSync(path, 5) },
  {
    says: "a stranger's end",
    kind: 'bytes',
    damage: (path) => rewrite(path, (bytes) => Buffer.concat([bytes, Buffer.from('!')])),
  },
  { says: 'no bytes left', kind: 'bytes', damage: (path) => truncateSync(path, 0) },
  { says: 'zeros of the right size', kind: 'bytes', damage: (path) => rewrite(path, (bytes) => bytes.fill(0)) },
  {
    says: 'a folder in its place',
    kind: 'notAFile',
    damage: (path) => replaceFile(path, () => mkdirSync(join(path, 'inside'), { recursive: true })),
  },
  {
    says: 'a pipe in its place',
    kind: 'notAFile',
    damage: (path) => replaceFile(path, () => execFileSync('mkfifo', [path])),
  },
  {
    says: 'a link in its place, to the very same bytes elsewhere',
    kind: 'notAFile',
    damage: (path) => {
      const elsewhere = join(temporaryFolder(), 'bytes')
      renameSync(path, elsewhere)
      symlinkSync(elsewhere, path)
    },
  },
]

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1
  return bytes
}

function replaceFile(path: string, make: () => void): void {
  rmSync(path)
  make()
}

function rewrite(path: string, change: (bytes: Buffer) => Buffer): void {
  chmodSync(path, 0o644)
  writeFileSync(path, change(readFileSync(path)))
  chmodSync(path, 0o444)
}

describe('a damaged object', () => {
  for (const { says, kind, damage } of damages) {
    test(`with ${says} is found, moved aside with its finding, and healed by publishing it again`, async () => {
      const store = temporaryStore()
      const digest = await put(store, 'the right bytes')
      const path = store.locate(digest)!
      damage(path)
      const { findings } = await verifyObjects(store, { workers: 1 })
      expect(findings).toMatchObject([{ kind, digest, quarantined: true }])
      expect(existsSync(path)).toBe(false)
      expect(readdirSync(store.layout.quarantine).sort()).toEqual([`${digest}.0`, `${digest}.0.json`])
      await store.flush()
      expect(store.records.of('quarantined', digest)).toHaveLength(1)
      await put(store, 'the right bytes')
      expect((await verifyObjects(store)).findings).toEqual([])
    })

    test(`with ${says} is never handed out as if it were whole`, async () => {
      const store = temporaryStore()
      const digest = await put(store, 'the right bytes')
      damage(objectPath(store.objectsDir, digest))
      expect(() => store.readObject(digest)).toThrow(/is damaged|is not in this store/)
      await put(store, 'the right bytes')
      expect(Buffer.from(store.readObject(digest)).toString()).toBe('the right bytes')
    })
  }

  test('that can be written to is made read-only again', async () => {
    const store = temporaryStore()
    const digest = await put(store, 'bytes')
    chmodSync(store.locate(digest)!, 0o666)
    expect((await verifyObjects(store)).findings).toMatchObject([{ kind: 'writable', digest, quarantined: false }])
    expect(statSync(store.locate(digest)!).mode & 0o777).toBe(0o444)
    expect((await verifyObjects(store)).findings).toEqual([])
  })

  test('of 0 bytes by right is no damage', async () => {
    const store = temporaryStore()
    await put(store, '')
    expect((await verifyObjects(store)).findings).toEqual([])
  })
})

describe('verify', () => {
  async function filled(count: number): Promise<{ store: Store; digests: Digest[] }> {
    const store = temporaryStore()
    const staged = Array.from({ length: count }, (_, i) => stage(store, `object ${i}`))
    await store.commit({ staged, records: [] })
    return { store, digests: staged.map((file) => file.digest).sort() }
  }

  test('goes on where it was interrupted, and checks each object once', async () => {
    const { store, digests } = await filled(1200)
    const controller = new AbortController()
    const first = await verifyObjects(store, {
      workers: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    })
    expect(first.interrupted).toBe(true)
    expect(first.resumeFrom).toBe(digests[first.checkedObjects - 1])
    const second = await verifyObjects(store, { workers: 2, resumeFrom: first.resumeFrom })
    expect(first.checkedObjects + second.checkedObjects).toBe(1200)
    expect(second).toMatchObject({ interrupted: false, resumeFrom: digests.at(-1) })
  })

  test('takes samples that differ from seed to seed and are about as large as was said', async () => {
    const { store } = await filled(600)
    const sizes = await Promise.all(
      ['a', 'b'].map(async (seed) => (await verifyObjects(store, { sample: { share: 0.2, seed } })).totalObjects),
    )
    for (const size of sizes) expect(size > 60 && size < 200).toBe(true)
    expect((await verifyObjects(store, { sample: { share: 0, seed: '' } })).totalObjects).toBe(0)
    expect((await verifyObjects(store, { sample: { share: 1, seed: '' } })).totalObjects).toBe(600)
  })

  test('says which of the wanted objects are not there, and which files are no objects', async () => {
    const { store, digests } = await filled(3)
    const absent = digestOf('never stored')
    const result = await verifyObjects(store, { digests: [...digests, absent] })
    expect(result.findings).toMatchObject([{ kind: 'missing', digest: absent }])
    writeFileSync(join(store.objectsDir, digests[0]!.slice(0, 2), 'notes.txt'), '')
    expect((await verifyObjects(store)).findings).toMatchObject([{ kind: 'stranger', quarantined: false }])
  })

  test('agrees with sha256sum', async () => {
    const { store, digests } = await filled(50)
    // The command that FORMAT.md gives for checking without any of our code.
    const format = readFileSync(join(import.meta.dirname, '../../cas/FORMAT.md'), 'utf8')
    const command = /^ {4}(cd objects && .*sha256sum.*)$/m.exec(format)![1]!
    const check = () => spawnSync('sh', ['-c', command], { cwd: store.root }).status
    expect(check()).toBe(0)
    rewrite(store.locate(digests[7]!)!, (bytes) => bytes.reverse())
    expect(check()).toBe(1)
    expect((await verifyObjects(store)).findings).toMatchObject([{ digest: digests[7] }])
  })

  test('reports a folder in the place of a record segment, and the rest of the store is of use', async () => {
    const store = temporaryStore()
    await store.commit({ staged: [], records: [{ kind: 'note', key: keyOf('k'), payload: 'precious' }] })
    await store.close()
    mkdirSync(join(store.layout.records, 'x.seg', 'inside'), { recursive: true })
    const again = openAt(store.root, { durability: 'none' })
    expect(again.records.of('note', keyOf('k'))).toHaveLength(1)
    expect(again.records.damage()).toMatchObject([{ segment: 'x.seg', why: 'it is a folder' }])
    await again.commit({ staged: [], records: [{ kind: 'note', key: keyOf('k'), payload: 'more' }] })
    expect(verifyRecords(again)).toMatchObject([{ segment: 'x.seg', why: 'it is a folder' }])
    expect(again.records.of('note', keyOf('k'))).toHaveLength(2)
  })

  test('reports damaged records', async () => {
    const store = temporaryStore()
    for (let i = 0; i < 3; i++)
      await store.commit({ staged: [], records: [{ kind: 'note', key: keyOf('k'), payload: 'precious' }] })
    expect(verifyRecords(store)).toEqual([])
    const path = join(store.layout.records, readdirSync(store.layout.records)[0]!)
    rewrite(path, (bytes) => flipped(bytes, bytes.indexOf('precious')))
    expect(verifyRecords(store)).toHaveLength(1)
    expect(store.records.of('note', keyOf('k'))).toHaveLength(2)
  })
})

describe('a root', () => {
  test('that is no store is refused with the way on', () => {
    expect(() => openStore(join(temporaryFolder(), 'nothing'))).toThrow(
      expect.objectContaining({ code: 'noStore', todo: expect.stringContaining('--root') }),
    )
  })

  test('that is a file is refused', () => {
    const path = join(temporaryFolder(), 'file')
    writeFileSync(path, '')
    expect(() => openStore(path, { create: true })).toThrow(expect.objectContaining({ code: 'noStore' }))
    expect(() => openStore(join(path, 'below'), { create: true })).toThrow(expect.objectContaining({ code: 'noStore' }))
  })

  test('of a newer format is refused with the way on', () => {
    const { root, layout } = temporaryStore()
    writeFileSync(layout.formatFile, 'tickpipe store 2\n')
    expect(() => openStore(root)).toThrow(
      expect.objectContaining({ code: 'refused', todo: expect.stringContaining('update') }),
    )
    writeFileSync(layout.formatFile, 'something else')
    expect(() => openStore(root)).toThrow(expect.objectContaining({ code: 'noStore' }))
  })

  test('of an older format is migrated once, step by step, or refused', () => {
    const { root, layout } = temporaryStore()
    writeFileSync(layout.formatFile, 'tickpipe store 0\n')
    expect(() => openStore(root)).toThrow(expect.objectContaining({ code: 'refused' }))
    const steps: string[] = []
    const migrations = new Map([[0, () => void steps.push('0 to 1')]])
    expect(() => openStore(root, { migrations, readOnly: true })).toThrow(expect.objectContaining({ code: 'refused' }))
    openAt(root, { migrations })
    openAt(root, { migrations })
    expect(steps).toEqual(['0 to 1'])
    expect(readFileSync(layout.formatFile, 'utf8')).toBe('tickpipe store 1\n')
  })

  test('whose migration fails keeps its old format', () => {
    const { root, layout } = temporaryStore()
    writeFileSync(layout.formatFile, 'tickpipe store 0\n')
    const migrations = new Map([
      [
        0,
        () => {
          throw new Error('half way')
        },
      ],
    ])
    expect(() => openStore(root, { migrations })).toThrow('half way')
    expect(readFileSync(layout.formatFile, 'utf8')).toBe('tickpipe store 0\n')
  })

  test('open for reading only refuses to write', async () => {
    const { root } = temporaryStore()
    const reader = openAt(root, { readOnly: true })
    await expect(reader.commit({ staged: [], records: [] })).rejects.toMatchObject({ code: 'noStore' })
    expect(() => reader.openLease('x')).toThrow(/reading only/)
    expect(() => reader.stagingDir).toThrow(/reading only/)
  })
})

test('a failed flush fails the commits that need the file, and no record names it', async () => {
  const store = temporaryStore({ durability: 'group' })
  const lost = stage(store, 'lost')
  rmSync(lost.stagedPath)
  const good = stage(store, 'good')
  const results = await Promise.allSettled([
    store.commit({ staged: [lost], records: [{ kind: 'result', key: keyOf('lost'), artifact: lost.digest }] }),
    store.commit({ staged: [good], records: [{ kind: 'result', key: keyOf('good'), artifact: good.digest }] }),
  ])
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled'])
  expect(store.records.result(keyOf('lost'))).toBeUndefined()
  expect(store.records.result(keyOf('good'))).toBeDefined()
})

test('an error between two steps fails the group and leaves the store as it was', async () => {
  for (const point of ['commit:afterFlush', 'commit:midPlace', 'commit:afterFolders']) {
    const store = temporaryStore({ faults: parseFaultPoints(`${point}@1:throw=ENOSPC`) })
    const file = stage(store, 'bytes')
    const request = { staged: [file], records: [{ kind: 'result' as const, key: keyOf('k'), artifact: file.digest }] }
    await expect(store.commit(request)).rejects.toThrow()
    expect(readdirSync(store.stagingDir)).toEqual([])
    await store.commit({ staged: [stage(store, 'bytes')], records: request.records })
    const later = openAt(store.root, { readOnly: true })
    expect(later.records.result(keyOf('k'))?.artifact).toBe(file.digest)
    expect(Buffer.from(later.readObject(file.digest)).toString()).toBe('bytes')
  }
})

/** A small filesystem of its own, or undefined where we may not mount one. */
function mountSmall(type: string, options: string[], source = 'none'): string | undefined {
  const folder = temporaryMountPoint()
  return spawnSync('mount', ['-t', type, ...options, source, folder]).status === 0 ? folder : undefined
}

const mounted: string[] = []
function temporaryMountPoint(): string {
  const folder = execFileSync('mktemp', ['-d', '/tmp/tickpipe-mount-XXXXXX'], { encoding: 'utf8' }).trim()
  mounted.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of mounted.reverse()) {
    spawnSync('umount', [folder])
    rmSync(folder, { recursive: true, force: true })
  }
})

const canMount =
  process.platform === 'linux' && process.getuid?.() === 0 && mountSmall('tmpfs', ['-o', 'size=64k']) !== undefined

describe.skipIf(!canMount)('on a filesystem of its own (skipped where mounting is not allowed)', () => {
  test('a full disk is said in words, costs nothing that was finished, and a rerun goes through', async () => {
    const folder = mountSmall('tmpfs', ['-o', 'size=1m'])!
    const root = join(folder, 'root')
    const store = openAt(root, { create: true })
    const kept = await put(store, 'finished before')
    await store.commit({ staged: [], records: [{ kind: 'result', key: keyOf('k'), artifact: kept }] })
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(600_000))
    const writer = openStagedWriter(store.stagingDir)
    const fill = () => {
      for (let i = 0; i < 40; i++) writer.write(Buffer.alloc(64_000, i))
    }
    expect(fill).toThrow(expect.objectContaining({ code: 'noStore', what: 'the disk of the store is full' }))
    expect(readdirSync(store.stagingDir)).toEqual([])
    let failure: unknown
    for (let i = 0; i < 400 && failure === undefined; i++) {
      try {
        const staged = [stage(store, `${i}`.repeat(3000))]
        await store.commit({
          staged,
          records: [{ kind: 'result', key: keyOf(`n${i}`), artifact: staged[0]!.digest, payload: 'p'.repeat(5000) }],
        })
      } catch (error) {
        failure = error
      }
    }
    expect(failure).toMatchObject({ code: 'noStore', what: 'the disk of the store is full' })
    const after = openStore(root, { readOnly: true })
    expect(after.records.damage()).toEqual([])
    expect(after.records.result(keyOf('k'))?.artifact).toBe(kept)
    expect((await verifyObjects(after, { workers: 1 })).findings).toEqual([])
    rmSync(join(folder, 'ballast'))
    await put(store, 'more room now')
    await store.commit({ staged: [], records: [{ kind: 'note', key: keyOf('k') }] })
    await store.close()
  })

  test('a read-only root can be read and verified, and cannot be opened for writing', async () => {
    const folder = mountSmall('tmpfs', ['-o', 'size=4m'])!
    const root = join(folder, 'root')
    const store = openStore(root, { create: true })
    const digest = await put(store, 'bytes')
    await store.commit({ staged: [], records: [{ kind: 'result', key: keyOf('k'), artifact: digest, payload: 1 }] })
    await store.close()
    execFileSync('mount', ['-o', 'remount,ro', folder])
    expect(() => openStore(root)).toThrow(expect.objectContaining({ code: 'noStore' }))
    const reader = openAt(root, { readOnly: true })
    expect(Buffer.from(reader.readObject(digest)).toString()).toBe('bytes')
    expect(reader.records.payload(reader.records.result(keyOf('k'))!)).toBe(1)
    expect((await verifyObjects(reader)).findings).toEqual([])
    expect(() => openStore(join(folder, 'new'), { create: true })).toThrow(expect.objectContaining({ code: 'noStore' }))
    await reader.close()
  })

  const fatImage = () => {
    const image = join(temporaryFolder(), 'fat.img')
    execFileSync('truncate', ['-s', '40M', image])
    if (spawnSync('mkfs.vfat', [image]).status !== 0) return undefined
    return mountSmall('vfat', ['-o', 'loop'], image)
  }

  test('a filesystem without hard links and with coarse times serves as well (FAT, skipped without mkfs.vfat)', async (context) => {
    const folder = fatImage()
    if (folder === undefined) return context.skip()
    const store = openAt(join(folder, 'root'), { create: true })
    const digests = await Promise.all(['a', 'b', ''].map((text) => put(store, text)))
    await put(store, 'a')
    for (const digest of digests) expect(digestOf(store.readObject(digest))).toBe(digest)
    await store.close()
  })
})

test('nothing in the store makes a hard link: a filesystem without them is enough', () => {
  const sources = readdirSync(join(import.meta.dirname, '../../cas')).filter((name) => name.endsWith('.ts'))
  for (const name of sources) {
    expect(readFileSync(join(import.meta.dirname, '../../cas', name), 'utf8')).not.toMatch(/\b(linkSync|fs\.link)\b/)
  }
})

test('a root may be moved: nothing in it knows where it lies', async () => {
  const store = temporaryStore()
  const digest = await put(store, 'bytes')
  await store.commit({ staged: [], records: [{ kind: 'result', key: keyOf('k'), artifact: digest, payload: 'p' }] })
  await store.close()
  const elsewhere = join(temporaryFolder(), 'moved')
  execFileSync('cp', ['-r', store.root, elsewhere])
  rmSync(store.root, { recursive: true })
  const moved = openAt(elsewhere)
  expect(moved.records.payload(moved.records.result(keyOf('k'))!)).toBe('p')
  expect(moved.hasObject(digest)).toBe(true)
  expect(layoutOf(elsewhere).root).toBe(elsewhere)
})

test('staging needs only a folder, so any thread can do it', () => {
  const folder = temporaryFolder()
  expect(stageBytes(folder, 'x')).toMatchObject({ digest: digestOf('x'), sizeBytes: 1 })
  expect(() => stageBytes(join(folder, 'absent'), 'x')).toThrow(/ENOENT/)
})
