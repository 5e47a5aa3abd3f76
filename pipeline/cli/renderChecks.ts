import type { FaultCode } from '../../lib/fault.ts'
import type { Style } from './style.ts'
import { padEnd } from './textWidth.ts'

/** One thing looked at by `pipe doctor`. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly says: string
  /** What to do about it; never missing where there is something to do. */
  readonly todo?: string
  /** How the command ends if it fails. */
  readonly code?: FaultCode
}

export function renderChecks(checks: readonly Check[], style: Style): string {
  const width = Math.max(...checks.map((check) => check.name.length))
  const paint = { ok: style.good, warn: style.warn, fail: style.bad }
  const lines = checks.flatMap(({ name, state, says, todo }) => [
    `${paint[state](padEnd(state, 4))}  ${padEnd(name, width)}  ${says}`,
    ...(todo === undefined ? [] : [`${' '.repeat(width + 8)}${style.dim('->')} ${todo}`]),
  ])
  const count = (state: Check['state']): number => checks.filter((check) => check.state === state).length
  const [warns, fails] = [count('warn'), count('fail')]
  const verdict =
    fails > 0
      ? style.bad(`${fails} failed, ${warns} warned`)
      : warns > 0
        ? style.warn(`${warns} warned`)
        : style.good('all is well')
  return [...lines, '', verdict].join('\n')
}
