import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RunEvent } from '../../engine/event.ts'
import type { RunView } from './runView.ts'

const bufferChars = 1 << 16
const flushIntervalMs = 500 // what a crash may lose of the log; the store loses nothing by it

/** Keeps a run's events beside its manifest: all of them in `events.jsonl`, and in `log` what a person greps for, as
 *  pino writes it. A run in which nothing happened but its start and end has no log, and does not load pino for it.
 *  A log that cannot be written is said once and does not stop the run. */
export function runLog(tools: {
  /** Wall clock of the run's start: events carry only the time since. */
  readonly startedMs: number
  readonly onTrouble: (message: string) => void
}): RunView & { readonly ready: () => Promise<void> } {
  let events: LineFile | undefined
  let log: LineFile | undefined
  let logPath: string | undefined
  let logger: Logger | undefined
  let early: RunEvent[] = [] // until pino is loaded
  let loading: Promise<void> | undefined
  let broken = false

  const guard = (action: () => void): void => {
    if (broken) return
    try {
      action()
    } catch (error) {
      broken = true
      tools.onTrouble(`the run's log cannot be written: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  const open = (logPath: string): void => {
    mkdirSync(dirname(logPath), { recursive: true })
    events = lineFile(join(dirname(logPath), 'events.jsonl'))
  }

  const startLogging = (path: string): void => {
    const file = lineFile(path)
    log = file
    const sink = { write: (line: string) => guard(() => file.write(line)) }
    loading = import('pino').then(({ pino }) => {
      const formatters = { level: (label: string) => ({ level: label }) }
      logger = pino({ base: null, timestamp: false, level: 'debug', formatters }, sink)
      for (const event of early) logEvent(logger, event, tools.startedMs)
      early = []
    })
  }

  return {
    see(event) {
      guard(() => {
        if (event.kind === 'run started') {
          open(event.logPath)
          logPath = event.logPath
        }
        events?.write(`${JSON.stringify(event)}\n`)
        // The first line at once: "pipe runs" shows a run that was killed right after.
        if (event.kind === 'run started') events?.flush()
        if (!isLogged(event) || logPath === undefined) return
        if (logger) logEvent(logger, event, tools.startedMs)
        else early.push(event)
        if (!log && event.kind !== 'run started' && event.kind !== 'run finished') startLogging(logPath)
      })
    },
    ready: () => loading ?? Promise.resolve(),
    close() {
      guard(() => {
        events?.close()
        log?.close()
      })
      broken = true
    },
  }
}

interface Logger {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

// Cached nodes and growth are in events.jsonl; in the log they would bury the ten lines somebody looks for.
const isLogged = (event: RunEvent): boolean =>
  event.kind !== 'node cached' &&
  event.kind !== 'graph grew' &&
  event.kind !== 'progress expected' &&
  event.kind !== 'node progress'

function logEvent(logger: Logger, event: RunEvent, startedMs: number): void {
  const { kind, elapsedMs, ...fields } = event
  const record = { time: new Date(startedMs + elapsedMs).toISOString(), elapsedMs: Math.round(elapsedMs), ...fields }
  if (kind === 'node failed' || kind === 'node disputed') logger.error(record, kind)
  else if (
    kind === 'warning' ||
    kind === 'node retried' ||
    kind === 'node waiting to retry' ||
    kind === 'node healed' ||
    kind === 'node skipped'
  )
    logger.warn(record, kind)
  else logger.info(record, kind)
}

interface LineFile {
  write(line: string): void
  flush(): void
  close(): void
}

/** Lines gathered into large writes; on disk after half a second at the latest. */
function lineFile(path: string): LineFile {
  const fd = openSync(path, 'a')
  let pending: string[] = []
  let chars = 0
  const flush = (): void => {
    if (pending.length === 0) return
    const text = pending.join('')
    pending = []
    chars = 0
    writeSync(fd, text)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    write(line) {
      pending.push(line)
      chars += line.length
      if (chars >= bufferChars) flush()
      // A failing disk must not throw from a timer: the next write meets it again, where it is caught.
      timer ??= setTimeout(() => {
        timer = undefined
        try {
          flush()
        } catch {}
      }, flushIntervalMs)
    },
    flush,
    close() {
      if (timer) clearTimeout(timer)
      try {
        flush()
      } finally {
        closeSync(fd)
      }
    },
  }
}
