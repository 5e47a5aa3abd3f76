import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeArtifact } from '../../../cas/artifact.ts'
import { stageBytes } from '../../../cas/staging.ts'
import { openStore } from '../../../cas/store.ts'
import { exitStatuses } from '../../../lib/fault.ts'
import { exportSnapshot } from '../../../snapshots/exportBundle.ts'
import { pinSnapshot } from '../../../snapshots/pin.ts'
import { readSnapshot } from '../../../snapshots/snapshotFolder.ts'
import { type BuiltPipe, buildPipe, type Ran } from './builtPipe.ts'

/** One project and three stores: an honest one, one whose owner tampers, and one that takes in what the second hands
 *  out. */
let pipe: BuiltPipe
let project: string
let evil: string
const asOf = ['--as-of', '2024-03-01']
const roots = { honest: '', attacker: '', victim: '', trusting: '' }

const at = (root: keyof typeof roots, ...args: string[]): Ran =>
  pipe.run([...args, '--root', roots[root]], { cwd: project })
const report = (root: keyof typeof roots): string => at(root, 'cat', 'report').stdout

beforeAll(async () => {
  pipe = await buildPipe()
  project = join(pipe.dir, 'research')
  for (const name of Object.keys(roots) as (keyof typeof roots)[]) roots[name] = join(pipe.dir, name)
  pipe.run(['init', '--tasks', 'research'])
  at('honest', 'run', '--snapshot', 'own', ...asOf)

  at('attacker', 'run', '--snapshot', 'right', ...asOf)
  evil = join(pipe.dir, 'evil.tar')
  await forge()
}, 120_000)
afterAll(() => pipe.remove())

/** A snapshot in which every hash fits, and one digit of the report is not what the code makes. */
async function forge(): Promise<void> {
  const store = openStore(roots.attacker)
  const { manifest } = readSnapshot(store.root, 'right')
  const { artifact } = manifest.nodes.find(({ address }) => address === 'writeReport')!
  const { type, files } = store.readDescriptor(artifact)
  const [right, ...others] = files
  const text = Buffer.from(store.readObject(right!.digest)).toString()
  const bytes = stageBytes(
    store.stagingDir,
    text.replace(/\d/, (digit) => `${(Number(digit) + 1) % 10}`),
  )
  const forged = describeArtifact(type, [{ ...right!, digest: bytes.digest }, ...others])
  await store.commit({ staged: [bytes, stageBytes(store.stagingDir, forged.bytes)], records: [] })
  const nodes = manifest.nodes.map((node) => (node.artifact === artifact ? { ...node, artifact: forged.id } : node))
  await pinSnapshot(store, { name: 'evil', manifest: { ...manifest, nodes }, provenance: {} })
  exportSnapshot(store, 'evil', evil)
  await store.close()
}

describe('a snapshot whose maker lied about a result', () => {
  test('import says that its results are computed again here', () => {
    const taken = at('victim', 'snapshot', 'import', evil)
    expect(taken.stdout).toContain('--trust-code')
    expect(taken.stdout).toContain('computed again here')
    expect(at('victim', 'verify').status).toBe(0)
  })

  test('an honest run computes for itself, and gets the right number', () => {
    const ran = at('victim', 'run', ...asOf)
    expect(ran.stdout).toMatch(/10 nodes: 0 cached, 10 executed/)
    expect(report('victim')).toBe(report('honest'))
  })

  test('then a frozen run is not the snapshot, diff names the node, and verify does not pass', () => {
    const frozen = at('victim', 'run', '--snapshot', 'evil')
    expect(frozen.stdout).toContain('this run is not the snapshot evil')
    const diff = at('victim', 'diff', 'evil', 'last').stdout
    expect(diff).toContain('writeReport')
    expect(diff).not.toContain('backtest[BTC]')
    const verified = at('victim', 'verify', 'evil', '--level', 'manifest')
    expect(verified.status).not.toBe(0)
    expect(verified.stdout + verified.stderr).toContain('computed here')
  })

  test('a frozen run in a store that has computed nothing yet does so from the snapshot’s own sources', () => {
    const fresh = ['--root', join(pipe.dir, 'fresh')]
    const here = (...args: string[]): Ran => pipe.run([...args, ...fresh], { cwd: project })
    here('snapshot', 'import', evil)
    const frozen = here('run', '--snapshot', 'evil')
    expect(frozen.stdout).toMatch(/10 nodes: 3 cached, 7 executed/)
    expect(frozen.stdout).toContain('this run is not the snapshot evil')
    expect(here('cat', 'report').stdout).toBe(report('honest'))
  })

  test('who trusts its maker takes the results over with it', () => {
    expect(at('trusting', 'snapshot', 'import', evil, '--trust-code').stdout).not.toContain('computed again')
    expect(at('trusting', 'run', ...asOf).stdout).toContain('nothing to do')
    expect(at('trusting', 'run', '--snapshot', 'evil').stdout).toContain('(frozen)')
    expect(report('trusting')).not.toBe(report('honest'))
  })
})

describe('a snapshot whose manifest was edited afterwards', () => {
  test('is not used: neither shown, nor run, nor out of what an earlier run remembers', () => {
    const run = (): Ran => at('honest', 'run', '--snapshot', 'own')
    for (let again = 0; again < 3; again++) expect(run().stdout).toContain('(frozen)')
    const path = join(roots.honest, 'snapshots', 'own', 'manifest.json')
    const text = readFileSync(path, 'utf8')
    const edited = text.replace(/"asOfMs":\d+(?=\d{3})/, (found) => `${found.slice(0, -1)}7`)
    expect(edited).not.toBe(text)
    writeFileSync(path, edited)
    for (const tried of [run(), at('honest', 'snapshot', 'show', 'own'), at('honest', 'plan', '--snapshot', 'own')]) {
      expect(tried.status).toBe(exitStatuses.corrupt)
      expect(tried.stderr).toContain('was changed after it was pinned')
    }
    expect(at('honest', 'verify', 'own').status).toBe(exitStatuses.corrupt)
    writeFileSync(path, text)
    expect(run().stdout).toContain('(frozen)')
  })
})
