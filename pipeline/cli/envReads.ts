import { envDigest } from './runMemo.ts'

/** Watches which environment variables a project's config and its build functions look at: what they give rests on
 *  those, and on nothing else of the environment. */
export class EnvReads {
  private readonly seen = new Map<string, string | null>()

  async during<T>(work: () => T | Promise<T>): Promise<T> {
    const real = process.env
    process.env = new Proxy(real, {
      get: (target, name) => this.note(target, name),
      has: (target, name) => this.note(target, name) !== undefined,
    })
    try {
      return await work()
    } finally {
      process.env = real
    }
  }

  /** Names with a digest of what they held: values may be secrets. */
  list(): (readonly [string, string | null])[] {
    return [...this.seen].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  private note(env: NodeJS.ProcessEnv, name: string | symbol): string | undefined {
    if (typeof name === 'symbol') return undefined
    const value = env[name]
    this.seen.set(name, envDigest(value))
    return value
  }
}
