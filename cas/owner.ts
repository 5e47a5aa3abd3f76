import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/** Who holds a lease or writes a segment. Enough to tell, on the same machine, whether that very process still runs:
 *  a pid alone may have been handed to another one. */
export interface Owner {
  readonly host: string
  /** Differs after each boot; empty where the system does not say. */
  readonly bootId: string
  readonly pidNamespace: string
  readonly pid: number
  /** In the system's own clock ticks since boot; empty where the system does not say. */
  readonly startTime: string
}

export type Liveness = 'alive' | 'dead' | 'foreign'

let self: Owner | undefined

export function thisProcess(): Owner {
  self ??= {
    host: hostname(),
    bootId: readText('/proc/sys/kernel/random/boot_id'),
    pidNamespace: readLink('/proc/self/ns/pid'),
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '',
  }
  return self
}

/** Exact for processes of this boot and pid namespace; everybody else is `foreign` and judged by the heartbeat. */
export function livenessOf(owner: Owner): Liveness {
  const me = thisProcess()
  if (me.bootId === '' || owner.bootId !== me.bootId || owner.pidNamespace !== me.pidNamespace) return 'foreign'
  return startTimeOf(owner.pid) === owner.startTime ? 'alive' : 'dead'
}

export function parseOwner(value: unknown): Owner | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { host, bootId, pidNamespace, pid, startTime } = value as Record<string, unknown>
  if (typeof host !== 'string' || typeof bootId !== 'string' || typeof pidNamespace !== 'string') return undefined
  if (!Number.isSafeInteger(pid) || typeof startTime !== 'string') return undefined
  return { host, bootId, pidNamespace, pid: pid as number, startTime }
}

/** The 22nd field of /proc/<pid>/stat, or undefined when there is no such process, or only its zombie. */
function startTimeOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // The second field is the command in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return fields[19]
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return ''
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
