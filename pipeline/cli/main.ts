#!/usr/bin/env node
import process from 'node:process'
import { exitStatuses } from '../../lib/fault.ts'
import { isExitForbidden } from '../engine/run/noExit.ts'
import { dispatch } from './dispatch.ts'
import { fileOut } from './fileOut.ts'
import { bugJson, renderBug } from './renderFault.ts'
import { plainStyle } from './style.ts'
import { realSignals, realTerminal } from './terminal.ts'
import { version } from './version.ts'

/** The process: the only reader of argv, environment and clock, and the only place that ends it. */
const argv = process.argv.slice(2)
const exit = process.exit.bind(process)

// What escapes every await is a bug by definition. It is said, and the process ends: going on could store nonsense.
for (const kind of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(kind, (error) => {
    // While a run goes on, exiting is forbidden to tasks: what escapes then is most likely what a source left behind.
    if (isExitForbidden()) {
      process.stderr.write(
        `error  something a task left behind failed: ${error instanceof Error ? error.message : String(error)}\ntodo   await everything a source starts\n`,
      )
      exit(exitStatuses.failed)
    }
    if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(bugJson(error))}\n`)
    process.stderr.write(`${renderBug(error, { version, node: process.version, argv }, plainStyle)}\n`)
    exit(exitStatuses.internal)
  })
}

const status = await dispatch({
  argv,
  cwd: process.cwd(),
  // As it was at the start: executing sets TZ for the worker threads.
  env: { ...process.env },
  stdout: fileOut(1) ?? process.stdout,
  stderr: process.stderr,
  isTerminal: { stdout: process.stdout.isTTY === true, stderr: process.stderr.isTTY === true },
  terminal: realTerminal(process.env),
  signals: realSignals,
  nowMs: Date.now,
  openWorld: async (surroundings, options) => (await import('./world.ts')).openWorld(surroundings, options),
  openRoot: async (surroundings, options) => (await import('./world.ts')).openRoot(surroundings, options),
})
// Everything printed has been flushed; workers and sockets that still idle must not keep the shell waiting.
exit(exitStatuses[status])
