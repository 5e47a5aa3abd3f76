import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { DescriptorRows } from '../../../../cas/descriptorRows.ts'
import type { Digest } from '../../../../cas/digest.ts'
import { objectPath } from '../../../../cas/layout.ts'
import { jsonArtifact } from '../../../../lib/artifact.ts'
import type { FinishedRun } from '../../../../pipeline/engine/engine.ts'
import { definePipeline } from '../../../../pipeline/engine/graph.ts'
import { defineTask } from '../../../../pipeline/engine/task.ts'
import { EngineLab } from '../../../support/engineLab.ts'

const lines = jsonArtifact('lines', z.array(z.string()))
const count = jsonArtifact('count', z.number())

const fetchLines = defineTask({
  name: 'fetchLines',
  kind: 'source',
  version: 1,
  params: z.object({}),
  output: lines,
  run: async () => ['a', 'b', 'c'],
})
const repeat = defineTask({
  name: 'repeat',
  kind: 'pure',
  params: z.object({}),
  inputs: { lines },
  output: lines,
  run: ({ lines }) => Array.from({ length: 100 }, () => lines).flat(),
})
const tally = defineTask({
  name: 'tally',
  kind: 'pure',
  params: z.object({}),
  inputs: { first: lines, second: lines },
  output: count,
  run: ({ first, second }) => first.concat(second).filter((line) => line === 'a').length,
})
const pipeline = definePipeline('tallies', z.object({}), (graph) => {
  const first = graph.add(fetchLines)
  const second = graph.add(repeat, { inputs: { lines: first } })
  graph.target('tally', graph.add(tally, { inputs: { first, second } }))
})

describe('bytes that are not what their name says', () => {
  test('are noticed by the node that reads them, made again, and never computed with', async () => {
    await using lab = new EngineLab()
    const first = await lab.run(pipeline, ['tally'])
    expect(lab.value(first, 'tally')).toBe(101)
    const damaged = [fileOf(lab, first, 'fetchLines'), fileOf(lab, first, 'repeat')]
    for (const digest of damaged) flip(lab, digest)
    lab.code.set('tally', 'second')
    const run = await lab.run(pipeline, ['tally'])
    expect(run.status).toBe('ok')
    expect(lab.value(run, 'tally')).toBe(101)
    expect(lab.executed).toEqual(['tally', 'repeat', 'tally'])
    expect(lab.events.flatMap((event) => (event.kind === 'node healed' ? [event.address] : []))).toEqual([
      'fetchLines',
      'repeat',
    ])
    for (const digest of damaged) expect(lab.store.records.of('quarantined', digest)).toHaveLength(1)
    expect((await lab.run(pipeline, ['tally'])).counts.executed).toBe(0)
  })

  test('of the wrong size are made again before they are read', async () => {
    await using lab = new EngineLab()
    const first = await lab.run(pipeline, ['tally'])
    truncateSync(objectPath(lab.store.objectsDir, fileOf(lab, first, 'repeat')), 200)
    lab.code.set('tally', 'second')
    expect((await lab.plan(pipeline, ['tally'])).nodes.find(({ address }) => address === 'repeat')?.verdict).toEqual({
      kind: 'will run',
      because: [{ kind: 'quarantined' }],
    })
    const run = await lab.run(pipeline, ['tally'])
    expect(lab.value(run, 'tally')).toBe(101)
    expect(lab.executed).toEqual(['repeat', 'tally'])
  })

  test.each([
    ['damaged', 'seen for the first time'],
    ['deleted', 'seen for the first time'],
    ['damaged', 'remembered as checked'],
    ['deleted', 'remembered as checked'],
  ])('and a source whose descriptor is %s, %s, is asked again, demanded or not', async (how, seen) => {
    await using lab = new EngineLab()
    const first = await lab.run(pipeline, ['tally'])
    const artifact = first.manifest!.nodes.find(({ address }) => address === 'fetchLines')!.artifact
    if (seen === 'remembered as checked') remember(lab, artifact)
    if (how === 'damaged') flip(lab, artifact)
    else rmSync(objectPath(lab.store.objectsDir, artifact))
    await lab.reopen()
    const reason = how === 'damaged' ? 'quarantined' : 'missing'
    expect(
      (await lab.plan(pipeline, ['tally'])).nodes.find(({ address }) => address === 'fetchLines')?.verdict,
    ).toEqual({
      kind: 'will run',
      because: [{ kind: reason }],
    })
    // What is not here stays unasked for where nothing may be fetched, and nobody needs its bytes.
    expect((await lab.run(pipeline, ['tally'], { offline: true })).counts.executed).toBe(0)
    expect((await lab.run(pipeline, ['tally'])).counts).toMatchObject({ executed: 1, cached: 2 })
    expect(lab.store.artifactPresence(artifact)).toBe('present')
    expect((await lab.run(pipeline, ['tally'])).counts.executed).toBe(0)
  })

  test.each([
    ['repeat', 'damaged'],
    ['repeat', 'missing'],
    ['fetchLines', 'damaged'],
  ])(
    'are made again for a run that is to be pinned, though nobody reads them: the descriptor of %s, %s',
    async (address, how) => {
      await using lab = new EngineLab()
      const first = await lab.run(pipeline, ['tally'])
      const { artifact } = first.manifest!.nodes.find((node) => node.address === address)!
      remember(lab, artifact)
      if (how === 'missing') rmSync(objectPath(lab.store.objectsDir, artifact))
      else flip(lab, artifact)
      await lab.reopen()
      if (address === 'repeat') expect((await lab.run(pipeline, ['tally'])).counts.executed).toBe(0)
      const run = await lab.run(pipeline, ['tally'], { isToBePinned: true })
      expect(run.counts).toMatchObject({ executed: 1, cached: 2 })
      expect(run.manifestId).toBe(first.manifestId)
      expect(lab.store.readObject(artifact)).toBeInstanceOf(Uint8Array)
      expect(lab.store.artifactPresence(artifact)).toBe('present')
      expect((await lab.run(pipeline, ['tally'], { isToBePinned: true })).counts.executed).toBe(0)
    },
  )

  test('and what was given up on purpose stays away from a run that is to be pinned', async () => {
    await using lab = new EngineLab()
    const first = await lab.run(pipeline, ['tally'])
    const { artifact } = first.manifest!.nodes.find(({ address }) => address === 'repeat')!
    rmSync(objectPath(lab.store.objectsDir, fileOf(lab, first, 'repeat')))
    await lab.store.commit({ staged: [], records: [{ kind: 'evicted', key: artifact }] })
    expect((await lab.run(pipeline, ['tally'], { isToBePinned: true })).counts.executed).toBe(0)
  })

  test('fail the node where they may not be fetched again, and nothing is recorded', async () => {
    await using lab = new EngineLab()
    const first = await lab.run(pipeline, ['tally'])
    flip(lab, fileOf(lab, first, 'fetchLines'))
    lab.code.set('tally', 'second')
    const run = await lab.run(pipeline, ['tally'], { offline: true })
    expect(run.status).toBe('corrupt')
    expect(run.failures).toMatchObject([{ address: 'tally', failure: { code: 'corrupt' } }])
    const later = await lab.run(pipeline, ['tally'])
    expect(lab.value(later, 'tally')).toBe(101)
  })
})

test('what the trash holds is planned as cached, and a run takes it back before it is read', async () => {
  await using lab = new EngineLab()
  const first = await lab.run(pipeline, ['tally'])
  const { artifact } = first.manifest!.nodes.find(({ address }) => address === 'repeat')!
  const digest = fileOf(lab, first, 'repeat')
  mkdirSync(join(lab.store.layout.trash, '1'), { recursive: true })
  renameSync(objectPath(lab.store.objectsDir, digest), join(lab.store.layout.trash, '1', digest))
  await lab.store.commit({ staged: [], records: [{ kind: 'evicted', key: artifact }] })
  lab.code.set('tally', 'second')
  const plan = await lab.plan(pipeline, ['tally'])
  expect(plan.nodes.find(({ address }) => address === 'repeat')?.verdict.kind).toBe('cached')
  expect(lab.store.artifactPresence(artifact)).toBe('evicted')
  const run = await lab.run(pipeline, ['tally'])
  expect(lab.executed).toEqual(['tally'])
  expect(lab.value(run, 'tally')).toBe(101)
  expect(lab.store.records.isEvicted(artifact)).toBe(false)
})

function fileOf(lab: EngineLab, run: FinishedRun, address: string): Digest {
  const { artifact } = run.manifest!.nodes.find((node) => node.address === address)!
  return lab.store.readDescriptor(artifact).files[0]!.digest
}

/** As an earlier process leaves it that has read and checked the descriptor. */
function remember(lab: EngineLab, artifact: Digest): void {
  const rows = new DescriptorRows()
  rows.add(artifact, lstatSync(objectPath(lab.store.objectsDir, artifact)), lab.store.readObject(artifact))
  mkdirSync(lab.store.layout.index, { recursive: true })
  writeFileSync(join(lab.store.layout.index, 'descriptors.cache'), rows.encode())
}

/** Turns the first "a" into a "b", which parses as well as before. */
function flip(lab: EngineLab, digest: Digest): void {
  const path = objectPath(lab.store.objectsDir, digest)
  chmodSync(path, 0o644)
  writeFileSync(path, readFileSync(path, 'utf8').replace('a', 'b'))
  chmodSync(path, 0o444)
}

test('one artifact that many fan-outs rest on is looked at each time the walk comes back to it', async () => {
  const names = jsonArtifact('names', z.array(z.string()))
  const fetchNames = defineTask({
    name: 'fetchNames',
    kind: 'source',
    version: 1,
    params: z.object({ of: z.string() }),
    output: names,
    run: async () => ['x'],
  })
  const copy = defineTask({
    name: 'copy',
    kind: 'pure',
    params: z.object({ of: z.string(), name: z.string() }),
    inputs: { names },
    output: names,
    run: ({ names }) => names,
  })
  const fans = definePipeline('fans', z.object({}), (graph) => {
    const all = ['p', 'q', 'r'].map((of) => {
      const list = graph.add(fetchNames, { at: [of], params: { of } })
      return graph.each(
        list,
        (value) => value,
        (name) => graph.add(copy, { at: [of, name], params: { of, name }, inputs: { names: list } }),
      )
    })
    graph.target('all', ...all)
  })
  await using lab = new EngineLab()
  const first = await lab.run(fans, ['all'])
  expect(first.counts.total).toBe(6)
  const file = fileOf(lab, first, 'fetchNames[p]')
  rmSync(objectPath(lab.store.objectsDir, file))
  const plan = await lab.plan(fans, ['all'])
  // All three fan-outs rest on these bytes, and each of them may bring them back.
  expect(plan.nodes.filter(({ verdict }) => verdict.kind === 'will run').map(({ address }) => address)).toEqual([
    'fetchNames[p]',
    'fetchNames[q]',
    'fetchNames[r]',
  ])
  expect((await lab.run(fans, ['all'])).status).toBe('ok')
  expect(lab.store.hasObject(file)).toBe(true)
  expect((await lab.run(fans, ['all'])).counts.executed).toBe(0)
})
