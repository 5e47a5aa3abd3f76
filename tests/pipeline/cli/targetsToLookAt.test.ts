import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import type { Store } from '../../../pipeline/cli/context.ts'
import { targetsToLookAt } from '../../../pipeline/cli/targetsToLookAt.ts'
import type { FinishedRun } from '../../../pipeline/engine/engine.ts'
import { sampleReport } from '../../lib/report/sampleReport.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tickpipe-pages-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A run whose targets are these artifacts, each with the sizes of its files. */
function look(artifacts: Record<string, Record<string, number>>) {
  const addresses = Object.keys(artifacts)
  const manifest = {
    nodes: addresses.map((address) => ({ address, artifact: address })),
    targets: [{ name: 'all', addresses }],
  }
  const store = {
    artifactPresence: () => 'present',
    readDescriptor: (artifact: string) => ({
      type: 'files',
      files: Object.entries(artifacts[artifact]!).map(([name, sizeBytes]) => ({
        name,
        sizeBytes,
        digest: `${artifact}/${name}`,
      })),
    }),
    readObject: (digest: string) => new TextEncoder().encode(digest),
  }
  return targetsToLookAt({ manifest } as unknown as FinishedRun, store as unknown as Store, folder)
}

test('a page is laid beside the run with the tables it links to, and told by its path', () => {
  const { pages } = look({ report: { 'fills.csv': 10, 'report.html': 20, 'fills.parquet': 30 }, qa: { 'qa.html': 5 } })
  expect(pages).toEqual([join(folder, 'report.html'), join(folder, 'qa.html')])
  expect(readdirSync(folder).sort()).toEqual(['fills.csv', 'fills.parquet', 'qa.html', 'report.html'])
  expect(readFileSync(join(folder, 'fills.csv'), 'utf8')).toBe('report/fills.csv')
})

test('no file can take the place of what the run itself keeps there, and huge tables stay in the store', () => {
  look({ report: { 'report.html': 20, 'manifest.json': 1, log: 1, 'all.csv': 65 * 1024 * 1024 } })
  expect(readdirSync(folder)).toEqual(['report.html'])
})

test('what has no page lays nothing', () => {
  expect(look({ data: { 'rows.parquet': 10 } }).pages).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('the numbers of a walk-forward are shown, and of whatever else bears its name nothing', () => {
  const shown = (value: unknown) => {
    const store = {
      artifactPresence: () => 'present',
      readDescriptor: () => ({ type: 'walkForward', files: [{ name: 'value.json', sizeBytes: 9, digest: 'd' }] }),
      readObject: () => new TextEncoder().encode(canonicalJson(value)),
    }
    const manifest = { nodes: [{ address: 'w', artifact: 'a' }], targets: [{ name: 'w', addresses: ['w'] }] }
    return targetsToLookAt({ manifest } as unknown as FinishedRun, store as unknown as Store, folder).walkForward
  }
  expect(shown(sampleReport({ days: 60, isSwept: true }).walkForward)![0]![0]).toBe('tested on')
  expect(shown({ folds: 3 })).toBeUndefined()
})
