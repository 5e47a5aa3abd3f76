import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../cas/artifact.ts'
import { digestOf } from '../../cas/digest.ts'
import { stageBytes } from '../../cas/staging.ts'
import type { Store } from '../../cas/store.ts'
import { Fault } from '../../lib/fault.ts'
import { exportSnapshot } from '../../snapshots/exportBundle.ts'
import { importSnapshot } from '../../snapshots/importBundle.ts'
import { keyOfSpec, type Manifest, manifestBytes, manifestId, specOf } from '../../snapshots/manifest.ts'
import { folderFiles, pinSnapshot } from '../../snapshots/pin.ts'
import { reachOf } from '../../snapshots/reach.ts'
import { listSnapshots, readProvenance, readSnapshot, snapshotFolder } from '../../snapshots/snapshotFolder.ts'
import { blockSizeBytes, tarHeader, trailerSizeBytes } from '../../snapshots/tar.ts'
import { evict, nodeAt, Sandbox, sampleRun, visibleTree } from './sampleRun.ts'
import { entriesOf, tarOf } from './tarPieces.ts'

const sandbox = new Sandbox()
let home: Store
let manifest: Manifest
let bundle: string
let bytes: Buffer
beforeAll(async () => {
  home = sandbox.store()
  manifest = await sampleRun(home)
  await pinSnapshot(home, { name: 'X', manifest, provenance: { by: 'test' } })
  bundle = join(home.root, 'x.tar')
  exportSnapshot(home, 'X', bundle)
  bytes = readFileSync(bundle)
})
afterAll(() => sandbox.remove())

async function faultOf(work: Promise<unknown> | (() => unknown)): Promise<Fault> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }
  throw new Error('it was accepted')
}

function file(content: Uint8Array): string {
  mkdirSync(join(home.root, 'bundles'), { recursive: true })
  const path = join(home.root, 'bundles', `${digestOf(content).slice(0, 16)}.tar`)
  writeFileSync(path, content)
  return path
}

describe('exportSnapshot', () => {
  test('the same snapshot gives the same bytes, from any root', async () => {
    const again = join(home.root, 'again.tar')
    const { sha256, sizeBytes, leftOut } = exportSnapshot(home, 'X', again)
    expect(readFileSync(again).equals(bytes)).toBe(true)
    expect({ sha256, sizeBytes, leftOut }).toEqual({ sha256: digestOf(bytes), sizeBytes: bytes.length, leftOut: 0 })

    const other = sandbox.store()
    await importSnapshot(other, bundle)
    const back = join(other.root, 'back.tar')
    expect(exportSnapshot(other, 'X', back).sha256).toBe(sha256)
  })

  test('tar extracts it, and sha256sum -c passes inside', () => {
    const folder = sandbox.folder()
    mkdirSync(folder)
    expect(execFileSync('sh', ['-c', `tar -xf '${bundle}' -C '${folder}' 2>&1`]).toString()).toBe('')
    const cwd = join(folder, 'snapshots', 'X')
    for (const list of ['checksums.sha256', 'checksums.derived.sha256']) {
      execFileSync('sha256sum', ['-c', '--strict', '--quiet', list], { cwd })
    }
    expect(readdirSync(cwd)).not.toContain('origin.json')
  })

  test('never-evicted leaves the derived bytes out, and all is what is there', async () => {
    const store = sandbox.store()
    const run = await sampleRun(store)
    await pinSnapshot(store, { name: 'X', manifest: run, provenance: {} })
    const thin = exportSnapshot(store, 'X', join(store.root, 'thin.tar'), { include: 'never-evicted' })
    expect(thin.leftOut).toBe(3)
    await evict(store, nodeAt(run, 'parse[BTC]'))
    expect(exportSnapshot(store, 'X', join(store.root, 'some.tar')).leftOut).toBe(1)
  })

  test('a damaged object, a damaged list and an existing file refuse, and leave no file', async () => {
    const store = sandbox.store()
    const run = await sampleRun(store)
    await pinSnapshot(store, { name: 'X', manifest: run, provenance: {} })
    const out = join(store.root, 'x.tar')
    const list = join(snapshotFolder(store.root, 'X'), 'checksums.sha256')
    const text = readFileSync(list, 'utf8')
    writeFileSync(list, text.slice(text.indexOf('\n') + 1))
    expect((await faultOf(() => exportSnapshot(store, 'X', out))).what).toContain('checksums.sha256')
    writeFileSync(list, text)
    const { digest } = store.readDescriptor(nodeAt(run, 'fetch').artifact).files[0]!
    const path = join(store.objectsDir, digest.slice(0, 2), digest.slice(2))
    execFileSync('sh', ['-c', `chmod u+w '${path}' && printf 'BTC,9' | dd of='${path}' conv=notrunc 2>/dev/null`])
    const fault = await faultOf(() => exportSnapshot(store, 'X', out))
    expect(fault).toMatchObject({ code: 'corrupt', where: digest })
    expect(readdirSync(store.root).filter((name) => name.startsWith('x.tar'))).toEqual([])
    writeFileSync(out, '')
    expect((await faultOf(() => exportSnapshot(store, 'X', out))).code).toBe('usage')
  })
})

describe('importSnapshot', () => {
  test('into an empty root: the same id, provenance, checksums that pass, and no record of what its maker says', async () => {
    const store = sandbox.store()
    const imported = await importSnapshot(store, bundle)
    const { id } = readSnapshot(home.root, 'X')
    expect(imported).toMatchObject({ name: 'X', id, alreadyThere: false, trusted: false, conflicts: [] })
    expect(readSnapshot(store.root, 'X')).toMatchObject({ manifest, origin: { origin: 'imported', trusted: false } })
    expect(readProvenance(store.root, 'X')).toEqual({ by: 'test' })
    const cwd = snapshotFolder(store.root, 'X')
    for (const list of ['checksums.sha256', 'checksums.derived.sha256']) {
      execFileSync('sha256sum', ['-c', '--strict', '--quiet', list], { cwd })
    }
    for (const node of manifest.nodes) {
      const key = keyOfSpec(specOf(node))
      expect(store.records.result(key)).toBeUndefined()
      expect(store.records.observations(key)).toEqual([])
      expect(store.artifactPresence(node.artifact)).toBe('present')
    }
    expect(readdirSync(store.stagingDir)).toEqual([])
  })

  test('results and observations are recorded when its maker is trusted, at once, later, or since before', async () => {
    const served = (store: Store) =>
      manifest.nodes.map((node) => {
        const key = keyOfSpec(specOf(node))
        const { records } = store
        return (node.kind === 'pure' ? records.result(key) : records.observations(key).at(-1))?.artifact
      })
    const artifacts = manifest.nodes.map(({ artifact }) => artifact)
    const atOnce = sandbox.store()
    expect(await importSnapshot(atOnce, bundle, { trustCode: true })).toMatchObject({ trusted: true })
    expect(served(atOnce)).toEqual(artifacts)

    const later = sandbox.store()
    await importSnapshot(later, bundle)
    expect(await importSnapshot(later, bundle, { trustCode: true })).toMatchObject({ trusted: true })
    expect(served(later)).toEqual(artifacts)

    await atOnce.close()
    for (const folder of ['records', 'index']) {
      rmSync(join(atOnce.root, folder), { recursive: true })
      mkdirSync(join(atOnce.root, folder))
    }
    const sinceBefore = sandbox.store(atOnce.root)
    expect(await importSnapshot(sinceBefore, bundle)).toMatchObject({ trusted: true, alreadyThere: true })
    expect(served(sinceBefore)).toEqual(artifacts)
  })

  test('under another name, and with trusted code where that is said', async () => {
    const store = sandbox.store()
    await importSnapshot(store, bundle, { name: 'Y', trustCode: true })
    expect(listSnapshots(store.root)).toEqual(['Y'])
    expect(readSnapshot(store.root, 'Y').origin.trusted).toBe(true)
  })

  test('a second time it is there already; trust is kept, or added', async () => {
    const store = sandbox.store()
    await importSnapshot(store, bundle)
    expect(await importSnapshot(store, bundle, { trustCode: true })).toMatchObject({ alreadyThere: true })
    expect(readSnapshot(store.root, 'X').origin.trusted).toBe(true)
    await importSnapshot(store, bundle)
    expect(readSnapshot(store.root, 'X').origin.trusted).toBe(true)
    expect((await importSnapshot(home, bundle)).alreadyThere).toBe(true)
    expect(readSnapshot(home.root, 'X').origin).toEqual({ origin: 'pinned', trusted: true })
  })

  test('a name that stands for another run refuses before anything is copied', async () => {
    const store = sandbox.store()
    const other = await sampleRun(store, { raw: 'BTC,3\nETH,4\n' })
    await pinSnapshot(store, { name: 'X', manifest: other, provenance: {} })
    const before = visibleTree(store)
    const fault = await faultOf(importSnapshot(store, bundle))
    expect(fault).toMatchObject({
      code: 'refused',
      details: { there: manifestId(other), wanted: manifestId(manifest) },
    })
    expect(visibleTree(store)).toEqual(before)
  })

  test('derived bytes that were left out are recorded as evicted, not as damage', async () => {
    const thin = join(home.root, 'thin.tar')
    exportSnapshot(home, 'X', thin, { include: 'never-evicted' })
    const store = sandbox.store()
    await importSnapshot(store, thin)
    expect(store.artifactPresence(nodeAt(manifest, 'collect').artifact)).toBe('evicted')
    expect(store.artifactPresence(nodeAt(manifest, 'report').artifact)).toBe('present')
    execFileSync('sha256sum', ['-c', '--strict', '--quiet', 'checksums.sha256'], {
      cwd: snapshotFolder(store.root, 'X'),
    })
    // The full bundle brings them back, and the records say so.
    await importSnapshot(store, bundle)
    expect(store.artifactPresence(nodeAt(manifest, 'collect').artifact)).toBe('present')
    expect(store.records.isEvicted(nodeAt(manifest, 'collect').artifact)).toBe(false)
  })

  test('what this root knows stands: no dispute from a stranger, and no old observation becomes the newest', async () => {
    const store = sandbox.store()
    const ours = await sampleRun(store, { raw: 'BTC,5\nETH,6\n' })
    const key = keyOfSpec(specOf(nodeAt(manifest, 'parse[BTC]')))
    const artifact = nodeAt(ours, 'report').artifact
    await store.commit({ staged: [], records: [{ kind: 'result', key, artifact }] })
    const { conflicts } = await importSnapshot(store, bundle, { trustCode: true })
    expect(conflicts).toEqual([
      { address: 'parse[BTC]', ours: artifact, theirs: nodeAt(manifest, 'parse[BTC]').artifact },
    ])
    expect(store.records.disputes()).toEqual([])
    const fetched = store.records.observations(keyOfSpec(specOf(nodeAt(manifest, 'fetch'))))
    expect(fetched.map((record) => record.artifact)).toEqual([nodeAt(ours, 'fetch').artifact])
  })

  test('law: flip any byte, and a Fault names the header or object, and nothing has changed', async () => {
    const store = sandbox.store()
    await sampleRun(store, { raw: 'BTC,3\n' })
    const before = visibleTree(store)
    const flip = async (at: number, by: number): Promise<void> => {
      const damaged = Buffer.from(bytes)
      damaged[at]! ^= by
      const path = join(store.root, 'flipped.tar')
      writeFileSync(path, damaged)
      const fault = await faultOf(importSnapshot(store, path))
      expect(['corrupt', 'refused', 'usage']).toContain(fault.code)
      expect(`${fault.where} ${fault.what}`).toMatch(/flipped\.tar|object|manifest|snapshot name/)
    }
    await fc.assert(fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), flip), {
      numRuns: 400,
      seed: 11,
    })
    // The first header and the end, byte for byte.
    for (let at = 0; at < blockSizeBytes; at += 7) await flip(at, 1)
    for (let at = bytes.length - trailerSizeBytes; at < bytes.length; at += 7) await flip(at, 0x80)
    expect(visibleTree(store)).toEqual(before)
    expect(readdirSync(store.stagingDir)).toEqual([])
  })

  test('law: cut off anywhere, or with anything behind it, it is refused', async () => {
    const store = sandbox.store()
    const before = visibleTree(store)
    const path = join(store.root, 'cut.tar')
    for (let size = 0; size < bytes.length; size += 1024 + (size % 3)) {
      writeFileSync(path, bytes)
      truncateSync(path, size)
      expect((await faultOf(importSnapshot(store, path))).code).toBe('corrupt')
    }
    for (const behind of [Buffer.from('x'), Buffer.alloc(512), bytes]) {
      writeFileSync(path, bytes)
      appendFileSync(path, behind)
      expect((await faultOf(importSnapshot(store, path))).what).toMatch(/behind its end|middle of a block/)
    }
    expect(visibleTree(store)).toEqual(before)
  })

  const hostile: readonly { says: string; make: () => Buffer; what: RegExp }[] = [
    {
      says: 'a path that leads out of the root',
      make: () => tarOf(entriesOf(bytes).map((e, i) => (i === 6 ? { ...e, path: '../../etc/cron.d/x' } : e))),
      what: /none of the objects/,
    },
    {
      says: 'an absolute path',
      make: () => tarOf(entriesOf(bytes).map((e, i) => (i === 6 ? { ...e, path: `/${e.path}` } : e))),
      what: /none of the objects/,
    },
    {
      says: 'a snapshot named ..',
      make: () => tarOf(entriesOf(bytes).map((e) => ({ ...e, path: e.path.replace('snapshots/X', 'snapshots/..') }))),
      what: /snapshot name/,
    },
    {
      says: 'an object twice',
      make: () => tarOf(entriesOf(bytes).flatMap((e, i) => (i === 6 ? [e, e] : [e]))),
      what: /there twice/,
    },
    {
      says: 'objects out of order',
      make: () => {
        const entries = entriesOf(bytes)
        return tarOf([...entries.slice(0, 4), ...entries.slice(4).reverse()])
      },
      what: /out of order/,
    },
    {
      says: 'an object that nothing names',
      make: () => {
        const body = Buffer.from('stowaway')
        const digest = digestOf(body)
        const stowaway = { path: `objects/${digest.slice(0, 2)}/${digest.slice(2)}`, body }
        const [head, objects] = [entriesOf(bytes).slice(0, 4), entriesOf(bytes).slice(4)]
        return tarOf([...head, ...[...objects, stowaway].sort((a, b) => (a.path < b.path ? -1 : 1))])
      },
      what: /none of the objects/,
    },
    {
      says: 'an object that nothing but the list names',
      make: () => {
        const body = Buffer.from('stowaway')
        const digest = digestOf(body)
        const path = `objects/${digest.slice(0, 2)}/${digest.slice(2)}`
        const entries = entriesOf(bytes).map((e, i) => {
          if (i !== 3) return e
          const lines = [...e.body.toString().trimEnd().split('\n'), `${digest}  ../../${path}`]
          lines.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1))
          return { ...e, body: Buffer.from(`${lines.join('\n')}\n`) }
        })
        const objects = [...entries.slice(4), { path, body }].sort((a, b) => (a.path < b.path ? -1 : 1))
        return tarOf([...entries.slice(0, 4), ...objects])
      },
      what: /does not fit the manifest/,
    },
    {
      says: 'a missing object',
      make: () => {
        const packageFile = digestOf('export const one = 1')
        return tarOf(entriesOf(bytes).filter(({ path }) => !path.endsWith(packageFile.slice(2))))
      },
      what: /is not in it/,
    },
    {
      says: 'the objects first',
      make: () => tarOf([...entriesOf(bytes).slice(4), ...entriesOf(bytes).slice(0, 4)]),
      what: /is expected here/,
    },
    {
      says: 'two snapshots in one',
      make: () => tarOf(entriesOf(bytes).map((e, i) => (i === 1 ? { ...e, path: e.path.replace('/X/', '/Y/') } : e))),
      what: /mixes two/,
    },
    { says: 'nothing', make: () => tarOf([]), what: /is expected here/ },
    {
      says: 'a header that claims more than the file has',
      make: () => {
        const damaged = Buffer.from(bytes)
        tarHeader({ path: 'snapshots/X/manifest.json', sizeBytes: 2 ** 52 }).copy(damaged)
        return damaged
      },
      what: /cut off/,
    },
    {
      says: 'provenance nested without end',
      make: () =>
        tarOf(entriesOf(bytes).map((e, i) => (i === 1 ? { ...e, body: Buffer.from('['.repeat(50_000)) } : e))),
      what: /not JSON/,
    },
    {
      says: 'a checksum list that keeps quiet about an object',
      make: () =>
        tarOf(
          entriesOf(bytes).map((e, i) =>
            i === 2 ? { ...e, body: Buffer.from(e.body.toString().split('\n').slice(1).join('\n')) } : e,
          ),
        ),
      what: /none of the objects|does not fit|not in it/,
    },
  ]
  for (const { says, make, what } of hostile) {
    test(`refuses ${says}`, async () => {
      const store = sandbox.store()
      const before = visibleTree(store)
      const fault = await faultOf(importSnapshot(store, file(make())))
      expect(fault.what).toMatch(what)
      expect(visibleTree(store)).toEqual(before)
      expect(readdirSync(store.stagingDir)).toEqual([])
    })
  }

  test('refuses an artifact whose descriptor lies about a size, though every hash is right', async () => {
    const store = sandbox.store()
    const run = await sampleRun(store)
    const fetch = nodeAt(run, 'fetch')
    const { files } = store.readDescriptor(fetch.artifact)
    const lie = describeArtifact('raw', [{ ...files[0]!, sizeBytes: 3 }])
    await store.commit({ staged: [stageBytes(store.stagingDir, lie.bytes)], records: [] })
    const lying = { ...run, nodes: run.nodes.map((node) => (node === fetch ? { ...node, artifact: lie.id } : node)) }
    const reach = reachOf(lying, (digest) => store.readObject(digest))
    const texts = folderFiles(lying, '{}', reach, { origin: 'pinned', trusted: true })
    const objects = [...reach.neverEvicted, ...reach.derived].sort().map((digest) => ({
      path: `objects/${digest.slice(0, 2)}/${digest.slice(2)}`,
      body: store.readObject(digest),
    }))
    const head = [
      { path: 'snapshots/L/manifest.json', body: Buffer.from(manifestBytes(lying)) },
      { path: 'snapshots/L/provenance.json', body: Buffer.from('{}') },
      { path: 'snapshots/L/checksums.sha256', body: Buffer.from(texts.checksums) },
      { path: 'snapshots/L/checksums.derived.sha256', body: Buffer.from(texts.derivedChecksums) },
    ]
    const fault = await faultOf(importSnapshot(sandbox.store(), file(tarOf([...head, ...objects]))))
    expect(fault.what).toMatch(/says 3 bytes/)
  })

  test('refuses a folder, a file that is not there, and a newer manifest format with the way on', async () => {
    const store = sandbox.store()
    expect((await faultOf(importSnapshot(store, store.root))).code).toBe('corrupt')
    expect((await faultOf(importSnapshot(store, join(store.root, 'none.tar')))).code).toBe('usage')
    const newer = entriesOf(bytes).map((e, i) =>
      i === 0 ? { ...e, body: Buffer.from(e.body.toString().replace('"format":1', '"format":2')) } : e,
    )
    expect((await faultOf(importSnapshot(store, file(tarOf(newer))))).todo).toContain('newer tickpipe')
  })

  test('memory stays flat: a bundle with a large object passes through a small buffer', async () => {
    const store = sandbox.store()
    const run = await sampleRun(store, { raw: `BTC,1\n${'ETH,2\n'.repeat(6_000_000)}`, symbols: ['BTC'] })
    await pinSnapshot(store, { name: 'L', manifest: run, provenance: {} })
    const large = join(store.root, 'large.tar')
    const before = process.memoryUsage().arrayBuffers
    let most = 0
    const watch = (): void => {
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    exportSnapshot(store, 'L', large, { onProgress: watch })
    await importSnapshot(sandbox.store(), large, { onProgress: watch })
    expect(statSync(large).size).toBeGreaterThan(36_000_000)
    expect(most - before).toBeLessThan(16_000_000)
  })
})
