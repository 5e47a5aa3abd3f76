import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'

export interface NodeBinary {
  readonly path: string
  readonly version: string
}

/** The versions of Node on this machine that tickpipe supports, each major once and the running one left out: those named
 *  in TICKPIPE_NODES, on the PATH, under the usual managers, and in npm's cache. Nothing is downloaded. */
export function otherNodes(): NodeBinary[] {
  const own = process.versions.node.split('.')[0]!
  const found = new Map<string, NodeBinary>()
  const seen = new Set<string>()
  for (const candidate of candidates()) {
    if (!existsSync(candidate)) continue
    const path = realpathSync(candidate)
    if (seen.has(path)) continue
    seen.add(path)
    const version = versionOf(path)
    const major = version?.split('.')[0]
    if (version === undefined || major === own || Number(major) < 20 || found.has(major!)) continue
    found.set(major!, { path, version })
  }
  return [...found.values()].sort((a, b) => Number.parseInt(a.version, 10) - Number.parseInt(b.version, 10))
}

function candidates(): string[] {
  const home = homedir()
  const named = (process.env['TICKPIPE_NODES'] ?? '').split(delimiter).filter((path) => path !== '')
  const onPath = (process.env['PATH'] ?? '').split(delimiter).flatMap((dir) => {
    const names = ['node', ...['20', '22', '24', '26'].map((major) => `node${major}`)]
    return names.map((name) => join(dir, name))
  })
  const managed = [
    ...within(join(home, '.nvm/versions/node'), 'bin/node'),
    ...within(join(home, '.local/share/fnm/node-versions'), 'installation/bin/node'),
    ...within(join(home, '.volta/tools/image/node'), 'bin/node'),
    ...within(join(home, '.asdf/installs/nodejs'), 'bin/node'),
    ...within(join(home, '.local/share/mise/installs/node'), 'bin/node'),
    ...within('/usr/local/n/versions/node', 'bin/node'),
    ...within(join(home, '.npm/_npx'), 'node_modules/node/bin/node'),
  ]
  return [...named, ...onPath, ...managed]
}

const within = (folder: string, rest: string): string[] => {
  try {
    return readdirSync(folder).map((name) => join(folder, name, rest))
  } catch {
    return [] // not installed here
  }
}

function versionOf(path: string): string | undefined {
  try {
    return execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8', timeout: 10_000 }).trim()
  } catch {
    return undefined
  }
}
