import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProject } from '../../engine/code/findProject.ts'
import type { KnownNames } from './candidates.ts'

/** Names of a project, kept where the next key press finds them without loading the project or opening its store: in
 *  the user's cache folder, one small file for each config file. It may be deleted at any time. */
export interface ProjectNames {
  readonly root: string
  readonly pipelines: readonly string[]
  readonly targets: readonly string[]
  readonly addresses: readonly string[]
}

type Env = Readonly<Record<string, string | undefined>>

/** Lines of `kind<tab>name`: reading them is one split, and 100,000 addresses are no burden. */
export function rememberNames(env: Env, configFile: string, names: ProjectNames): void {
  const lines = [
    `root\t${names.root}`,
    ...names.pipelines.map((name) => `pipeline\t${name}`),
    ...names.targets.map((name) => `target\t${name}`),
    ...names.addresses.map((name) => `address\t${name}`),
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
    snapshots: listFolder(join(folder, 'snapshots')),
    runs: listFolder(join(folder, 'runs')).reverse().slice(0, 50),
  }
}

function readNames(env: Env, cwd: string): ProjectNames | undefined {
  const byKind: Record<string, string[]> = { root: [], pipeline: [], target: [], address: [] }
  try {
    const { configFile } = findProject(cwd)
    for (const line of readFileSync(cachePath(env, configFile), 'utf8').split('\n')) {
      const tab = line.indexOf('\t')
      byKind[line.slice(0, tab)]?.push(line.slice(tab + 1))
    }
  } catch {
    return undefined // no project here, or it never ran
  }
  const [root] = byKind['root']!
  if (root === undefined) return undefined
  return { root, pipelines: byKind['pipeline']!, targets: byKind['target']!, addresses: byKind['address']! }
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
