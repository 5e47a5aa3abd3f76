import { Writable } from 'node:stream'
import { dispatch, type Process } from '../../../pipeline/cli/dispatch.ts'

export interface Said {
  readonly status: string
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line in this process, with everything around it fixed. */
export async function say(argv: readonly string[], host: Partial<Process> = {}): Promise<Said> {
  const stdout = new Sink()
  const stderr = new Sink()
  const status = await dispatch({
    argv,
    cwd: '/work',
    env: {},
    stdout,
    stderr,
    isTerminal: { stdout: false, stderr: false },
    terminal: undefined,
    signals: { onStop: () => () => {} },
    nowMs: () => Date.UTC(2024, 2, 1),
    openWorld: () => Promise.reject(new Error('this test opens no world')),
    openRoot: () => Promise.reject(new Error('this test opens no store')),
    ...host,
  })
  return { status, stdout: stdout.text, stderr: stderr.text }
}

export class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
