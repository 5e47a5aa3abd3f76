import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { History } from '../../../../pipeline/engine/run/history.ts'

const made: string[] = []
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
})

function temporaryRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'tickpipe-history-'))
  made.push(root)
  return root
}

describe('the history of what tasks cost', () => {
  test('is there for the next process', () => {
    const root = temporaryRoot()
    const history = new History(root)
    history.add('measure', 12, 100, 3)
    history.setWidth('names.each', 7)
    history.save()
    const next = new History(root)
    expect(next.estimate('measure')).toEqual({ p50Ms: 12, p90Ms: 12, bytes: 100, requests: 3 })
    expect(next.lastWidth('names.each')).toBe(7)
    expect(readdirSync(join(root, 'index'))).toEqual(['history.json'])
  })

  test('fails no run where it cannot be written', () => {
    const root = temporaryRoot()
    writeFileSync(join(root, 'index'), 'a file where a folder should be')
    const history = new History(root)
    history.add('measure', 12, 100, 3)
    expect(() => history.save()).not.toThrow()
  })

  test.skipIf(process.platform !== 'linux')('fails no run on a full disk', () => {
    const root = temporaryRoot()
    const history = new History(root)
    history.add('measure', 12, 100, 3)
    history.save()
    // Whatever is written through this link finds the disk full. The name of the draft is that of `writeIndexFile`.
    symlinkSync('/dev/full', join(root, 'index', `history.json.${process.pid}-0.partial`))
    history.add('measure', 12, 100, 3)
    expect(() => history.save()).not.toThrow()
    expect(readdirSync(join(root, 'index'))).toEqual(['history.json'])
  })
})
