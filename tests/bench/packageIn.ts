import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A folder from which a peer's package can be loaded, fetched from npm into the given one where nobody has it; undefined
 *  where that does not work. Peers are no dependencies of ours. */
export function packageIn(folder: string, name: string, ...besides: readonly string[]): string | undefined {
  const here = fileURLToPath(new URL('.', import.meta.url))
  if (loadsFrom(here, name)) return here
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--force', name, ...besides]
  const { status } = spawnSync('npm', install, { cwd: folder, stdio: 'ignore', timeout: 120_000 })
  return status === 0 && loadsFrom(folder, name) ? folder : undefined
}

function loadsFrom(folder: string, name: string): boolean {
  try {
    createRequire(join(folder, 'package.json'))(name)
    return true
  } catch {
    return false
  }
}
