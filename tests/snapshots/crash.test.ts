import { execFileSync, spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyObjects } from '../../cas/verify.ts'
import { exportSnapshot } from '../../snapshots/exportBundle.ts'
import { importSnapshot } from '../../snapshots/importBundle.ts'
import { pinSnapshot } from '../../snapshots/pin.ts'
import { listSnapshots, removeSnapshot, snapshotFolder } from '../../snapshots/snapshotFolder.ts'
import { verifySnapshot } from '../../snapshots/verify.ts'
import { Sandbox, sampleRun } from './sampleRun.ts'

const sandbox = new Sandbox()
let bundle: string
let program: string
beforeAll(async () => {
  const store = sandbox.store()
  await pinSnapshot(store, { name: 'X', manifest: await sampleRun(store), provenance: {} })
  bundle = join(store.root, 'x.tar')
  exportSnapshot(store, 'X', bundle)
  program = join(sandbox.folder(), 'import.mjs')
  const rolldown = new URL('../../node_modules/.bin/rolldown', import.meta.url).pathname
  const script = new URL('./bundleInProcess.ts', import.meta.url).pathname
  execFileSync(rolldown, [script, '--platform', 'node', '--format', 'esm', '-o', program], { stdio: 'pipe' })
})
afterAll(() => sandbox.remove())

describe('an import that is killed', () => {
  const points = [
    'commit:begin@1',
    'commit:midFlush@3',
    'commit:afterFlush@1',
    'commit:midPlace@5',
    'commit:afterPlace@1',
    'commit:afterFolders@1',
    'records:midAppend@1',
    'records:afterFlush@1',
    'commit:end@1',
  ]
  for (const point of points) {
    test(`at ${point} leaves no snapshot and no damage, and the next one succeeds`, async () => {
      const root = sandbox.folder()
      const killed = spawnSync(process.execPath, [program, root, bundle, `${point}:kill`], { encoding: 'utf8' })
      expect(killed.signal, killed.stderr).toBe('SIGKILL')
      const store = sandbox.store(root)
      expect(listSnapshots(root)).toEqual([])
      expect((await verifyObjects(store, { workers: 1 })).findings).toEqual([])
      await importSnapshot(store, bundle)
      for (const level of ['objects', 'manifest'] as const) {
        expect((await verifySnapshot(store, 'X', level, { workers: 1 })).findings).toEqual([])
      }
      execFileSync('sha256sum', ['-c', '--quiet', 'checksums.sha256'], { cwd: snapshotFolder(root, 'X') })
    })
  }

  test('a full disk is told as such, with nothing named', async () => {
    const root = sandbox.folder()
    const failed = spawnSync(process.execPath, [program, root, bundle, 'commit:midPlace@2:throw=ENOSPC'], {
      encoding: 'utf8',
    })
    expect(failed.status).not.toBe(0)
    expect(listSnapshots(root)).toEqual([])
    await importSnapshot(sandbox.store(root), bundle)
    expect(listSnapshots(root)).toEqual(['X'])
  })
})

describe('a removed snapshot', () => {
  test('can be imported again, whatever a crash left in between', async () => {
    const store = sandbox.store()
    await importSnapshot(store, bundle)
    removeSnapshot(store.root, 'X')
    rmSync(join(store.root, 'staging'), { recursive: true, force: true })
    const fresh = sandbox.store(store.root)
    await importSnapshot(fresh, bundle)
    expect(listSnapshots(fresh.root)).toEqual(['X'])
  })
})
