import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeArtifact } from '../../cas/artifact.ts'
import { digestOf } from '../../cas/digest.ts'
import { readGeneration } from '../../cas/generation.ts'
import { objectPath } from '../../cas/layout.ts'
import { openLocated } from '../../cas/objects.ts'
import { openStagedWriter, stageBytes } from '../../cas/staging.ts'
import { keyOf, openAt, put, stage, temporaryFolder, temporaryStore } from './temporaryRoot.ts'

describe('a store', () => {
  test('keeps bytes under their SHA-256, read-only, where sha256sum agrees', async () => {
    const store = temporaryStore({ durability: 'group' })
    const digests = await Promise.all(['', 'a', 'two\n'.repeat(5000)].map((text) => put(store, text)))
    for (const digest of digests) {
      const path = store.locate(digest)!
      expect(path).toBe(objectPath(store.objectsDir, digest))
      expect(statSync(path).mode & 0o222).toBe(0)
      expect(execFileSync('sha256sum', [path], { encoding: 'utf8' })).toBe(`${digest}  ${path}\n`)
    }
    expect(Buffer.from(store.readObject(digestOf('a'))).toString()).toBe('a')
    expect(store.readObject(digestOf('')).length).toBe(0)
  })

  test('lets this process read an object that is on its way, and nobody its record', async () => {
    const store = temporaryStore()
    const staged = stage(store, 'soon')
    const done = store.commit({
      staged: [staged],
      records: [{ kind: 'result', key: keyOf('k'), artifact: staged.digest }],
    })
    expect(store.locate(staged.digest)).toBe(staged.stagedPath)
    expect(store.hasObject(staged.digest, 4)).toBe(true)
    expect(store.hasObject(staged.digest, 5)).toBe(false)
    expect(Buffer.from(store.readObject(staged.digest)).toString()).toBe('soon')
    expect(store.records.result(keyOf('k'))).toBeUndefined()
    await done
    expect(store.locate(staged.digest)).toBe(objectPath(store.objectsDir, staged.digest))
    expect(store.records.result(keyOf('k'))?.artifact).toBe(staged.digest)
    // A worker that was told the staged path a moment ago finds the object all the same.
    expect(readFileSync(openLocated(store.objectsDir, staged.digest, staged.stagedPath), 'utf8')).toBe('soon')
  })

  test('shows records to the next opening, with payloads, and to a process that refreshes', async () => {
    const store = temporaryStore()
    const reader = openAt(store.root, { readOnly: true })
    const artifact = await put(store, 'bytes')
    await store.commit({
      staged: [],
      records: [{ kind: 'result', key: keyOf('k'), artifact, payload: { costMs: 7n } }],
    })
    expect(reader.records.result(keyOf('k'))).toBeUndefined()
    reader.records.refresh()
    expect(reader.records.payload(reader.records.result(keyOf('k'))!)).toEqual({ costMs: 7n })
    await store.close()
    const later = openAt(store.root)
    expect(later.records.payload(later.records.result(keyOf('k'))!)).toEqual({ costMs: 7n })
  })

  test('has a generation that any record changes, and closing does not', async () => {
    const store = temporaryStore()
    const before = readGeneration(store.root)
    await put(store, 'an object alone is not news')
    expect(store.records.generation()).toBe(before)
    await store.commit({ staged: [], records: [{ kind: 'note', key: keyOf('k') }] })
    const after = store.records.generation()
    expect(after).not.toBe(before)
    await store.close()
    expect(readGeneration(store.root)).toBe(after)
  })

  test('heals an object of the wrong size by publishing it again', async () => {
    const store = temporaryStore()
    const digest = await put(store, 'whole')
    const path = store.locate(digest)!
    execFileSync('sh', ['-c', `chmod u+w ${path} && printf who > ${path}`])
    await put(store, 'whole')
    expect(Buffer.from(store.readObject(digest)).toString()).toBe('whole')
  })

  test('leaves nothing in staging', async () => {
    const store = temporaryStore()
    await put(store, 'x')
    await Promise.all([put(store, 'x'), put(store, 'x'), put(store, 'y')])
    const writer = openStagedWriter(store.stagingDir)
    writer.write(Buffer.from('given up'))
    writer.abort()
    expect(execFileSync('ls', [store.stagingDir], { encoding: 'utf8' })).toBe('')
  })

  test('hashes while it writes', () => {
    const folder = temporaryFolder()
    const writer = openStagedWriter(folder)
    for (const chunk of ['one ', 'two ', '', 'three']) writer.write(Buffer.from(chunk))
    const staged = writer.finish()
    expect(staged).toMatchObject({ digest: digestOf('one two three'), sizeBytes: 13 })
    expect(stageBytes(folder, 'one two three').digest).toBe(staged.digest)
  })

  test('hands out what is on its way, and not the damage it is about to replace', async () => {
    const store = temporaryStore()
    const digest = await put(store, 'the right bytes')
    truncateSync(store.locate(digest)!, 4)
    const healed = store.commit({ staged: [stage(store, 'the right bytes')], records: [] })
    expect(readFileSync(store.locate(digest)!, 'utf8')).toBe('the right bytes')
    await healed
    expect(readFileSync(store.locate(digest)!, 'utf8')).toBe('the right bytes')
  })

  test('takes an object of the wrong size for damage, not for something that was given up', async () => {
    const store = temporaryStore()
    const file = stage(store, 'rows')
    const { id, bytes } = describeArtifact('rows', [{ name: 'table.parquet', digest: file.digest, sizeBytes: 4 }])
    await store.commit({ staged: [file, stage(store, bytes)], records: [] })
    expect(store.isDamaged(id)).toBe(false)
    truncateSync(store.locate(file.digest)!, 2)
    expect(store.artifactPresence(id)).toBe('missing')
    expect(store.isReclaimable(id)).toBe(false)
    expect(store.isDamaged(id)).toBe(true)
    store.quarantine(file.digest, store.locate(file.digest)!, 'its size is 2')
    await store.flush()
    expect(store.isDamaged(id)).toBe(true)
    await store.commit({ staged: [stage(store, 'rows')], records: [] })
    expect(store.isDamaged(id)).toBe(false)
  })

  test('sees what it could take back from the trash, and moves nothing by looking', async () => {
    const store = temporaryStore()
    const file = stage(store, 'rows')
    const { id, bytes } = describeArtifact('rows', [{ name: 'table.parquet', digest: file.digest, sizeBytes: 4 }])
    await store.commit({ staged: [file, stage(store, bytes)], records: [] })
    mkdirSync(join(store.layout.trash, '1'), { recursive: true })
    for (const digest of [id, file.digest]) renameSync(store.locate(digest)!, join(store.layout.trash, '1', digest))
    // Damage that has come into the place of what lies in the trash is cleared away when it is taken back.
    writeFileSync(objectPath(store.objectsDir, file.digest), 'no')
    expect(store.isReclaimable(id)).toBe(true)
    expect(store.hasObject(id)).toBe(false)
    expect(await store.reclaim(id)).toBe(true)
    expect(readFileSync(store.locate(file.digest)!, 'utf8')).toBe('rows')
  })

  test('knows whether an artifact is present, evicted or missing', async () => {
    const store = temporaryStore()
    const file = stage(store, 'rows')
    const { id, bytes } = describeArtifact('rows', [{ name: 'table.parquet', digest: file.digest, sizeBytes: 4 }])
    expect(store.artifactPresence(id)).toBe('missing')
    await store.commit({ staged: [file, stage(store, bytes)], records: [] })
    expect(store.artifactPresence(id)).toBe('present')
    const path = store.locate(file.digest)!
    execFileSync('rm', ['-f', path])
    expect(store.artifactPresence(id)).toBe('missing')
    await store.commit({ staged: [], records: [{ kind: 'evicted', key: id }] })
    expect(store.artifactPresence(id)).toBe('evicted')
    await store.commit({ staged: [stage(store, 'rows'), stage(store, bytes)], records: [] })
    expect(store.artifactPresence(id)).toBe('present')
    expect(store.records.isEvicted(id)).toBe(false)
    writeFileSync(join(store.root, 'unrelated'), '')
  })
})
