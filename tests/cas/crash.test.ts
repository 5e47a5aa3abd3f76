import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultPointName, faultPointNames } from '../../cas/faultPoints.ts'
import { openStore, type Store } from '../../cas/store.ts'
import { verifyObjects } from '../../cas/verify.ts'
import { collect, describeNode, filesOfNode, isRoot, keyOfNode, nodeCount, publishNode } from './crashChild.ts'
import { openAt, temporaryFolder } from './temporaryRoot.ts'

let bundle = ''

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tickpipe-crash-child-'))
  bundle = join(folder, 'crashChild.mjs')
  const build = await rolldown({ input: join(import.meta.dirname, 'crashChild.ts'), platform: 'node' })
  await build.write({ file: bundle, format: 'esm' })
  await build.close()
})

afterAll(() => rmSync(dirname(bundle), { recursive: true, force: true }))

interface Ended {
  readonly done: number[]
  readonly killed: boolean
  readonly stderr: string
}

/** Runs the child; `fault` and `killAfterMs` end it before its time. */
function run(
  root: string,
  work: string,
  options: { seed?: number; fault?: string; killAfterMs?: number } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, TICKPIPE_CRASH_CHILD: '1', TICKPIPE_FAULT: options.fault ?? '', NODE_OPTIONS: '' }
    const child = spawn(process.execPath, [bundle, root, work, String(options.seed ?? 0)], { env })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (text) => (stdout += text))
    child.stderr.on('data', (text) => (stderr += text))
    const timer =
      options.killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.killAfterMs)
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      const done = [...stdout.matchAll(/^done (\d+)$/gm)].map((match) => Number(match[1]))
      resolve({ done, killed: signal === 'SIGKILL', stderr })
    })
  })
}

const allNodes = Array.from({ length: nodeCount }, (_, i) => i)

/** What must hold after any crash, before anybody repairs anything. */
async function expectNothingLost(store: Store, finished: Iterable<number>, collecting: boolean): Promise<void> {
  expect(store.records.damage()).toEqual([])
  // No object with the right name and the wrong bytes.
  expect((await verifyObjects(store, { workers: 1 })).findings).toEqual([])
  for (const i of finished) {
    const record = store.records.result(keyOfNode(i))
    expect(record?.artifact).toBe(describeNode(i).id)
    expect(store.records.payload(record!)).toEqual({ i })
    if (isRoot(i) || !collecting) {
      expect(store.artifactPresence(describeNode(i).id)).toBe('present')
      for (const text of filesOfNode(i)) {
        const { digest } = describeNode(i).descriptor.files.find((file) => file.sizeBytes === text.length)!
        expect(Buffer.from(store.readObject(digest)).toString()).toBe(text)
      }
    } else {
      expect(store.artifactPresence(describeNode(i).id)).not.toBe('missing')
    }
  }
  // Nor does any record, finished or not, name what was never there.
  for (const i of allNodes) {
    expect(store.records.disputed(keyOfNode(i))).toBe(false)
    const artifact = store.records.result(keyOfNode(i))?.artifact
    if (artifact !== undefined) expect(store.artifactPresence(artifact)).not.toBe('missing')
    if (artifact !== undefined && !collecting) expect(store.artifactPresence(artifact)).toBe('present')
  }
}

/** A rerun ends with the same ids, leaves no rubbish, and needs nobody's help. */
async function expectRerunHeals(root: string): Promise<void> {
  const store = openStore(root, { durability: 'none' })
  for (const i of allNodes) await publishNode(store, i)
  for (const i of allNodes) {
    expect(store.records.result(keyOfNode(i))?.artifact).toBe(describeNode(i).id)
    expect(store.artifactPresence(describeNode(i).id)).toBe('present')
    expect(store.records.isEvicted(describeNode(i).id)).toBe(false)
  }
  await collect(store)
  await store.close()
  expect(readdirSync(store.layout.leases)).toEqual([])
  expect(readdirSync(store.layout.staging)).toEqual([])
}

const points = (part: RegExp): FaultPointName[] => faultPointNames.filter((name) => part.test(name))

describe('a process killed while it publishes, at every step', () => {
  for (const point of points(/^(commit|records|seal):/)) {
    test(`at ${point}`, async () => {
      for (const count of /^commit:mid/.test(point) ? [1, 2, 7] : [1, 3]) {
        const root = join(temporaryFolder(), 'root')
        const ended = await run(root, 'publish', { seed: count, fault: `${point}@${count}:kill` })
        expect(ended.stderr).toBe('')
        const reachable = count === 1 || !/^(seal|records:beforeCreate)/.test(point)
        expect(ended.killed).toBe(reachable)
        const store = openAt(root, { create: true })
        await expectNothingLost(store, ended.done, false)
        await store.close()
        await expectRerunHeals(root)
      }
    })
  }
})

describe('a process killed while it deletes, at every step', () => {
  for (const point of points(/^(gc|undo|records|commit:after|compact)/)) {
    test(`at ${point}`, async () => {
      const root = join(temporaryFolder(), 'root')
      const seeding = openStore(root, { create: true, durability: 'none' })
      for (const i of allNodes) await publishNode(seeding, i)
      await seeding.close()
      // So that there is old trash to empty, and enough segments to compact.
      if (/Empty|undo|compact/.test(point)) {
        await run(root, 'gc')
        for (let i = 0; i < 18; i++) {
          const more = openStore(root, { durability: 'none' })
          await publishNode(more, 1)
          await more.close()
          if (!point.startsWith('compact')) break
        }
      }
      const ended = await run(root, point.startsWith('undo') ? 'undo' : 'gc', { fault: `${point}@1:kill` })
      expect(ended.stderr).toBe('')
      expect(ended.killed).toBe(true)
      const store = openAt(root)
      await expectNothingLost(store, allNodes, true)
      await store.close()
      // Going on with the collection is as safe as beginning again.
      await run(root, 'gc')
      await expectRerunHeals(root)
    })
  }
})

describe('several processes on one root', () => {
  // A seeded stream of small numbers, so that a failure names the interleaving that led to it as far as it can.
  const dice = (seed: number) => () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31

  for (let seed = 1; seed <= 24; seed++) {
    test(`publish, collect and die at random places (seed ${seed})`, async () => {
      const roll = dice(seed)
      const root = join(temporaryFolder(), 'root')
      await openStore(root, { create: true }).close()
      const finished = new Set<number>()
      for (let round = 0; round < 2; round++) {
        const runs = ['publish', 'publish', 'gc', roll() < 0.3 ? 'undo' : 'gc'].map((work) => {
          const names = work === 'publish' ? points(/^(commit|records|seal)/) : points(/^(gc|records|commit:after)/)
          const point = names[Math.floor(roll() * names.length)]!
          const how = roll()
          return run(root, work, {
            seed: Math.floor(roll() * 12),
            ...(how < 0.5 ? { fault: `${point}@${1 + Math.floor(roll() * 4)}:kill` } : {}),
            ...(how > 0.7 ? { killAfterMs: 60 + roll() * 150 } : {}),
          })
        })
        for (const ended of await Promise.all(runs)) {
          expect(ended.stderr).toBe('')
          for (const i of ended.done) finished.add(i)
        }
        const store = openAt(root)
        await expectNothingLost(store, finished, true)
        await store.close()
      }
      await expectRerunHeals(root)
    })
  }
})
