import { Fault } from '../../lib/fault.ts'
import type { Style } from './style.ts'
import { visibleLines } from './visible.ts'

/** What a person reads when a command cannot do what it was asked. */
export function renderFault(fault: Fault, style: Style): string {
  const lines = [`${style.bad('error')}  ${visibleLines(fault.what)}`]
  if (fault.where !== undefined) lines.push(`${style.dim('where')}  ${visibleLines(fault.where)}`)
  if (fault.todo !== undefined) lines.push(`${style.dim('todo ')}  ${visibleLines(fault.todo)}`)
  return lines.map((line) => line.replaceAll('\n', '\n       ')).join('\n')
}

/** The same for programs. */
export function faultJson(fault: Fault): object {
  return {
    error: {
      code: fault.code,
      exitStatus: fault.exitStatus,
      what: fault.what,
      where: fault.where ?? null,
      todo: fault.todo ?? null,
      details: fault.details,
    },
  }
}

/** A broken assumption of our own: nothing the user did, so all we know is printed. */
export function renderBug(
  error: unknown,
  about: { readonly version: string; readonly node: string; readonly argv: readonly string[] },
  style: Style,
): string {
  const stack = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
  const cause = error instanceof Error && error.cause !== undefined ? `\ncaused by ${causeText(error.cause)}` : ''
  return [
    `${style.bad('internal error')}  this is a bug in pipe, not in your pipeline`,
    visibleLines(stack + cause),
    `pipe ${about.version}, node ${about.node}, arguments: ${JSON.stringify(about.argv)}`,
    'Please report it with the lines above. Nothing in the store depends on it: it is safe to run again.',
  ].join('\n')
}

export function bugJson(error: unknown): object {
  const stack = error instanceof Error ? error.stack : String(error)
  return {
    error: { code: 'internal', exitStatus: 1, what: error instanceof Error ? error.message : String(error), stack },
  }
}

const causeText = (cause: unknown): string => (cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))

/** Parsing and loading wrap errors; the Fault inside is what the user should read. */
export function faultIn(error: unknown): Fault | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof Fault) return at
  }
  return undefined
}
