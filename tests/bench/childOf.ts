import { execFile, execFileSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What a TypeScript module of a benchmark prints when it is run as a process of its own: one JSON value. */
export function childOf<T>(module: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): T {
  return JSON.parse(execFileSync(process.execPath, argvOf(module, args), optionsOf(env))) as T
}

/** The same, beside whatever else runs. */
export async function childBeside<T>(module: string, args: readonly string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(process.execPath, argvOf(module, args), optionsOf({}))
  return JSON.parse(stdout) as T
}

function argvOf(module: string, args: readonly string[]): string[] {
  const hooks = new URL('./loadTypeScript.mjs', import.meta.url)
  const register = `data:text/javascript,import{register}from"node:module";register(${JSON.stringify(hooks)})`
  return ['--import', register, fileURLToPath(new URL(module, import.meta.url)), ...args]
}

const optionsOf = (env: Readonly<Record<string, string>>) => ({
  encoding: 'utf8' as const,
  env: { ...process.env, ...env },
  maxBuffer: 64 * 2 ** 20,
})
