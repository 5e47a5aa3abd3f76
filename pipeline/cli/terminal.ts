import process from 'node:process'

/** As much of a terminal as a view draws on. */
export interface Terminal {
  readonly columns: number
  readonly rows: number
  write(text: string): void
  onResize(listener: () => void): () => void
}

/** Interrupts from outside. */
export interface Signals {
  /** `times` counts from 1. Returns a function that stops listening. */
  onStop(listener: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', times: number) => void): () => void
}

/** Standard error as something to draw on, or nothing where frames would only be noise. */
export function realTerminal(env: Readonly<Record<string, string | undefined>>): Terminal | undefined {
  const stream = process.stderr
  if (!stream.isTTY || env['TERM'] === 'dumb' || env['CI']) return undefined
  return {
    get columns() {
      return stream.columns || 80
    },
    get rows() {
      return stream.rows || 24
    },
    write: (text) => {
      stream.write(text)
    },
    onResize(listener) {
      stream.on('resize', listener)
      return () => stream.off('resize', listener)
    },
  }
}

/** The process's own signals. While nobody listens they keep their usual effect and end the process; so does the third
 *  one, whatever hangs. */
export const realSignals: Signals = {
  onStop(listener) {
    let times = 0
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    const handlers = names.map((name) => {
      const handler = (): void => {
        listener(name, ++times)
        if (times < 3) return
        stopListening()
        process.kill(process.pid, name)
      }
      process.on(name, handler)
      return () => process.off(name, handler)
    })
    const stopListening = (): void => {
      for (const stop of handlers) stop()
    }
    return stopListening
  },
}
