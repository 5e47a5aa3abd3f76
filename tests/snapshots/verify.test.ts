import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../cas/canonicalJson.ts'
import type { Digest } from '../../cas/digest.ts'
import type { Store } from '../../cas/store.ts'
import { Fault } from '../../lib/fault.ts'
import { importSnapshot } from '../../snapshots/importBundle.ts'
import { keyOfSpec, type Manifest, manifestId, specOf } from '../../snapshots/manifest.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { verifySnapshot } from '../../snapshots/verify.ts'
import { outcomeOf } from '../../snapshots/verifyReport.ts'
import { bundleOf, objectPathOf, pinnedSample, told, verify } from './pinnedSample.ts'
import { evict, filePathOf, nodeAt, Sandbox, sampleRun } from './sampleRun.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.remove())

const pinned = (symbols?: readonly string[]) => pinnedSample(sandbox, symbols)

function overwrite(path: string, text: string): void {
  chmodSync(path, 0o644)
  writeFileSync(path, text)
  chmodSync(path, 0o444)
}

async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }
  throw new Error('it was accepted')
}

describe('verify --level objects', () => {
  test('a whole snapshot has no findings, and evicted bytes are no damage', async () => {
    const { store, manifest } = await pinned()
    const report = await verify(store, 'objects')
    expect(report).toMatchObject({ findings: [], interrupted: false, counts: { evicted: 0, notSampled: 0 } })
    expect(report.counts.checked).toBe(report.counts.total)
    await evict(store, nodeAt(manifest, 'collect'))
    expect(await verify(store, 'objects')).toMatchObject({ findings: [], counts: { evicted: 1 } })
  })

  test('a flipped byte is found, quarantined, and named with its node and the way back', async () => {
    const { store, manifest } = await pinned()
    const path = filePathOf(store, nodeAt(manifest, 'fetch'))
    overwrite(path, readFileSync(path, 'utf8').replace('0', '9'))
    const report = await verify(store, 'objects')
    expect(told(report)).toEqual([['error', 'damaged', 'fetch']])
    expect(report.findings[0]).toMatchObject({
      what: expect.stringMatching(/source bytes/),
      todo: expect.stringMatching(/import/),
    })
    expect(outcomeOf([report])).toBe('corrupt')
    expect(existsSync(path)).toBe(false)
    expect(told(await verify(store, 'objects'))).toEqual([['error', 'missing', 'fetch']])
  })

  const gone: readonly [string, (store: Store, manifest: Manifest) => Digest][] = [
    ['a descriptor', (_, manifest) => nodeAt(manifest, 'collect').artifact],
    ['a code object', (_, manifest) => (nodeAt(manifest, 'collect').code as { run: Digest }).run],
    ['a list', (_, manifest) => (nodeAt(manifest, 'collect').inputs['tables'] as { list: Digest }).list],
    [
      'a derived file',
      (store, manifest) => store.readDescriptor(nodeAt(manifest, 'collect').artifact).files[0]!.digest,
    ],
  ]
  for (const [says, find] of gone) {
    test(`${says} that is gone is a finding, and the rest is checked all the same`, async () => {
      const { store, manifest } = await pinned()
      const digest = find(store, manifest)
      rmSync(objectPathOf(store, digest))
      const other = filePathOf(store, nodeAt(manifest, 'parse[BTC]'))
      overwrite(other, 'x'.repeat(readFileSync(other).length))
      const fresh = sandbox.store(store.root) // one that has no descriptor in memory
      const report = await verify(fresh, 'objects')
      const kinds = report.findings.map(({ kind, node }) => `${kind} ${node}`).sort()
      expect(kinds.length).toBe(2)
      expect(kinds[0]).toMatch(/^damaged (collect|parse\[BTC\])$/)
    })
  }

  test('resumed, it still tells what is missing in the part that was done before', async () => {
    const { store, manifest } = await pinned()
    const progressFile = sandbox.folder()
    const head = canonicalJson({ format: 1, id: manifestId(manifest), level: 'objects', sample: null })
    writeFileSync(progressFile, `${head}\n${JSON.stringify({ unit: 'f'.repeat(64), findings: [] })}\n`)
    rmSync(filePathOf(store, nodeAt(manifest, 'fetch')))
    const report = await verify(store, 'objects', { progressFile })
    expect(told(report)).toEqual([['error', 'missing', 'fetch']])
    expect(report.counts.resumed).toBe(report.counts.total)
  })

  test('a sample checks a part, the same for one seed', async () => {
    const { store } = await pinned()
    const sample = { share: 0.4, seed: 'a' }
    const first = await verify(store, 'objects', { sample })
    expect(first.counts.notSampled).toBeGreaterThan(0)
    expect(first.counts.checked).toBe(first.counts.total - first.counts.notSampled)
    expect((await verify(store, 'objects', { sample })).counts).toEqual(first.counts)
  })
})

describe('verify --level manifest', () => {
  test('a whole snapshot has no findings', async () => {
    const { store } = await pinned()
    expect((await verify(store, 'manifest')).findings).toEqual([])
  })

  test('a manifest that was edited, or is none, is found', async () => {
    const { store, folder } = await pinned()
    const path = join(folder, 'manifest.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('"title":"sample"', '"title":"Sample"'))
    for (const level of ['objects', 'manifest', 'data'] as const) {
      const report = await verify(store, level)
      expect(told(report)).toEqual([['error', 'manifest', undefined]])
      expect(report.findings[0]!.what).toContain('was changed after it was pinned')
    }
    writeFileSync(path, text.slice(1))
    const broken = await verify(store, 'manifest')
    expect(broken).toMatchObject({ id: undefined, findings: [{ kind: 'manifest', severity: 'error' }] })
    writeFileSync(path, text.replace('"format":1', '"format":7'))
    expect((await faultOf(verify(store, 'manifest'))).code).toBe('refused')
  })

  for (const list of ['checksums.sha256', 'checksums.derived.sha256', 'provenance.json']) {
    test(`${list} that lost a line, or is gone, is found`, async () => {
      const { store, folder } = await pinned()
      const path = join(folder, list)
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^.*\n/, ''))
      expect((await verify(store, 'manifest')).findings.length).toBeGreaterThan(0)
      rmSync(path)
      const report = await verify(store, 'manifest')
      expect(report.findings.some(({ what }) => what.includes(list))).toBe(true)
    })
  }

  test('a stranger in the folder is a warning', async () => {
    const { store, folder } = await pinned()
    writeFileSync(join(folder, 'notes.txt'), '')
    expect(told(await verify(store, 'manifest'))).toEqual([['warning', 'odd file', undefined]])
  })

  test('a key that the records dispute, or know otherwise, or not at all', async () => {
    const { store, manifest } = await pinned()
    const node = nodeAt(manifest, 'parse[BTC]')
    const key = keyOfSpec(specOf(node))
    const other = nodeAt(manifest, 'parse[ETH]').artifact
    await store.commit({ staged: [], records: [{ kind: 'result', key, artifact: other }] })
    const disputed = await verify(store, 'manifest')
    expect(told(disputed)).toEqual([['error', 'disputed', 'parse[BTC]']])
    expect(outcomeOf([disputed])).toBe('nondeterministic')
    await store.records.resolve(key, other)
    expect(told(await verify(store, 'manifest'))).toEqual([['error', 'record', 'parse[BTC]']])

    const empty = sandbox.store()
    await importSnapshot(empty, bundleOf(store), { trustCode: true })
    rmSync(join(empty.root, 'records'), { recursive: true })
    rmSync(join(empty.root, 'index'), { recursive: true })
    mkdirSync(join(empty.root, 'records'))
    mkdirSync(join(empty.root, 'index'))
    const forgetful = await verify(sandbox.store(empty.root), 'manifest')
    expect(new Set(told(forgetful).map(([severity, kind]) => `${severity} ${kind}`))).toEqual(
      new Set(['warning record']),
    )
    expect(outcomeOf([forgetful])).toBe('ok')
  })

  test('inputs that no node made, and rings, are found', async () => {
    const store = sandbox.store()
    const manifest = await sampleRun(store)
    const rewired = (change: Readonly<Record<string, Digest>>): Manifest => ({
      ...manifest,
      nodes: manifest.nodes.map((node) =>
        node.address in change ? { ...node, inputs: { raw: change[node.address]! } } : node,
      ),
    })
    const foreign = rewired({ 'parse[BTC]': (nodeAt(manifest, 'report').code as { run: Digest }).run })
    await pinSnapshot(store, { name: 'foreign', manifest: foreign, provenance: {} })
    const report = await verifySnapshot(store, 'foreign', 'manifest')
    expect(report.findings.filter(({ kind }) => kind === 'wiring').map(({ node }) => node)).toEqual(['parse[BTC]'])
    const ring = rewired({ 'parse[BTC]': nodeAt(manifest, 'report').artifact })
    await pinSnapshot(store, { name: 'ring', manifest: ring, provenance: {} })
    const { findings } = await verifySnapshot(store, 'ring', 'manifest')
    expect(findings.find(({ kind }) => kind === 'wiring')?.what).toMatch(/3 nodes .* ring/)
  })
})

describe('verify --level data', () => {
  test('each artifact is decoded once; what is wrong names its node; evicted ones are counted', async () => {
    const { store, manifest } = await pinned()
    await evict(store, nodeAt(manifest, 'parse[ETH]'))
    const seen: string[] = []
    const report = await verify(store, 'data', {
      readArtifact: async ({ id, type, files }) => {
        seen.push(`${type} ${files[0]?.name}`)
        if (id === nodeAt(manifest, 'report').artifact) return [{ severity: 'error', what: 'rows are not sorted' }]
        if (id === nodeAt(manifest, 'collect').artifact) throw new Error('bad magic')
        return []
      },
    })
    expect(seen.sort()).toEqual(['klines value.json', 'klines value.json', 'raw raw.csv', 'report report.json'])
    expect(told(report)).toEqual([
      ['error', 'data', 'collect'],
      ['error', 'data', 'report'],
    ])
    expect(report.counts).toEqual({ total: 5, checked: 3, notSampled: 0, resumed: 0, evicted: 1 })
  })

  test('bytes that are missing are said', async () => {
    const { store, manifest } = await pinned()
    rmSync(filePathOf(store, nodeAt(manifest, 'collect')))
    expect(told(await verify(store, 'data', { readArtifact: async () => [] }))).toEqual([
      ['error', 'missing', 'collect'],
    ])
  })

  test('an interrupted verify goes on where it stopped, and tells what it found before; a torn line is done again', async () => {
    const { store } = await pinned()
    const progressFile = sandbox.folder()
    const stop = new AbortController()
    let seen = 0
    const readArtifact = async () => {
      if (++seen === 2) stop.abort()
      return [{ severity: 'warning' as const, what: `number ${seen}` }]
    }
    const first = await verify(store, 'data', { readArtifact, progressFile, signal: stop.signal })
    expect(first).toMatchObject({ interrupted: true, counts: { checked: 2 } })
    expect(outcomeOf([first])).toBe('interrupted')
    writeFileSync(progressFile, `${readFileSync(progressFile, 'utf8')}{"unit":"tor`)
    const second = await verify(store, 'data', { readArtifact, progressFile })
    expect(second).toMatchObject({ interrupted: false, counts: { total: 5, checked: 5, resumed: 2 } })
    expect(seen).toBe(5)
    expect(second.findings.length).toBe(5)
    expect(existsSync(progressFile)).toBe(false)
  })

  test('progress on another snapshot or sample is not taken for this one', async () => {
    const { store } = await pinned()
    const progressFile = sandbox.folder()
    writeFileSync(
      progressFile,
      `${canonicalJson({ format: 1, id: 'x', level: 'data', sample: null })}\n{"unit":"a","findings":[]}\n`,
    )
    const report = await verify(store, 'data', { readArtifact: async () => [], progressFile })
    expect(report.counts).toMatchObject({ checked: 5, resumed: 0 })
  })
})

describe('verify --level current', () => {
  test('says what today’s code and config would change, as information', async () => {
    const { store } = await pinned()
    const report = await verify(store, 'current', {
      current: async ({ nodes }) =>
        nodes.flatMap(({ artifact: _, ...node }) => {
          if (node.address === 'parse[ETH]') return []
          if (node.address === 'report') return [{ ...node, params: { title: 'other' } }]
          return node.address === 'fetch' ? [node, { ...node, address: 'fetch[new]' }] : [node]
        }),
    })
    expect(report.findings.map(({ severity, node, what }) => [severity, node, what])).toEqual([
      ['info', 'parse[ETH]', expect.stringMatching(/does not have this node/)],
      ['info', 'report', 'params: title was "sample" and is "other"'],
      ['info', 'fetch[new]', expect.stringMatching(/besides/)],
    ])
    expect(outcomeOf([report])).toBe('ok')
  })
})
