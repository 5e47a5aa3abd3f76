import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** A folder from which Polars can be loaded, fetched from npm into the given one where nobody has it; undefined where that
 *  does not work. On Node 20 npm leaves its binary out unless that is asked for by name. */
export function polarsIn(folder: string): string | undefined {
  const here = fileURLToPath(new URL('.', import.meta.url))
  if (loadsFrom(here)) return here
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const binary = `nodejs-polars-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--force', 'nodejs-polars', binary]
  const { status } = spawnSync('npm', install, { cwd: folder, stdio: 'ignore', timeout: 120_000 })
  return status === 0 && loadsFrom(folder) ? folder : undefined
}

function loadsFrom(folder: string): boolean {
  try {
    createRequire(join(folder, 'package.json'))('nodejs-polars')
    return true
  } catch {
    return false
  }
}
