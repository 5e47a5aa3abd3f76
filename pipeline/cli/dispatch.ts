import { resolve } from 'node:path'
import process from 'node:process'
import type { Command, Status } from './command.ts'
import { commandNames, commandsWithin, loadAll, loadCommand } from './commands.ts'
import type { Context } from './context.ts'
import { makeOut, type Out, type OutStreams } from './out.ts'
import { type Globals, parseCommandLine, splitCommandName } from './parse.ts'
import { bugJson, faultIn, faultJson, renderBug, renderFault } from './renderFault.ts'
import { wantsColour } from './style.ts'
import type { Signals, Terminal } from './terminal.ts'
import { version } from './version.ts'
import type { OpenOptions, Root, Surroundings, World } from './world.ts'
import { cannotWrite, diskFault } from './writeAsked.ts'

/** The process around a command line. Tests hand in their own. */
export interface Process extends OutStreams {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTerminal: { readonly stdout: boolean; readonly stderr: boolean }
  readonly terminal: Terminal | undefined
  readonly signals: Signals
  readonly nowMs: () => number
  /** Loaded when a command first needs them. */
  readonly openWorld: (surroundings: Surroundings, options?: OpenOptions) => Promise<World>
  readonly openRoot: (
    surroundings: Surroundings,
    options?: { readonly create?: boolean; readonly readOnly?: boolean },
  ) => Promise<Root>
}

/** Runs one command line and says how it ended. */
export async function dispatch(host: Process): Promise<Status> {
  const { status, out } = await perform(host)
  await out.flush()
  // Whatever the command thinks of it: a result that nobody has got is none.
  if (out.failure === undefined || (status !== 'ok' && status !== 'hasWork')) return status
  out.error(renderFault(cannotWrite('standard output', out.failure), out.errStyle))
  await out.flush()
  return 'failed'
}

async function perform(host: Process): Promise<{ readonly status: Status; readonly out: Out }> {
  // Faults in the command line itself come before its flags are known, so these are looked for by eye.
  const asksJson = host.argv.includes('--json')
  let out = outFor(host, { json: asksJson, quiet: false, color: host.argv.includes('--no-color') ? false : undefined })
  let command: Command | undefined
  const carryOut = async (): Promise<Status> => {
    const { name, rest } = splitCommandName(host.argv, commandNames)
    if (name === undefined) return await overview(host, rest, out)
    if (name === 'help') return await dispatch({ ...host, argv: [...rest, '--help'] })

    if (isGroup(name, rest)) return await groupHelp(name, rest, out)
    command = await loadCommand(name, rest)
    const { globals, values } = parseCommandLine(command, rest)
    out = outFor(host, globals)
    if (globals.help) {
      const { renderHelp } = await import('./help.ts')
      out.write(`${renderHelp(command, out.style)}\n`)
      return 'ok'
    }
    return (await command.run(contextFor(host, globals, out), values)) ?? 'ok'
  }
  try {
    return { status: await carryOut(), out }
  } catch (error) {
    return { status: report(error, host, out, command?.jsonLines === true), out }
  }
}

async function overview(host: Process, rest: readonly string[], out: Out): Promise<Status> {
  if (rest.includes('--version') || rest.includes('-V')) {
    out.write(`${version}\n`)
    return 'ok'
  }
  parseCommandLine(undefined, rest)
  const { renderOverview } = await import('./help.ts')
  out.write(`${renderOverview(await loadAll(), version, out.style)}\n`)
  return host.argv.length === 0 ? 'usage' : 'ok'
}

/** `pipe snapshot`, alone or with flags: what there is of it. */
const isGroup = (name: string, rest: readonly string[]): boolean =>
  commandsWithin(name).length > 0 && splitCommandName(rest, []).name === undefined

async function groupHelp(name: string, rest: readonly string[], out: Out): Promise<Status> {
  parseCommandLine(undefined, rest)
  const { renderGroup } = await import('./help.ts')
  const commands = await Promise.all(commandsWithin(name).map((within) => loadCommand(within, [])))
  out.write(`${renderGroup(name, commands, out.style)}\n`)
  return 'ok'
}

function report(error: unknown, host: Process, out: Out, jsonLines: boolean): Status {
  const printJson = jsonLines ? out.printJsonLine : out.printJson
  const fault = faultIn(error) ?? diskFault(error)
  if (fault) {
    if (out.json) printJson(faultJson(fault))
    else out.error(renderFault(fault, out.errStyle))
    return fault.code
  }
  if (out.json) printJson(bugJson(error))
  out.error(renderBug(error, { version, node: process.version, argv: host.argv }, out.errStyle))
  return 'internal'
}

function contextFor(host: Process, globals: Globals, out: Out): Context {
  const { env, nowMs, terminal, signals } = host
  const cwd = globals.cwd === undefined ? host.cwd : resolve(host.cwd, globals.cwd)
  const root = globals.root === undefined ? undefined : resolve(cwd, globals.root)
  const surroundings: Surroundings = { cwd, root, env, nowMs }
  return {
    out,
    globals,
    cwd,
    env,
    commandLine: host.argv,
    nowMs,
    terminal,
    signals,
    openWorld: (options) => host.openWorld(surroundings, options),
    openRoot: async (options) => {
      const opened = await host.openRoot(surroundings, options)
      // Else it would pass for the store of a project that somebody believes to be in.
      if (opened.rootFrom === 'home')
        out.note(`no project in ${cwd} or above it: this is the store ${opened.root}; --root names another`)
      return opened
    },
  }
}

function outFor(host: Process, asked: Pick<Globals, 'json' | 'quiet' | 'color'>): Out {
  const { env } = host
  const colour = (isTerminal: boolean): boolean => wantsColour({ flag: asked.color, env, isTerminal })
  return makeOut(host, {
    json: asked.json,
    quiet: asked.quiet,
    stdoutIsTerminal: host.isTerminal.stdout,
    colour: { stdout: !asked.json && colour(host.isTerminal.stdout), stderr: colour(host.isTerminal.stderr) },
  })
}
