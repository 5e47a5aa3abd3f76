import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProject } from '../../engine/code/findProject.ts'
import type { KnownNames, KnownSetting } from './candidates.ts'

/** Names of a project, kept where the next key press finds them without loading the project or opening its store: in
 *  the user's cache folder, one small file for each config file. It may be deleted at any time. */
export interface ProjectNames {
  readonly root: string
  readonly pipelines: readonly string[]
  readonly targets: readonly string[]
  readonly addresses: readonly string[]
  readonly settings: readonly KnownSetting[]
}

type Env = Readonly<Record<string, string | undefined>>

/** What is said of addresses no longer there is harmless; their number has to end somewhere. */
const mostAddresses = 200_000

/** Lines of `kind<tab>name`: reading them is one split, and 100,000 addresses are no burden. A command that saw a part of the
 *  graph does not make the rest of it forgotten. */
export function rememberNames(env: Env, configFile: string, names: ProjectNames): void {
  const before = readFileNames(cachePath(env, configFile))
  const addresses = new Set(names.addresses)
  for (const address of before?.root === names.root ? before.addresses : []) {
    if (addresses.size >= mostAddresses) break
    addresses.add(address)
  }
  const lines = [
    `root\t${names.root}`,
    ...names.pipelines.map((name) => `pipeline\t${name}`),
    ...names.targets.map((name) => `target\t${name}`),
    ...names.settings.map(({ path, takes }) => `setting\t${path}\t${takes}`),
    ...Array.from(addresses, (name) => `address\t${name}`),
  ]
  const path = cachePath(env, configFile)
  try {
    mkdirSync(join(path, '..'), { recursive: true })
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, `${lines.join('\n')}\n`)
    renameSync(draft, path)
  } catch {
    // A home that cannot be written only costs completion.
  }
}

/** What is known in a folder. Snapshots and runs are listed now, from the store the project used last. */
export function knownNames(env: Env, cwd: string, root: string | undefined): KnownNames {
  const names = readNames(env, cwd)
  const folder = root ?? env['PIPE_ROOT'] ?? names?.root ?? join(homedir(), '.pipe')
  return {
    pipelines: names?.pipelines ?? [],
    targets: names?.targets ?? [],
    addresses: names?.addresses ?? [],
    settings: names?.settings ?? [],
    snapshots: listFolder(join(folder, 'snapshots')),
    runs: listFolder(join(folder, 'runs')).reverse().slice(0, 50),
  }
}

function readNames(env: Env, cwd: string): ProjectNames | undefined {
  try {
    return readFileNames(cachePath(env, findProject(cwd).configFile))
  } catch {
    return undefined // no project here
  }
}

function readFileNames(path: string): ProjectNames | undefined {
  const byKind: Record<string, string[]> = { root: [], pipeline: [], target: [], setting: [], address: [] }
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return undefined // the project never ran
  }
  for (const line of text.split('\n')) {
    const tab = line.indexOf('\t')
    byKind[line.slice(0, tab)]?.push(line.slice(tab + 1))
  }
  const [root] = byKind['root']!
  if (root === undefined) return undefined
  const settings = byKind['setting']!.map((line) => {
    const [path = '', takes = ''] = line.split('\t')
    return { path, takes }
  })
  return { root, pipelines: byKind['pipeline']!, targets: byKind['target']!, addresses: byKind['address']!, settings }
}

function cachePath(env: Env, configFile: string): string {
  const cache = env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'tickpipe', 'names', createHash('sha256').update(configFile).digest('hex').slice(0, 24))
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path)
      .filter((name) => !name.startsWith('.'))
      .sort()
  } catch {
    return [] // no store yet
  }
}
