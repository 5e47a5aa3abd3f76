import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openStore } from '../../../cas/store.ts'
import { findReplay, type StoredReplay } from '../../../pipeline/cli/replay/storedReplay.ts'
import { parseManifest } from '../../../snapshots/parseManifest.ts'
import { queryRoot } from './queryRoot.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-old-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const old = {
  fromMs: 86_400_000,
  toMs: 172_800_000,
  intervalMs: 60_000,
  symbols: ['A'],
  events: 1,
  digest: 'ab'.repeat(32),
  byClass: { bar: 1 },
  days: [{ day: '1970-01-02', events: 1, digest: 'cd'.repeat(32), chain: 'ab'.repeat(32) }],
}

async function stored(value: object): Promise<StoredReplay> {
  const { root } = await queryRoot(mkdtempSync(join(folder, 'store-')), [
    { address: 'replay', task: 'replay', type: 'replay', files: { 'value.json': JSON.stringify(value) } },
  ])
  const store = openStore(root, { readOnly: true })
  try {
    const manifest = parseManifest(readFileSync(join(root, 'runs', '20240301-000000000-made', 'manifest.json')))
    return findReplay(store, manifest, 'a snapshot', undefined)
  } finally {
    await store.close()
  }
}

test('a replay of before it said where its chain begins tells of itself alone', async () => {
  expect((await stored(old)).summary.chainFromMs).toBe(old.fromMs)
  expect((await stored({ ...old, chainFromMs: 5 })).summary.chainFromMs).toBe(5)
})

test('one of another version is refused by its name, and is no bug', async () => {
  const { digest: _, ...other } = old
  await expect(stored(other)).rejects.toMatchObject({
    code: 'refused',
    where: 'replay',
    what: expect.stringMatching(/type replay .*digest/),
  })
  await expect(stored([])).rejects.toMatchObject({ code: 'refused' })
})
