import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../../cas/artifact.ts'
import { digestOf } from '../../../cas/digest.ts'
import { objectPath } from '../../../cas/layout.ts'
import { stageBytes } from '../../../cas/staging.ts'
import { openStore, type Store } from '../../../cas/store.ts'
import { verifyEverything } from '../../../pipeline/cli/keeping.ts'
import { say } from './fakeProcess.ts'
import { queryRoot } from './queryRoot.ts'

const folder = mkdtempSync(join(tmpdir(), 'tickpipe-lost-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function storeWithAnswer(name: string) {
  const store = openStore(join(folder, name), { create: true, durability: 'none' })
  const file = stageBytes(store.stagingDir, 'what the venue said')
  const { id, bytes } = describeArtifact('raw', [{ name: 'answer', digest: file.digest, sizeBytes: 19 }])
  const payload = { spec: { task: 'fetch' }, address: 'fetch[BTC]', atMs: 0 }
  await store.commit({
    staged: [file, stageBytes(store.stagingDir, bytes)],
    records: [{ kind: 'observation', key: digestOf('key'), artifact: id, payload }],
  })
  return { store, descriptor: id, file: file.digest }
}
const verify = async (store: Store) => (await verifyEverything(store, { workers: 1 })).findings

describe('verify of a whole store', () => {
  test.each(['descriptor', 'file'] as const)('finds that the %s of what a source gave is gone', async (what) => {
    const made = await storeWithAnswer(what)
    expect(await verify(made.store)).toEqual([])
    rmSync(objectPath(made.store.objectsDir, made[what]))
    expect(await verify(made.store)).toMatchObject([
      { severity: 'error', kind: 'missing', node: 'fetch[BTC]', digest: made.descriptor },
    ])
    await made.store.close()
  })

  test('says nothing of what was given up on purpose, or was answered anew', async () => {
    const { store, descriptor } = await storeWithAnswer('given up')
    rmSync(objectPath(store.objectsDir, descriptor))
    const file = stageBytes(store.stagingDir, 'another word')
    const { id, bytes } = describeArtifact('raw', [{ name: 'answer', digest: file.digest, sizeBytes: 12 }])
    await store.commit({
      staged: [file, stageBytes(store.stagingDir, bytes)],
      records: [{ kind: 'observation', key: digestOf('key'), artifact: id }],
    })
    expect(await verify(store)).toEqual([])
    rmSync(objectPath(store.objectsDir, id))
    await store.commit({ staged: [], records: [{ kind: 'evicted', key: id }] })
    expect(await verify(store)).toEqual([])
    await store.close()
  })
})

describe('where every object is gone', () => {
  const emptied = async (name: string) => {
    const { root } = await queryRoot(join(folder, name), [
      { address: 'ingest[BTC]', task: 'ingest', type: 'prices', files: { 'value.json': '1' } },
    ])
    const run = join(root, 'runs', '20240301-000000000-made')
    mkdirSync(run, { recursive: true })
    const summary = { run: '20240301-000000000-made', pipeline: 'made', targets: ['all'], asOfMs: 0, outcome: 'ok' }
    writeFileSync(join(run, 'summary.json'), JSON.stringify(summary))
    for (const shard of readdirSync(join(root, 'objects'))) {
      rmSync(join(root, 'objects', shard), { recursive: true, force: true })
    }
    return (words: readonly string[]) =>
      say(words, {
        openRoot: async () => {
          const store = openStore(root, { readOnly: true })
          return { root, rootFrom: 'named', store, close: () => store.close() }
        },
      })
  }

  test('query calls that damage, and no misspelt table', async () => {
    const { status, stderr } = await (await emptied('query'))(['query', 'from prices'])
    expect(status).toBe('corrupt')
    expect(stderr).toContain('the bytes of 1 node are missing or damaged')
  })

  test('status calls that damage, and no store without a plan', async () => {
    const { status, stderr } = await (await emptied('status'))(['status'])
    expect(status).toBe('corrupt')
    expect(stderr).toContain('no plan of a data set can be read')
  })
})
