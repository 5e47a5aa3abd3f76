import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import type { Digest } from '../../cas/digest.ts'
import { Fault } from '../../lib/fault.ts'
import { importSnapshot } from '../../snapshots/importBundle.ts'
import type { ManifestNode } from '../../snapshots/manifest.ts'
import { planRebuild } from '../../snapshots/rebuildPlan.ts'
import { outcomeOf } from '../../snapshots/verifyReport.ts'
import { bundleOf, objectPathOf, pinnedSample, told, verify } from './pinnedSample.ts'
import { sampleExecute } from './sampleExecute.ts'
import { evict, filePathOf, nodeAt, Sandbox } from './sampleRun.ts'

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

describe('verify --level rebuild', () => {
  test('every pure node comes out the same, and nothing is left behind', async () => {
    const { store } = await pinned()
    const scratch = sandbox.store()
    const report = await verify(store, 'rebuild', { execute: sampleExecute(scratch.stagingDir), workers: 3 })
    expect(report).toMatchObject({ findings: [], interrupted: false, counts: { total: 4, checked: 4 } })
    expect(readdirSync(scratch.stagingDir)).toEqual([])
  })

  test('it goes on after a mismatch and names every root, and only roots, with the difference', async () => {
    const { store } = await pinned(['ADA', 'BTC', 'ETH', 'SOL'])
    const liars = ['parse[ADA]', 'parse[SOL]', 'report']
    const report = await verify(store, 'rebuild', {
      execute: sampleExecute(sandbox.store().stagingDir, (node, text) =>
        liars.includes(node.address) ? text.replace('task', 'Task') : text,
      ),
      diffArtifacts: async (recorded, rebuilt) => {
        const [a, b] = [recorded, rebuilt].map(({ files }) => readFileSync(files[0]!.path, 'utf8'))
        return `first differing byte ${[...a!].findIndex((unit, i) => unit !== b![i])}`
      },
    })
    expect(told(report)).toEqual(liars.map((node) => ['error', 'differs', node]))
    expect(report.findings.every(({ what }) => /first differing byte \d+$/.test(what))).toBe(true)
    expect(outcomeOf([report])).toBe('notReproducible')
  })

  test('without help the difference is named by file and size', async () => {
    const { store } = await pinned()
    const report = await verify(store, 'rebuild', {
      execute: sampleExecute(sandbox.store().stagingDir, (node, text) => (node.task === 'report' ? `${text} ` : text)),
    })
    expect(report.findings[0]?.what).toMatch(/its file report\.json has \d+ other bytes, recorded were \d+/)
  })

  test('evicted inputs are made again first, and then serve', async () => {
    const { store, manifest } = await pinned()
    for (const address of ['parse[BTC]', 'parse[ETH]', 'collect']) await evict(store, nodeAt(manifest, address))
    const scratch = sandbox.store()
    const order: string[] = []
    const report = await verify(store, 'rebuild', {
      execute: sampleExecute(scratch.stagingDir, (node, text) => {
        order.push(node.address)
        return text
      }),
    })
    expect(report.findings).toEqual([])
    expect(order).toEqual(['parse[BTC]', 'parse[ETH]', 'collect', 'report'])
    expect(readdirSync(scratch.stagingDir)).toEqual([])
  })

  test('below a mismatch of an evicted input nodes are unverifiable, not failed', async () => {
    const { store, manifest } = await pinned()
    for (const address of ['parse[BTC]', 'collect']) await evict(store, nodeAt(manifest, address))
    const report = await verify(store, 'rebuild', {
      workers: 3,
      execute: sampleExecute(sandbox.store().stagingDir, (node, text) =>
        node.address === 'parse[BTC]' ? `${text} ` : text,
      ),
    })
    expect(told(report)).toEqual([
      ['error', 'unverifiable', 'collect'],
      ['error', 'differs', 'parse[BTC]'],
      ['error', 'unverifiable', 'report'],
    ])
    expect(report.findings[1]?.what).toMatch(/were evicted/)
  })

  test('code that fails is told apart from code that differs', async () => {
    const { store } = await pinned()
    const report = await verify(store, 'rebuild', {
      execute: sampleExecute(sandbox.store().stagingDir, (node, text) => {
        if (node.task === 'collect') throw new Error('no such package')
        return text
      }),
    })
    expect(report.findings).toMatchObject([{ kind: 'failed', node: 'collect', what: expect.stringMatching(/no such/) }])
  })

  test('damaged input bytes are found before the code is blamed', async () => {
    const { store, manifest } = await pinned()
    const path = filePathOf(store, nodeAt(manifest, 'collect'))
    overwrite(path, readFileSync(path, 'utf8').replace('collect', 'colleCt'))
    const report = await verify(store, 'rebuild', { execute: sampleExecute(sandbox.store().stagingDir) })
    expect(told(report)).toEqual([['error', 'unverifiable', 'report']])
    expect(report.findings[0]?.what).toMatch(/is damaged/)
  })

  test('missing code and missing source bytes make unverifiable', async () => {
    const { store, manifest } = await pinned()
    rmSync(objectPathOf(store, (nodeAt(manifest, 'report').code as { run: Digest }).run))
    rmSync(filePathOf(store, nodeAt(manifest, 'fetch')))
    const report = await verify(store, 'rebuild', { execute: sampleExecute(sandbox.store().stagingDir) })
    expect(told(report)).toEqual([
      ['error', 'unverifiable', 'parse[BTC]'],
      ['error', 'unverifiable', 'parse[ETH]'],
      ['error', 'unverifiable', 'report'],
    ])
    expect(outcomeOf([report])).toBe('unverifiable')
  })

  test('the code of an imported snapshot runs only when it is trusted', async () => {
    const { store } = await pinned()
    const theirs = sandbox.store()
    await importSnapshot(theirs, bundleOf(store))
    let runs = 0
    const execute = sampleExecute(sandbox.store().stagingDir, (_, text) => {
      runs++
      return text
    })
    const fault = await faultOf(verify(theirs, 'rebuild', { execute }))
    expect(fault.code).toBe('refused')
    expect(fault.todo).toContain('--trust-code')
    expect(runs).toBe(0)
    expect((await verify(theirs, 'rebuild', { execute, trustCode: true })).findings).toEqual([])
    await importSnapshot(theirs, bundleOf(store), { trustCode: true })
    expect((await verify(theirs, 'rebuild', { execute })).findings).toEqual([])
    expect(runs).toBe(8)
  })

  test('a sample rebuilds a part, and what it needs', async () => {
    const { store, manifest } = await pinned(['ADA', 'BTC', 'ETH', 'SOL', 'XRP', 'DOT'])
    await evict(store, nodeAt(manifest, 'collect'))
    const seen = new Set<string>()
    const report = await verify(store, 'rebuild', {
      sample: { share: 0.5, seed: 's' },
      execute: sampleExecute(sandbox.store().stagingDir, (node, text) => {
        seen.add(node.address)
        return text
      }),
    })
    expect(report.findings).toEqual([])
    expect(report.counts.notSampled).toBeGreaterThan(0)
    expect(report.counts.checked + report.counts.notSampled).toBe(report.counts.total)
    if (seen.has('report')) expect(seen).toContain('collect')
  })

  test('interrupted in the middle of a node, it resumes with that node', async () => {
    const { store } = await pinned(['ADA', 'BTC', 'ETH'])
    const progressFile = sandbox.folder()
    const stop = new AbortController()
    let runs = 0
    const execute = sampleExecute(sandbox.store().stagingDir, (node, text) => {
      runs++
      if (node.address === 'parse[ADA]') return `${text} `
      if (node.address === 'parse[BTC]' && !stop.signal.aborted) {
        stop.abort()
        throw new Error('aborted')
      }
      return text
    })
    const first = await verify(store, 'rebuild', { execute, progressFile, signal: stop.signal })
    expect(first).toMatchObject({ interrupted: true, counts: { checked: 2 } })
    const second = await verify(store, 'rebuild', { execute, progressFile })
    expect(second).toMatchObject({ interrupted: false, counts: { total: 5, checked: 5, resumed: 2 } })
    expect(told(second)).toEqual([['error', 'differs', 'parse[ADA]']])
    expect(runs).toBe(6)
  })

  test('a chain of thousands of evicted nodes is ordinary', async () => {
    const { manifest } = await pinned()
    const base = nodeAt(manifest, 'report')
    const digest = (i: number) => i.toString(16).padStart(64, '0') as Digest
    const nodes = Array.from(
      { length: 20_000 },
      (_, i): ManifestNode => ({
        ...base,
        address: `n[${i}]`,
        inputs: i === 0 ? {} : { above: digest(i - 1) },
        artifact: digest(i),
      }),
    )
    const plan = planRebuild(
      { ...manifest, nodes },
      () => true,
      () => false,
      () => undefined,
    )
    expect(plan.steps.map(({ node }) => node.artifact)).toEqual(nodes.map(({ artifact }) => artifact))
  })
})
