import assert from 'node:assert/strict'
import type { Digest } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'
import { formatUtc } from '../../../lib/time.ts'
import type { Job } from './job.ts'
import type { Ending } from './pool.ts'
import type { JobFailure } from './protocol.ts'

/** Names the places of a stack that lie in one code object as its sources do, and leaves the others. */
export type MapStack = (code: Digest, stack: string) => string

/** What the user is told of a job that gave no result. */
export function failureFault(job: Job, ending: Ending, mapStack: MapStack): Fault {
  assert.ok(ending.kind !== 'done')
  const { address, task } = job
  const details = { task, address }
  switch (ending.kind) {
    case 'aborted':
      return new Fault({ code: 'interrupted', what: `task "${task}" was stopped`, where: address, details })
    case 'timeout':
      return new Fault({
        code: 'failed',
        what: `task "${task}" did not end within its ${ending.timeoutMs} ms${stuckAt(sourceStack(job, ending.stack, mapStack))}`,
        where: address,
        todo: 'raise limits.timeoutMs of the task or timeoutMs of the project, or give it less to do',
        details,
      })
    case 'silent':
      return new Fault({
        code: 'failed',
        what: `task "${task}" came as far as ${formatUtc(ending.reachedMs)} and no further in ${ending.silenceMs} ms${stuckAt(sourceStack(job, ending.stack, mapStack))}`,
        where: address,
        todo: 'look for a loop that never ends, or raise silenceMs of the project',
        details: { ...details, reachedMs: ending.reachedMs },
      })
    case 'memory':
      return new Fault({
        code: 'failed',
        what: `task "${task}" needs too much memory: ${ending.what}`,
        where: address,
        todo: 'raise limits.memoryMb of the task, or let it work in batches',
        details,
      })
    case 'died':
      return new Fault({
        code: 'failed',
        what: `task "${task}" did not finish: ${ending.what}`,
        where: address,
        todo: 'run only this node again; if it dies again, look at the native packages it uses',
        details,
      })
    case 'failed':
      return taskFault(job, ending.failure, ending.log, sourceStack(job, ending.failure.stack, mapStack))
  }
}

const rules = {
  called: 'a pure task sees only its params and inputs',
  changed: 'a pure task must not change what others see',
}

function taskFault(job: Job, failure: JobFailure, log: readonly string[], { stack, site }: SourceStack): Fault {
  const { address, task } = job
  const { phase, subject, name, message, tripwire, fault } = failure
  const cause = new Error(message)
  cause.name = name
  cause.stack = stack
  const details = { task, address, phase, ...(subject === undefined ? {} : { subject }), ...(site && { site }), log }
  const damaged = fault?.digest === undefined ? {} : { digest: fault.digest }

  if (tripwire !== undefined) {
    return new Fault({
      code: 'failed',
      what: `task "${task}" ${tripwire.did} ${tripwire.call}${site === undefined ? '' : ` at ${site}`}; ${rules[tripwire.did]}: ${tripwire.advice}`,
      where: address,
      todo: tripwire.advice,
      cause,
      details: { ...details, call: tripwire.call },
    })
  }
  return new Fault({
    code: fault?.code ?? 'failed',
    what: `${subjectOf(failure, task)}: ${fault === undefined ? message : textOf(fault)}${site === undefined ? '' : ` (${site})`}`,
    where: address,
    todo: fault?.todo ?? todoOf(failure),
    cause,
    details: { ...details, ...damaged },
  })
}

function subjectOf({ phase, subject }: JobFailure, task: string): string {
  if (phase === 'params') return `the params of task "${task}" are not what it declares`
  if (phase === 'input' && subject === undefined) return `an input of task "${task}" cannot be read`
  if (phase === 'input') return `input "${subject}" of task "${task}" cannot be read`
  if (phase === 'output') return `the output of task "${task}" is not what it declares`
  if (phase === 'code') return `the code of task "${task}" cannot be loaded`
  return `task "${task}" failed`
}

function todoOf({ phase, name, message }: JobFailure): string | undefined {
  // V8's own words for a built-in that is locked, or a module that has no way in.
  if (/not extensible|read only property|Cannot redefine|Cannot delete property/.test(message)) {
    return 'built-in objects are locked in pure tasks, since the next node would see the change; keep state in your own'
  }
  if (name === 'TypeError' && /dynamic import callback/i.test(message)) {
    return 'a pure task has no import(); import the module statically, so that it is part of its code'
  }
  return phase === 'output' ? "make run return what the task's output declares" : undefined
}

const textOf = ({ what, where }: { readonly what: string; readonly where?: string }): string =>
  where === undefined ? what : `${where}: ${what}`

interface SourceStack {
  readonly stack: string
  /** The place a reader should look at first. */
  readonly site: string | undefined
}

/** Where code of a port stands in the stack, a strategy's say, the innermost of its places is the site: whatever it
 *  called wrongly is not to blame. */
function sourceStack(job: Job, stack: string, mapStack: MapStack): SourceStack {
  let portSite: string | undefined
  const lines = stack.split('\n').map((line) => {
    const inTask = mapStack(job.code.digest, line)
    if (inTask !== line) return inTask
    for (const { digest } of Object.values(job.ports)) {
      const inPort = mapStack(digest, line)
      if (inPort === line) continue
      portSite ??= placeIn(inPort)
      return inPort
    }
    return line
  })
  return { stack: lines.join('\n'), site: portSite ?? siteOf(lines) }
}

/** The `file:line:column` of the innermost frame. */
function siteOf(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const place = placeIn(line)
    if (place !== undefined) return place
  }
  return undefined
}

/** Code made by `new Function` has no place of its own and names its maker. Mapped places have no column. */
function placeIn(line: string): string | undefined {
  if (!/^\s+at /.test(line)) return undefined
  return line.match(/[^\s()]+:\d+(?::\d+)?/g)?.findLast((place) => !place.startsWith('<anonymous>'))
}

const stuckAt = ({ site }: SourceStack): string => (site === undefined ? '' : `; it was at ${site}`)
