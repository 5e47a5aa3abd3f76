import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { IsolateAnswer, IsolateRequest } from './isolateProtocol.ts'
import type { Job } from './job.ts'
import type { Ending } from './pool.ts'
import type { PackageDirs } from './protocol.ts'

/** How often a child's memory is looked at. A child that allocates faster than this is stopped by V8's own limit, or
 *  by the machine. */
const memoryEveryMs = 50

/** A child says where a debugger finds it just before it waits for one. Who came in between would be waited for in vain. */
const waitsAfterMs = 100

/** Runs one job in a process of its own, which is killed for time, memory or by the signal, and in any case afterwards.
 *  A thread can be stopped too, but only a process can be held to its memory. */
export function runIsolated(
  options: {
    readonly isolateUrl: URL
    readonly stagingDir: string
    readonly inspect?: IsolateRequest['inspect']
    readonly onListening?: (url: string) => void
  },
  job: Job,
  packageDirs: PackageDirs,
  signal: AbortSignal,
): Promise<Ending> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({ kind: 'aborted' })
    const { inspect } = options
    // Whoever looks around in a debugger takes all the time there is.
    const { memoryMb, timeoutMs } = inspect === undefined ? job : {}
    const child = fork(fileURLToPath(options.isolateUrl), {
      env: { ...process.env, TZ: 'UTC' },
      execArgv: memoryMb === undefined ? [] : [`--max-old-space-size=${memoryMb}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const timers: NodeJS.Timeout[] = []
    const errors = lastWords(child)
    let over = false
    const end = (ending: Ending) => {
      if (over) return
      over = true
      for (const timer of timers) clearInterval(timer)
      signal.removeEventListener('abort', abort)
      child.kill('SIGKILL')
      resolve(ending)
    }
    const abort = () => end({ kind: 'aborted' })
    signal.addEventListener('abort', abort)

    child.on('message', (answer: IsolateAnswer) => {
      if (answer.kind === 'done') end(answer.outcome)
      else if (answer.kind === 'listening')
        timers.push(setTimeout(() => options.onListening?.(answer.url), waitsAfterMs))
      else end({ kind: 'died', what: answer.why })
    })
    child.on('error', (error) => end({ kind: 'died', what: `its process could not be started: ${error.message}` }))
    child.on('exit', (code, killedBy) => {
      const words = errors()
      if (/heap out of memory|allocation failed/i.test(words)) {
        return end({ kind: 'memory', what: `its process ran out of its ${memoryMb ?? 'default'} MB of heap` })
      }
      const how = killedBy === null ? `ended with exit code ${code}` : `was killed by ${killedBy}`
      end({ kind: 'died', what: `its process ${how}${words === '' ? '' : `: ${words}`}` })
    })

    if (timeoutMs !== undefined)
      timers.push(setTimeout(() => end({ kind: 'timeout', timeoutMs, stack: '' }), timeoutMs))
    if (memoryMb !== undefined) {
      timers.push(
        setInterval(() => {
          const usedMb = residentMb(child.pid)
          if (usedMb <= memoryMb + runtimeMb) return
          end({ kind: 'memory', what: `its process held ${Math.round(usedMb)} MB, and ${memoryMb} MB are its limit` })
        }, memoryEveryMs),
      )
    }
    const request: IsolateRequest = {
      stagingDir: options.stagingDir,
      job,
      packageDirs,
      ...(inspect === undefined ? {} : { inspect }),
    }
    child.send(request)
  })
}

/** What an empty process of Node holds, most of it shared with other processes: the limit is for the job. */
const runtimeMb = 100

/** Typed arrays lie outside the heap that V8 limits, so what counts is the process. Zero where the system does not
 *  tell; V8's limit then stands alone. */
function residentMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024
  } catch {
    return 0
  }
}

/** What a dying process printed, from its end. */
function lastWords(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-4000)
  })
  return () => /FATAL ERROR.*/.exec(text)?.[0] ?? text.trim().split('\n').at(-1) ?? ''
}
