import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../cas/digest.ts'
import { thisProcess } from '../../cas/owner.ts'
import type { Store } from '../../cas/store.ts'
import { keyOf, openAt, temporaryStore } from './temporaryRoot.ts'

const key = keyOf('k')

/** A lease as another process or machine would have written it. */
function foreignLease(store: Store, owner: object, lines = ''): string {
  const id = `${digestOf(JSON.stringify(owner)).slice(0, 8)}-somebody`
  writeFileSync(join(store.layout.leases, `${id}.lease`), `${JSON.stringify({ owner, purpose: 'run' })}\n${lines}`)
  writeFileSync(join(store.layout.leases, `${id}.beat`), '1')
  return id
}

const elsewhere = { host: 'other', bootId: 'another boot', pidNamespace: 'pid:[1]', pid: 1, startTime: '5' }

describe('a claim', () => {
  test('is given to one of two processes; the other one learns who has it', () => {
    const store = temporaryStore()
    const mine = store.openLease('run 1')
    const other = openAt(store.root).openLease('run 2')
    expect(mine.claim(key)).toBe('mine')
    expect(mine.claim(key)).toBe('mine')
    expect(other.claim(key)).toMatchObject({ heldBy: { id: mine.id, purpose: 'run 1', owner: { pid: process.pid } } })
    expect(other.claim(keyOf('another'))).toBe('mine')
    mine.release(key)
    expect(other.claim(key)).toBe('mine')
  })

  test('lasts no longer than its lease', () => {
    const store = temporaryStore()
    const mine = store.openLease('run 1')
    mine.claim(key)
    mine.close()
    expect(store.openLease('run 2').claim(key)).toBe('mine')
  })

  test('of a rival who only wants the key goes to the smaller id', () => {
    const store = temporaryStore()
    const lease = store.openLease('run')
    const wants = `?${key}\n`
    // Alive, for it names this very process, and undecided for ever.
    writeFileSync(
      join(store.layout.leases, '0.lease'),
      `${JSON.stringify({ owner: thisProcess(), purpose: 'x' })}\n${wants}`,
    )
    expect(lease.claim(key)).toMatchObject({ heldBy: { id: '0' } })
  })

  test('of a rival with the larger id is waited for a moment, then taken for held', () => {
    const store = temporaryStore()
    const lease = store.openLease('run')
    writeFileSync(
      join(store.layout.leases, 'zz.lease'),
      `${JSON.stringify({ owner: thisProcess(), purpose: 'x' })}\n?${key}\n`,
    )
    expect(lease.claim(key)).toMatchObject({ heldBy: { id: 'zz' } })
  })
})

describe('waiting for a claim', () => {
  test('ends when it is released', async () => {
    const store = temporaryStore()
    const mine = store.openLease('run 1')
    const other = openAt(store.root).openLease('run 2')
    mine.claim(key)
    const waited = other.waitFor(key, { pollMs: 1 })
    mine.release(key)
    expect(await waited).toBe('free')
  })

  test('ends when the result is there, though the claim still stands', async () => {
    const store = temporaryStore()
    store.openLease('run 1').claim(key)
    const other = openAt(store.root, { durability: 'none' })
    const waited = other.openLease('run 2').waitFor(key, { pollMs: 1 })
    await store.commit({ staged: [], records: [{ kind: 'result', key, artifact: digestOf('a') }] })
    expect(await waited).toBe('result')
  })

  test('ends when the owner is killed, and nobody has to clean up', async () => {
    const store = temporaryStore()
    const child = spawn('sleep', ['60'])
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    foreignLease(store, { ...thisProcess(), pid: child.pid, startTime }, `+${key}\n`)
    const lease = store.openLease('run')
    expect(lease.claim(key)).not.toBe('mine')
    const waited = lease.waitFor(key, { pollMs: 1 })
    child.kill('SIGKILL')
    expect(await waited).toBe('free')
    expect(lease.claim(key)).toBe('mine')
    expect(readdirSync(store.layout.leases).filter((name) => name.endsWith('somebody.lease'))).toEqual([])
  })

  test('can be given up', async () => {
    const store = temporaryStore()
    store.openLease('run 1').claim(key)
    const controller = new AbortController()
    const waited = openAt(store.root).openLease('run 2').waitFor(key, { signal: controller.signal, pollMs: 1 })
    controller.abort()
    await expect(waited).rejects.toThrow(/abort/i)
  })
})

describe('the owner of a lease', () => {
  test('with a reused pid is dead: another start time is another process', () => {
    const store = temporaryStore()
    foreignLease(store, { ...thisProcess(), startTime: '1' }, `+${key}\n`)
    expect(store.openLease('run').claim(key)).toBe('mine')
  })

  test('in another pid namespace or on another machine is alive while its counter turns, whatever the clocks say', () => {
    let nowMs = 1000
    const store = temporaryStore({ leaseTiming: { beatMs: 1e6, foreignSilenceMs: 500, monotonicMs: () => nowMs } })
    const owners = [elsewhere, { ...thisProcess(), pidNamespace: 'pid:[7]' }]
    const ids = owners.map((owner) => foreignLease(store, owner))
    expect(store.leases.live(undefined)).toHaveLength(2)
    nowMs += 400
    writeFileSync(join(store.layout.leases, `${ids[0]}.beat`), '2')
    expect(store.leases.live(undefined)).toHaveLength(2)
    nowMs += 400
    expect(store.leases.live(undefined).map((lease) => lease.id)).toEqual([ids[0]])
    nowMs += 600
    expect(store.leases.live(undefined)).toEqual([])
    expect(readdirSync(store.layout.leases)).toEqual([])
  })

  test('is watched across short commands: what one saw, the next one knows', () => {
    let nowMs = 1000
    const leaseTiming = { beatMs: 1e6, foreignSilenceMs: 500, monotonicMs: () => nowMs }
    const store = temporaryStore({ leaseTiming })
    foreignLease(store, elsewhere)
    expect(store.leases.live(undefined)).toHaveLength(1)
    store.leases.rememberBeats()
    nowMs += 600
    expect(openAt(store.root, { leaseTiming }).leases.live(undefined)).toEqual([])
  })

  test('of a damaged lease is judged by the heartbeat', () => {
    let nowMs = 0
    const store = temporaryStore({ leaseTiming: { beatMs: 1e6, foreignSilenceMs: 500, monotonicMs: () => nowMs } })
    writeFileSync(join(store.layout.leases, 'torn.lease'), '{"owner":{"ho')
    expect(store.leases.live(undefined)).toHaveLength(1)
    nowMs = 501
    expect(store.leases.live(undefined)).toEqual([])
  })
})

test('a lease that grows is read on from where reading stopped, half a line included', () => {
  const store = temporaryStore()
  const id = foreignLease(store, elsewhere)
  const path = join(store.layout.leases, `${id}.lease`)
  const head = readFileSync(path, 'utf8')
  writeFileSync(path, `${head}+${key.slice(0, 10)}`)
  expect(store.leases.live(undefined)[0]?.claims.size).toBe(0)
  writeFileSync(path, `${head}+${key}\nu${digestOf('x')}\n`)
  expect(store.leases.live(undefined)[0]?.claims.get(key)).toBe('held')
  expect([...store.leases.live(undefined)[0]!.uses]).toEqual([digestOf('x')])
})

test('a closed store leaves neither a lease nor a staging folder', async () => {
  const store = temporaryStore()
  const { stagingDir } = store
  store.openLease('run')
  mkdirSync(join(stagingDir, 'left'))
  await store.close()
  expect(readdirSync(store.layout.leases)).toEqual([])
  expect(existsSync(stagingDir)).toBe(false)
})
