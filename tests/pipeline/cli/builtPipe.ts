import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

/** The command as the release builds it, and a folder of its own to work in: home, cache, store and projects. */
export interface BuiltPipe {
  /** Scratch space; everything below is removed with it. */
  readonly dir: string
  /** Holds an executable `pipe`. */
  readonly binDir: string
  /** The script behind it, for callers that start node themselves. */
  readonly cli: string
  readonly env: NodeJS.ProcessEnv
  run(args: readonly string[], options?: RunOptions): Ran
  start(args: readonly string[], options?: RunOptions): Started
  remove(): void
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

export interface Ran {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Started {
  readonly child: ChildProcess
  /** Everything printed so far, both streams. */
  printed(): string
  /** Resolves once the output matches. */
  says(pattern: RegExp): Promise<void>
  readonly ended: Promise<Ran>
}

const repo = fileURLToPath(new URL('../../../', import.meta.url))

export async function buildPipe(): Promise<BuiltPipe> {
  // Packages are found upward from the built files, so these lie in the repository's node_modules and not in /tmp.
  mkdirSync(join(repo, 'node_modules', '.cache'), { recursive: true })
  const built = mkdtempSync(join(repo, 'node_modules', '.cache', 'pipe-test-'))
  const { default: config } = (await import(pathToFileURL(join(repo, 'rolldown.config.js')).href)) as {
    default: { output: object; input: object }
  }
  const { output, ...input } = config
  const build = await rolldown({ ...input, cwd: repo } as Parameters<typeof rolldown>[0])
  await build.write({ ...output, dir: built } as Parameters<typeof build.write>[0])
  await build.close()

  const dir = mkdtempSync(join(tmpdir(), 'pipe-cli-'))
  const binDir = join(dir, 'bin')
  const cli = join(built, 'cli.js')
  mkdirSync(binDir)
  mkdirSync(join(dir, 'home'))
  writeFileSync(join(binDir, 'pipe'), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`)
  chmodSync(join(binDir, 'pipe'), 0o755)
  symlinkSync(process.execPath, join(binDir, 'node'))
  const env = { PATH: `${binDir}:/usr/local/bin:/usr/bin:/bin`, HOME: join(dir, 'home'), LANG: 'C.UTF-8' }

  const start = (args: readonly string[], options: RunOptions = {}): Started => {
    const child = spawn(process.execPath, [cli, ...args], { cwd: options.cwd ?? dir, env: { ...env, ...options.env } })
    let stdout = ''
    let stderr = ''
    const waiting = new Set<() => void>()
    const onData = (): void => {
      for (const look of waiting) look()
    }
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk
      onData()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk
      onData()
    })
    const ended = new Promise<Ran>((resolve) => {
      child.on('close', (status) => resolve({ status, stdout, stderr }))
    })
    return {
      child,
      printed: () => stdout + stderr,
      says: (pattern) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            if (!pattern.test(stdout + stderr)) return
            waiting.delete(look)
            resolve()
          }
          waiting.add(look)
          look()
          void ended.then(() => reject(new Error(`it ended without ${pattern}:\n${stdout}${stderr}`)))
        }),
      ended,
    }
  }

  return {
    dir,
    binDir,
    cli,
    env,
    start,
    run(args, options = {}) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
        cwd: options.cwd ?? dir,
        env: { ...env, ...options.env },
        encoding: 'utf8',
        maxBuffer: 64 * 2 ** 20,
      })
      return { status, stdout, stderr }
    },
    remove() {
      rmSync(dir, { recursive: true, force: true })
      rmSync(built, { recursive: true, force: true })
    },
  }
}
