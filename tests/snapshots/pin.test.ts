import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../cas/artifact.ts'
import { digestOf } from '../../cas/digest.ts'
import { planGc } from '../../cas/gc.ts'
import { executeGc } from '../../cas/gcExecute.ts'
import { objectPath } from '../../cas/layout.ts'
import { stageBytes } from '../../cas/staging.ts'
import { Fault } from '../../lib/fault.ts'
import { keyOfSpec, type Manifest, manifestId, specOf } from '../../snapshots/manifest.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { snapshotRoots } from '../../snapshots/roots.ts'
import {
  hasSnapshot,
  listSnapshots,
  readProvenance,
  readSnapshot,
  removeSnapshot,
  setTrust,
  snapshotFolder,
} from '../../snapshots/snapshotFolder.ts'
import { evict, filePathOf, nodeAt, Sandbox, sampleRun } from './sampleRun.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

const provenance = { pinnedBy: 'a test', runs: [{ atMs: 1 }] }

async function pinned(name = 'X') {
  const store = sandbox.store()
  const manifest = await sampleRun(store)
  const { id } = await pinSnapshot(store, { name, manifest, provenance })
  return { store, manifest, id, folder: snapshotFolder(store.root, name) }
}

const sha256sum = (folder: string, ...args: string[]): string =>
  execFileSync('sha256sum', ['-c', '--strict', '--quiet', ...args], { cwd: folder, stdio: 'pipe' }).toString()

async function faultOf(work: Promise<unknown> | (() => unknown)): Promise<Fault> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }
  throw new Error('it was accepted')
}

describe('pinSnapshot', () => {
  test('writes manifest, provenance and both checksum lists; the id is the hash of manifest.json', async () => {
    const { store, manifest, id, folder } = await pinned()
    expect(readdirSync(folder).sort()).toEqual([
      'checksums.derived.sha256',
      'checksums.sha256',
      'manifest.json',
      'origin.json',
      'provenance.json',
    ])
    expect(id).toBe(manifestId(manifest))
    expect(digestOf(readFileSync(join(folder, 'manifest.json')))).toBe(id)
    expect(readSnapshot(store.root, 'X')).toEqual({
      name: 'X',
      id,
      manifest,
      origin: { origin: 'pinned', trusted: true },
    })
    expect(readProvenance(store.root, 'X')).toEqual(provenance)
    expect(readdirSync(store.stagingDir)).toEqual([])
  })

  test('sha256sum -c passes on both lists inside the folder, and notices a flipped bit', async () => {
    const { store, manifest, folder } = await pinned()
    sha256sum(folder, 'checksums.sha256')
    sha256sum(folder, 'checksums.derived.sha256')
    const path = filePathOf(store, nodeAt(manifest, 'fetch'))
    chmodSync(path, 0o644)
    writeFileSync(path, 'BTC,1\nETH,3\n')
    expect(() => sha256sum(folder, 'checksums.sha256')).toThrow()
  })

  test('sha256sum -c passes after everything evictable was evicted', async () => {
    const { store, manifest, folder } = await pinned()
    for (const address of ['parse[BTC]', 'parse[ETH]', 'collect']) await evict(store, nodeAt(manifest, address))
    sha256sum(folder, 'checksums.sha256')
    expect(() => sha256sum(folder, 'checksums.derived.sha256')).toThrow()
    sha256sum(folder, '--ignore-missing', 'checksums.derived.sha256')
  })

  test('never evicted are descriptors, code, package files, lists, source bytes and targets; the rest is derived', async () => {
    const { store, manifest } = await pinned()
    const roots = snapshotRoots(store)
    const firm = roots.filter((root) => root.evictable !== true).map(({ digest }) => digest)
    const fileOf = (address: string) => store.readDescriptor(nodeAt(manifest, address).artifact).files[0]!.digest
    for (const { artifact, code } of manifest.nodes) {
      expect(roots.map(({ digest }) => digest)).toContain(artifact)
      if ('run' in code) expect(firm).toContain(code.run)
    }
    for (const digest of [fileOf('fetch'), fileOf('report'), digestOf('export const one = 1')]) {
      expect(firm).toContain(digest)
    }
    expect(roots.flatMap(({ evictable, digest }) => (evictable ? [digest] : [])).sort()).toEqual(
      ['collect', 'parse[BTC]', 'parse[ETH]'].map((address) => nodeAt(manifest, address).artifact).sort(),
    )
  })

  test('bytes that are a source’s as well are never evicted, whoever else made them', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    const fetch = nodeAt(manifest, 'fetch')
    const copy = describeArtifact('copy', store.readDescriptor(fetch.artifact).files)
    await store.commit({ staged: [stageBytes(store.stagingDir, copy.bytes)], records: [] })
    const node = { ...nodeAt(manifest, 'parse[BTC]'), address: 'copy', task: 'copy', artifact: copy.id }
    const nodes = [...manifest.nodes, node].sort((a, b) => (a.address < b.address ? -1 : 1))
    await pinSnapshot(store, { name: 'X', manifest: { ...manifest, nodes }, provenance })
    const file = copy.descriptor.files[0]!.digest.slice(2)
    const list = (name: string) => readFileSync(join(snapshotFolder(store.root, 'X'), name), 'utf8')
    expect(list('checksums.sha256')).toContain(file)
    expect(list('checksums.derived.sha256')).not.toContain(file)
  })

  test('gc that must shrink the store to nothing evicts exactly the derived files, and sha256sum -c still passes', async () => {
    const { store: maker, manifest, folder } = await pinned()
    await maker.close() // as long as it lives, its lease keeps what it wrote
    const store = sandbox.store(maker.root)
    const options = { roots: snapshotRoots(store), graceMs: 0, nowMs: Date.now() + 1e9, maxSizeBytes: 0 }
    const plan = planGc(store, options)
    expect(plan.missingRoots).toEqual([])
    expect(plan.evictedForSize).toEqual(
      ['collect', 'parse[BTC]', 'parse[ETH]'].map((address) => nodeAt(manifest, address).artifact).sort(),
    )
    expect(plan.collect.length).toBe(3)
    await executeGc(store, plan)
    sha256sum(folder, 'checksums.sha256')
    sha256sum(folder, '--ignore-missing', 'checksums.derived.sha256')
  })

  test('the same run under the same name is fine; another run is told both ids, and nothing changes', async () => {
    const { store, manifest, id } = await pinned()
    expect(await pinSnapshot(store, { name: 'X', manifest, provenance: {} })).toEqual({ id, alreadyThere: true })
    const other = await sampleRun(store, { raw: 'BTC,9\nETH,2\n' })
    const fault = await faultOf(pinSnapshot(store, { name: 'X', manifest: other, provenance }))
    expect(fault.code).toBe('refused')
    expect(fault.details).toMatchObject({ there: id, wanted: manifestId(other) })
    expect(fault.what).toContain(id.slice(0, 12))
    expect(fault.what).toContain(manifestId(other).slice(0, 12))
    expect(readSnapshot(store.root, 'X').id).toBe(id)
    expect(readProvenance(store.root, 'X')).toEqual(provenance)
  })

  test('what is still on its way is durable before the name is there', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    const other = sampleRun(store, { raw: 'BTC,7\n', symbols: ['BTC'] }) // not awaited
    await pinSnapshot(store, { name: 'X', manifest, provenance })
    await pinSnapshot(store, { name: 'Y', manifest: await other, provenance })
    sha256sum(snapshotFolder(store.root, 'Y'), 'checksums.sha256')
  })

  test('a disputed key refuses, names the node and "pipe resolve", and pins once somebody chose', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    const node = nodeAt(manifest, 'parse[BTC]')
    const key = keyOfSpec(specOf(node))
    const second = nodeAt(manifest, 'parse[ETH]').artifact
    await store.commit({ staged: [], records: [{ kind: 'result', key, artifact: second }] })
    const fault = await faultOf(pinSnapshot(store, { name: 'X', manifest, provenance }))
    expect(fault).toMatchObject({ code: 'nondeterministic', where: 'parse[BTC]' })
    expect(fault.todo).toContain(`pipe resolve ${key.slice(0, 12)}`)
    expect(listSnapshots(store.root)).toEqual([])
    await store.records.resolve(key, node.artifact)
    expect(await pinSnapshot(store, { name: 'X', manifest, provenance })).toMatchObject({ alreadyThere: false })
  })

  for (const address of ['fetch', 'parse[BTC]', 'report']) {
    test(`bytes of ${address} that are missing and not evicted refuse`, async () => {
      const store = sandbox.store()
      const manifest = await sampleRun(store)
      rmSync(filePathOf(store, nodeAt(manifest, address)))
      const fault = await faultOf(pinSnapshot(store, { name: 'X', manifest, provenance }))
      expect(fault).toMatchObject({ code: 'corrupt', where: address })
      expect(fault.todo).toBe(`make it again with "pipe run '${address}'", then pin the run`)
      expect(hasSnapshot(store.root, 'X')).toBe(false)
    })

    test(`the descriptor of ${address} refuses where it is damaged, and names who makes it again`, async () => {
      const store = sandbox.store()
      const manifest = await sampleRun(store)
      const path = objectPath(store.objectsDir, nodeAt(manifest, address).artifact)
      chmodSync(path, 0o644)
      writeFileSync(path, 'damaged')
      for (const what of [/is damaged/, /is not in this store/]) {
        const fault = await faultOf(pinSnapshot(store, { name: 'X', manifest, provenance }))
        expect(fault).toMatchObject({ code: 'corrupt', where: address, what: expect.stringMatching(what) })
        expect(fault.todo).toContain(`"pipe run '${address}'"`)
      }
    })
  }

  test('code that is lost is written anew by whoever executes its node again', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    const { address, code } = nodeAt(manifest, 'report')
    if (!('run' in code)) throw new Error('it has no code')
    rmSync(objectPath(store.objectsDir, code.run))
    const fault = await faultOf(pinSnapshot(store, { name: 'X', manifest, provenance }))
    expect(fault).toMatchObject({ code: 'corrupt', where: address })
    expect(fault.todo).toContain(`pipe run '${address}' --force '${address}'`)
  })

  test('an evicted intermediate may be pinned, an evicted target may not', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    await evict(store, nodeAt(manifest, 'parse[BTC]'))
    await pinSnapshot(store, { name: 'X', manifest, provenance })
    await evict(store, nodeAt(manifest, 'report'))
    expect((await faultOf(pinSnapshot(store, { name: 'Y', manifest, provenance }))).code).toBe('corrupt')
  })

  test('a manifest that is not sorted, or names nothing, gets no name', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    const turned: Manifest = { ...manifest, nodes: [...manifest.nodes].reverse() }
    expect((await faultOf(pinSnapshot(store, { name: 'X', manifest: turned, provenance }))).what).toMatch(/not sorted/)
  })

  const badNames = ['', '.', '..', '../up', 'a/b', '/abs', 'a\\b', '.hidden', 'con', 'NUL.txt', 'x.', 'a b', 'é', '-x']
  for (const name of [...badNames, 'x'.repeat(65), 'a\u0000b']) {
    test(`refuses the name ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const store = sandbox.store()
      const manifest = await sampleRun(store)
      expect((await faultOf(pinSnapshot(store, { name, manifest, provenance }))).code).toBe('usage')
      expect((await faultOf(() => readSnapshot(store.root, name))).code).toBe('usage')
      expect((await faultOf(() => removeSnapshot(store.root, name))).code).toBe('usage')
    })
  }

  test('a name that differs only in case is refused', async () => {
    const { store, manifest } = await pinned('June')
    const fault = await faultOf(pinSnapshot(store, { name: 'june', manifest, provenance }))
    expect(fault.what).toContain('differs only in case from June')
  })

  test('of several processes pinning one name, one wins, its equals succeed and the others are told', async () => {
    const root = sandbox.folder()
    const store = sandbox.store(root)
    await store.flush()
    const variants = ['same', 'same', 'same', 'other', 'other']
    const script = new URL('./pinInProcess.ts', import.meta.url).pathname
    const bundle = join(sandbox.folder(), 'pinInProcess.mjs')
    const rolldown = new URL('../../node_modules/.bin/rolldown', import.meta.url).pathname
    execFileSync(rolldown, [script, '--platform', 'node', '--format', 'esm', '-o', bundle], { stdio: 'pipe' })
    const results = await Promise.all(
      variants.map(
        (variant) =>
          new Promise<string>((resolve) => {
            const child = spawn(process.execPath, [bundle, root, variant], { stdio: ['ignore', 'pipe', 'pipe'] })
            let printed = ''
            child.stdout.on('data', (chunk) => (printed += chunk))
            child.stderr.on('data', (chunk) => (printed += chunk))
            child.on('exit', () => resolve(printed.trim()))
          }),
      ),
    )
    const won = results.filter((result) => result.startsWith('pinned'))
    expect(won.length, results.join('\n')).toBe(1)
    const winner = readSnapshot(root, 'X').id
    for (const [i, result] of results.entries()) {
      const [outcome, id] = result.split(' ')
      const equal = variants[i] === variants[results.indexOf(won[0]!)]
      expect(outcome, results.join('\n')).toBe(result === won[0] ? 'pinned' : equal ? 'there' : 'refused')
      expect(id).toBe(winner)
    }
    sha256sum(snapshotFolder(root, 'X'), 'checksums.sha256')
  })
})

describe('snapshots of a root', () => {
  test('are listed by name, and other things in the folder are not', async () => {
    const { store, manifest } = await pinned('b')
    await pinSnapshot(store, { name: 'a', manifest, provenance })
    writeFileSync(join(store.root, 'snapshots', 'notes.txt'), '')
    expect(listSnapshots(store.root)).toEqual(['a', 'b'])
    expect(listSnapshots(sandbox.folder())).toEqual([])
  })

  test('are removed whole, and their objects stay for gc', async () => {
    const { store, manifest } = await pinned()
    removeSnapshot(store.root, 'X')
    expect(readdirSync(join(store.root, 'snapshots'))).toEqual([])
    expect(existsSync(filePathOf(store, nodeAt(manifest, 'report')))).toBe(true)
    expect((await faultOf(() => removeSnapshot(store.root, 'X'))).what).toContain('no snapshot "X"')
  })

  test('one that is not there is told with those that are', async () => {
    const { store } = await pinned('june')
    expect((await faultOf(() => readSnapshot(store.root, 'jun'))).todo).toContain('june')
  })

  test('a damaged manifest is a Fault, never a wrong answer', async () => {
    const { store, folder } = await pinned()
    writeFileSync(join(folder, 'manifest.json'), '{')
    expect((await faultOf(() => readSnapshot(store.root, 'X'))).code).toBe('corrupt')
  })

  describe('a manifest that was edited, though it still is one', () => {
    const edit = (folder: string): void => {
      const path = join(folder, 'manifest.json')
      writeFileSync(path, readFileSync(path, 'utf8').replace('1700000000000', '1700000000001'))
    }

    test('does not pass for the snapshot, and the way on is said', async () => {
      const { store, manifest, folder } = await pinned()
      edit(folder)
      const fault = await faultOf(() => readSnapshot(store.root, 'X'))
      expect(fault).toMatchObject({ code: 'corrupt', where: 'snapshots/X' })
      expect(fault.what).toContain('checksums.sha256')
      expect(fault.todo).toContain('pipe snapshot rm X')
      expect((await faultOf(pinSnapshot(store, { name: 'X', manifest, provenance }))).code).toBe('corrupt')
      expect((await faultOf(() => setTrust(store.root, 'X', true))).code).toBe('corrupt')
    })

    test('does not pass when the list was edited with it: the origin knows the id', async () => {
      const { store, folder } = await pinned()
      const list = join(folder, 'checksums.sha256')
      const before = digestOf(readFileSync(join(folder, 'manifest.json')))
      edit(folder)
      const after = digestOf(readFileSync(join(folder, 'manifest.json')))
      writeFileSync(list, readFileSync(list, 'utf8').replace(before, after))
      expect((await faultOf(() => readSnapshot(store.root, 'X'))).what).toContain('origin.json')
    })

    test('does not pass when nothing is left beside it that could tell; one witness is enough', async () => {
      const { store, folder } = await pinned()
      const { id } = readSnapshot(store.root, 'X')
      const list = readFileSync(join(folder, 'checksums.sha256'))
      rmSync(join(folder, 'checksums.sha256'))
      expect(readSnapshot(store.root, 'X').id).toBe(id)
      rmSync(join(folder, 'origin.json'))
      expect((await faultOf(() => readSnapshot(store.root, 'X'))).code).toBe('corrupt')
      writeFileSync(join(folder, 'checksums.sha256'), list)
      expect(readSnapshot(store.root, 'X').id).toBe(id)
    })

    test('gives gc no leave: all that is listed stays', async () => {
      const { store, folder } = await pinned()
      const before = snapshotRoots(store)
      edit(folder)
      const after = snapshotRoots(store)
      expect(after.every(({ evictable }) => evictable === undefined)).toBe(true)
      const kept = new Set(after.map(({ digest }) => digest))
      expect(before.filter(({ digest }) => !kept.has(digest))).toEqual([])
    })
  })

  test('a list that was cut between two lines takes nothing from the roots', async () => {
    const { store, manifest, folder } = await pinned()
    const path = join(folder, 'checksums.sha256')
    const whole = snapshotRoots(store)
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    const sorted = (roots: typeof whole) => [...roots].sort((a, b) => (a.digest < b.digest ? -1 : 1))
    for (const kept of [lines.slice(0, 3), lines.slice(3), lines.slice(0, -1), []]) {
      writeFileSync(path, kept.map((line) => `${line}\n`).join(''))
      expect(sorted(snapshotRoots(store))).toEqual(sorted(whole))
    }
    // What lies behind a descriptor that is gone stands in the list alone, and this one is not to be believed.
    rmSync(objectPath(store.objectsDir, nodeAt(manifest, 'fetch').artifact))
    expect((await faultOf(() => snapshotRoots(store))).code).toBe('corrupt')
    writeFileSync(path, `${lines.slice(1).join('\n')}\n`)
    expect((await faultOf(() => snapshotRoots(store))).code).toBe('corrupt')
    writeFileSync(path, `${lines.join('\n')}\n`)
    expect(sorted(snapshotRoots(store))).toEqual(sorted(whole))
    rmSync(join(folder, 'manifest.json'))
    writeFileSync(path, `${lines.slice(0, -2).join('\n')}\n`)
    expect((await faultOf(() => snapshotRoots(store))).code).toBe('corrupt')
  })

  test('roots fall back to the manifest when a list is damaged, and refuse to guess when both are', async () => {
    const { store, folder } = await pinned()
    const whole = snapshotRoots(store)
    const list = readFileSync(join(folder, 'checksums.sha256'))
    writeFileSync(join(folder, 'checksums.sha256'), 'nonsense\n')
    const sorted = (roots: typeof whole) => [...roots].sort((a, b) => (a.digest < b.digest ? -1 : 1))
    expect(sorted(snapshotRoots(store))).toEqual(sorted(whole))
    rmSync(join(folder, 'manifest.json'))
    writeFileSync(join(folder, 'checksums.sha256'), list)
    expect(snapshotRoots(store).every(({ evictable }) => evictable === undefined)).toBe(true)
    writeFileSync(join(folder, 'checksums.sha256'), 'nonsense\n')
    expect((await faultOf(() => snapshotRoots(store))).todo).toContain('pipe snapshot rm X')
  })

  test('a folder with a name that no snapshot can have stops gc, for it may be one', async () => {
    const { store } = await pinned()
    mkdirSync(join(store.root, 'snapshots', 'X copy'))
    expect(await faultOf(() => snapshotRoots(store))).toMatchObject({ where: 'snapshots/X copy' })
  })

  test('trust is recorded beside the snapshot, and a folder from nowhere has none', async () => {
    const { store, folder } = await pinned()
    rmSync(join(folder, 'origin.json'))
    expect(readSnapshot(store.root, 'X').origin).toEqual({ origin: 'unknown', trusted: false })
    setTrust(store.root, 'X', true)
    expect(readSnapshot(store.root, 'X').origin).toEqual({ origin: 'imported', trusted: true })
    mkdirSync(join(store.root, 'snapshots', 'empty'))
    expect((await faultOf(() => setTrust(store.root, 'empty', true))).code).toBe('usage')
  })
})
