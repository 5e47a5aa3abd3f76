import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Fault } from '../../../lib/fault.ts'

export interface ProjectPlace {
  readonly dir: string
  readonly configFile: string
}

const configNames: readonly string[] = ['pipe.config.ts', 'pipe.config.mts', 'pipe.config.js', 'pipe.config.mjs']

/** The project a command means: the nearest folder upward that has a config file. */
export function findProject(cwd: string): ProjectPlace {
  for (let dir = resolve(cwd); ; dir = dirname(dir)) {
    const name = configNames.find((candidate) => existsSync(join(dir, candidate)))
    if (name !== undefined) return { dir, configFile: join(dir, name) }
    if (dirname(dir) === dir) break
  }
  throw new Fault({
    code: 'usage',
    what: 'there is no pipe.config.ts in this folder or above it',
    where: resolve(cwd),
    todo: 'go to your project, or make one here with "pipe init"',
  })
}

export function isInProject(cwd: string): boolean {
  try {
    findProject(cwd)
    return true
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
}
