import type { Writable } from 'node:stream'
import { ansiStyle, plainStyle, type Style } from './style.ts'
import { visibleFile, visiblePaintedLines } from './visible.ts'

/** Where a command prints. Results go to standard output; progress, notes and errors to standard error. */
export interface Out {
  readonly json: boolean
  readonly quiet: boolean
  /** Whether results go to a terminal, where a person reads them as they are. */
  readonly isTerminal: boolean
  readonly style: Style
  readonly errStyle: Style
  /** A line or more of result, for people. Nothing with --json. */
  print(text: string): void
  /** The result for programs: one document, printed at the end. Told again, as by a fault after the result, it is the
   *  same document with more in it. Nothing without --json. */
  printJson(value: object): void
  /** One line of JSON of a stream. */
  printJsonLine(value: unknown): void
  /** The text of a file: as it is into a pipe or a file, harmless on a terminal. */
  writeText(text: string): void
  /** Bytes as they are, whatever the format asked for. */
  write(bytes: Uint8Array | string): void
  /** A line beside the result, for people: not with --json, not with --quiet. */
  note(text: string): void
  /** A line on standard error whatever was asked for. */
  error(text: string): void
  /** True once the reader of standard output has gone away (`pipe ls | head`): no use in going on printing. */
  readonly closed: boolean
  /** Why results did not get to standard output, where its reader did not simply go away: `closed` is true then. Known for
   *  certain after `flush`. */
  readonly failure: Error | undefined
  /** Resolves when everything written has left this process. */
  flush(): Promise<void>
}

export interface OutStreams {
  readonly stdout: Writable
  readonly stderr: Writable
}

export function makeOut(
  streams: OutStreams,
  asked: {
    readonly json: boolean
    readonly quiet: boolean
    readonly colour: { stdout: boolean; stderr: boolean }
    readonly stdoutIsTerminal: boolean
  },
): Out {
  let stdoutClosed = false
  let failure: Error | undefined
  let stderrClosed = false
  const isClosed = (error: NodeJS.ErrnoException): boolean =>
    error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
  // A reader that leaves early is normal. A result that is lost otherwise, as on a full disk, fails the command.
  streams.stdout.on('error', (error) => {
    if (!isClosed(error)) failure ??= error
    stdoutClosed = true
  })
  // There is nowhere left to complain to.
  streams.stderr.on('error', () => {
    stderrClosed = true
  })

  // Lines of a JSON stream are gathered: one system call for each of 100,000 events would cost seconds.
  let pending: string[] = []
  let pendingChars = 0
  let timer: NodeJS.Timeout | undefined
  const flushPending = (): void => {
    if (timer) clearTimeout(timer)
    timer = undefined
    if (pending.length === 0) return
    const text = pending.join('')
    pending = []
    pendingChars = 0
    if (!stdoutClosed) streams.stdout.write(text)
  }
  let document: object | undefined
  const write = (bytes: Uint8Array | string): void => {
    flushPending()
    if (!stdoutClosed) streams.stdout.write(bytes)
  }

  return {
    json: asked.json,
    quiet: asked.quiet,
    isTerminal: asked.stdoutIsTerminal,
    style: asked.colour.stdout ? ansiStyle : plainStyle,
    errStyle: asked.colour.stderr ? ansiStyle : plainStyle,
    print: (text) => {
      if (!asked.json) write(`${visiblePaintedLines(text)}\n`)
    },
    printJson: (value) => {
      if (asked.json) document = document === undefined ? value : { ...document, ...value }
    },
    printJsonLine: (value) => {
      if (!asked.json) return
      const line = `${JSON.stringify(value)}\n`
      pending.push(line)
      pendingChars += line.length
      if (pendingChars >= 1 << 16) flushPending()
      else timer ??= setTimeout(flushPending, 50)
    },
    writeText: (text) => write(asked.stdoutIsTerminal ? visibleFile(text) : text),
    write,
    note: (text) => {
      if (!asked.json && !asked.quiet && !stderrClosed) streams.stderr.write(`${visiblePaintedLines(text)}\n`)
    },
    error: (text) => {
      if (!stderrClosed) streams.stderr.write(`${visiblePaintedLines(text)}\n`)
    },
    get closed() {
      return stdoutClosed
    },
    get failure() {
      return failure
    },
    async flush() {
      flushPending()
      if (document !== undefined) write(`${JSON.stringify(document, null, 2)}\n`)
      document = undefined
      await Promise.all([drained(streams.stdout, () => stdoutClosed), drained(streams.stderr, () => stderrClosed)])
      // What went wrong with the last write is told one turn after it.
      await new Promise(setImmediate)
    },
  }
}

/** Process exit cuts off what a pipe has not taken yet. */
function drained(stream: Writable, isClosed: () => boolean): Promise<void> {
  if (isClosed() || stream.destroyed || stream.writableLength === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('error', done)
      resolve()
    }
    stream.once('error', done)
    stream.write('', done)
  })
}
