import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../cas/digest.ts'
import type { FaultPointName, FaultPoints } from '../../cas/faultPoints.ts'
import { planGc, whyAlive } from '../../cas/gc.ts'
import { executeGc, undoGc } from '../../cas/gcExecute.ts'
import { freshen } from '../../cas/objects.ts'
import { bytesOnDisk, later, options, publish, putLoose } from './collecting.ts'
import { keyOf, openAt, put, temporaryStore } from './temporaryRoot.ts'

/** Does something at a step of the collection, as another process might. */
function when(point: FaultPointName, act: () => void): FaultPoints {
  return { hit: (reached) => void (reached === point && act()) }
}

describe('gc', () => {
  test('keeps what a root reaches and moves the rest to the trash, having said so in the records', async () => {
    const store = temporaryStore()
    const kept = await publish(store, 'kept', ['one', 'shared'])
    const gone = await publish(store, 'gone', ['two', 'shared'])
    const loose = await putLoose(store, 'a loose object')
    const plan = planGc(store, options([kept]))
    expect(new Set(plan.collect.map((object) => object.digest))).toEqual(new Set([gone, digestOf('two'), loose]))
    const result = await executeGc(store, plan)
    expect(result).toMatchObject({ collectedObjects: 3, collectedBytes: plan.collectedBytes, sparedObjects: 0 })
    expect(store.artifactPresence(kept)).toBe('present')
    expect(store.records.isEvicted(gone) && store.records.isEvicted(loose)).toBe(true)
    expect(store.records.isEvicted(kept)).toBe(false)
    // The record outlives the bytes.
    expect(store.records.result(keyOf('gone'))?.artifact).toBe(gone)
  })

  test('plans exactly the bytes that the real run frees, from place and from trash', async () => {
    const store = temporaryStore()
    const kept = await publish(store, 'kept', ['x'.repeat(5000)])
    for (let i = 0; i < 20; i++) await publish(store, `n${i}`, [`${i}`.repeat(100 + i)])
    const plan = planGc(store, options([kept]))
    const before = bytesOnDisk(store.layout.objects)
    expect((await executeGc(store, plan)).collectedBytes).toBe(plan.collectedBytes)
    expect(before - bytesOnDisk(store.layout.objects)).toBe(plan.collectedBytes)
    const second = planGc(store, options([kept], { nowMs: later() + 1e9, graceMs: 0 }))
    expect(second.emptiedBytes).toBe(plan.collectedBytes)
    const trashBefore = bytesOnDisk(store.layout.trash)
    expect((await executeGc(store, second)).emptiedBytes).toBe(second.emptiedBytes)
    expect(trashBefore - bytesOnDisk(store.layout.trash)).toBe(second.emptiedBytes)
    expect(readdirSync(store.layout.trash)).toEqual([])
  })

  test('a dry run changes nothing at all', async () => {
    const store = temporaryStore()
    const kept = await publish(store, 'kept', ['one'])
    await publish(store, 'gone', ['two'])
    const listing = () => readdirSync(store.root, { recursive: true }).sort()
    const before = [listing(), store.records.generation()]
    planGc(store, options([kept]))
    expect([listing(), store.records.generation()]).toEqual(before)
  })

  test('refuses to run without any root, unless told to', async () => {
    const store = temporaryStore()
    await publish(store, 'all', ['x'])
    expect(() => planGc(store, options([]))).toThrow(/nothing would be kept/)
    expect(planGc(store, options([], { allowEmptyKeepSet: true })).collect).toHaveLength(2)
  })

  test('spares what is younger than the grace time', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    await publish(store, 'young', ['y'])
    const plan = planGc(store, options([root], { nowMs: Date.now() + 10 }))
    expect(plan.collect).toEqual([])
    expect(plan.youngBytes).toBeGreaterThan(0)
  })

  test('concludes nothing from times in the future: a clock that was wrong deletes nothing', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    await publish(store, 'n', ['from the future'])
    const path = store.locate(digestOf('from the future'))!
    utimesSync(path, new Date(later() + 1e10), new Date(later() + 1e10))
    const plan = planGc(store, options([root]))
    expect(plan.collect.map((object) => object.digest)).not.toContain(digestOf('from the future'))
    // Nor from a clock of our own that has fallen back.
    expect(planGc(store, options([root], { nowMs: 0 })).collect).toEqual([])
  })

  test('does not empty the trash because the clock jumped ahead', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    await publish(store, 'gone', ['g'])
    await executeGc(store, planGc(store, options([root])))
    const jumped = planGc(store, options([root], { nowMs: later() + 1e12 }))
    expect(jumped.emptied).toEqual([])
  })

  test('keeps sources, which nobody can make again, unless told otherwise', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const source = await publish(store, 'source', ['downloaded'], 'observation')
    expect(planGc(store, options([root])).collect).toEqual([])
    expect(planGc(store, options([root], { keepSources: new Set([source]) })).collect).toEqual([])
    expect(planGc(store, options([root], { keepSources: () => false })).collect).toHaveLength(2)
  })

  test('keeps what live leases use or work on, also when they come after the plan', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const [used, claimed, late] = [
      await publish(store, 'u', ['1']),
      await publish(store, 'c', ['2']),
      await publish(store, 'l', ['3']),
    ]
    const lease = openAt(store.root).openLease('run')
    lease.uses([used])
    lease.claim(keyOf('c'))
    const plan = planGc(store, options([root]))
    expect(plan.evicted).toEqual([late])
    lease.uses([late])
    expect(await executeGc(store, plan)).toMatchObject({ collectedObjects: 0, sparedObjects: 2 })
    for (const artifact of [used, claimed, late]) expect(store.artifactPresence(artifact)).toBe('present')
    expect(store.records.isEvicted(late)).toBe(false)
    lease.close()
    expect(planGc(store, options([root])).evicted).toHaveLength(3)
  })

  test('gives back what a lease came to use while it was being moved', async () => {
    const first = temporaryStore()
    const root = await publish(first, 'root', ['r'])
    const wanted = await publish(first, 'wanted', ['w'])
    const reader = openAt(first.root).openLease('run')
    const store = openAt(first.root, { faults: when('gc:midTrash', () => reader.uses([wanted])) })
    await executeGc(store, planGc(store, options([root])))
    expect(store.artifactPresence(wanted)).toBe('present')
    expect(store.records.isEvicted(wanted)).toBe(false)
  })

  test('gives back what a publisher found in place between the look and the move', async () => {
    const first = temporaryStore()
    const root = await publish(first, 'root', ['r'])
    const loose = await putLoose(first, 'found again')
    const store = openAt(first.root, { faults: when('gc:beforeMove', () => freshen(first.locate(loose)!)) })
    expect(await executeGc(store, planGc(store, options([root])))).toMatchObject({
      collectedObjects: 0,
      sparedObjects: 1,
    })
    expect(first.hasObject(loose)).toBe(true)
  })

  test('keeps what a living process has published, although no root reaches it yet', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const running = openAt(store.root, { durability: 'none' })
    const digest = await put(running, 'part of a run that is not finished')
    expect(planGc(store, options([root])).collect).toEqual([])
    await running.close()
    expect(planGc(store, options([root])).collect.map((object) => object.digest)).toEqual([digest])
  })

  test('spares what is published again between the plan and the deed', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const again = await publish(store, 'again', ['same bytes'])
    const plan = planGc(store, options([root]))
    await publish(store, 'again', ['same bytes'])
    await executeGc(store, plan)
    expect(store.artifactPresence(again)).toBe('present')
    expect(store.records.isEvicted(again)).toBe(false)
  })

  test('can be undone until the trash is emptied', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const gone = await publish(store, 'gone', ['g'])
    const plan = planGc(store, options([root]))
    await executeGc(store, plan)
    expect(await undoGc(store)).toEqual({ restoredObjects: 2, restoredBytes: plan.collectedBytes })
    expect(store.artifactPresence(gone)).toBe('present')
    expect(store.records.isEvicted(gone)).toBe(false)
    await expect(undoGc(store)).rejects.toMatchObject({ code: 'usage' })
  })

  test('a reader takes an object back from the trash', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    await publish(store, 'gone', ['wanted'])
    await executeGc(store, planGc(store, options([root])))
    const readOnly = openAt(store.root, { readOnly: true })
    expect(Buffer.from(readOnly.readObject(digestOf('wanted'))).toString()).toBe('wanted')
    expect(Buffer.from(store.readObject(digestOf('wanted'))).toString()).toBe('wanted')
    expect(store.locate(digestOf('wanted'))).toContain('objects')
  })

  test('an evicted artifact is reclaimed as long as the trash holds it', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const gone = await publish(store, 'gone', ['g'])
    await executeGc(store, planGc(store, options([root])))
    expect(store.artifactPresence(gone)).toBe('evicted')
    expect(await store.reclaim(gone)).toBe(true)
    expect(store.artifactPresence(gone)).toBe('present')
    expect(store.records.isEvicted(gone)).toBe(false)
    expect(await store.reclaim(digestOf('never there'))).toBe(false)
  })

  test('puts back from the trash what a root has come to need', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const gone = await publish(store, 'gone', ['g'])
    await executeGc(store, planGc(store, options([root])))
    await executeGc(store, planGc(store, options([root, gone])))
    expect(store.artifactPresence(gone)).toBe('present')
    expect(store.records.isEvicted(gone)).toBe(false)
  })

  test('sweeps the staging folders of the dead only', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['r'])
    const alive = [store.stagingDir, openAt(store.root).stagingDir]
    writeFileSync(join(store.layout.staging, 'of-a-dead-process'), '')
    expect((await executeGc(store, planGc(store, options([root])))).sweptStagingFolders).toBe(1)
    expect(readdirSync(store.layout.staging).sort()).toEqual(alive.map((path) => path.split('/').at(-1)).sort())
  })

  test('says why an object is alive', async () => {
    const store = temporaryStore()
    const root = await publish(store, 'root', ['shared', 'own'])
    const source = await publish(store, 'source', ['shared'], 'observation')
    const lone = await putLoose(store, 'nobody wants me')
    expect(whyAlive(store, options([root]), digestOf('shared'))).toEqual([
      { label: 'root 0', through: root },
      { label: 'source: it cannot be made again', through: source },
    ])
    expect(whyAlive(store, options([root]), root)).toEqual([{ label: 'root 0' }])
    expect(whyAlive(store, options([root]), lone)).toEqual([])
    expect(whyAlive(store, options([root], { nowMs: Date.now() }), lone)).toEqual([
      { label: 'younger than the grace time' },
    ])
  })

  test('names roots that are not there', async () => {
    const store = temporaryStore()
    const plan = planGc(store, options([digestOf('never stored')]))
    expect(plan.missingRoots.map((root) => root.label)).toEqual(['root 0'])
  })
})
