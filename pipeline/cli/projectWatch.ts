import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const watchedFs = [
  'readFileSync',
  'readdirSync',
  'statSync',
  'lstatSync',
  'existsSync',
  'openSync',
  'accessSync',
  'readFile',
  'readdir',
  'stat',
  'open',
] as const

/** Watches a project's config and build functions while they run: what they take from files, the clock or chance is
 *  nothing a remembered answer could be held against, so no answer of theirs is remembered. */
export class ProjectWatch {
  /** True once the project looked at something outside of its own code and the environment. */
  looksOutside = false

  async during<T>(work: () => T | Promise<T>): Promise<T> {
    const restore = [
      ...watchedFs.map((name) => this.watch(fs as unknown as Record<string, unknown>, name)),
      this.watch(fs.promises as unknown as Record<string, unknown>, 'readFile'),
      this.watch(Date as unknown as Record<string, unknown>, 'now'),
      this.watch(Math as unknown as Record<string, unknown>, 'random'),
    ]
    syncBuiltinESMExports() // so that `import { readFileSync }` meets the watch too
    try {
      return await work()
    } finally {
      for (const put of restore) put()
      syncBuiltinESMExports()
    }
  }

  private watch(owner: Record<string, unknown>, name: string): () => void {
    const real = owner[name] as (...args: unknown[]) => unknown
    const note = (): void => {
      // Bundles of projects lie in a folder of their own; everybody else's calls are ours.
      if (!this.looksOutside && /[\\/]index[\\/]projects[\\/][^\n]*\.mjs:/.test(new Error().stack ?? ''))
        this.looksOutside = true
    }
    owner[name] = Object.assign(function (this: unknown, ...args: unknown[]) {
      note()
      return real.apply(this, args)
    }, real)
    return () => {
      owner[name] = real
    }
  }
}
