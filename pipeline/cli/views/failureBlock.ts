import type { NodeFailure } from '../../engine/event.ts'
import { shortId } from '../human.ts'
import type { Style } from '../style.ts'
import { visible } from '../visible.ts'

/** Everything a person needs to see what broke and to run only that again. */
export function renderFailure(address: string, task: string, failure: NodeFailure, style: Style): string {
  const inputs = Object.entries(failure.inputs).map(
    ([port, id]) => `${port}=${/^[0-9a-f]{64}$/.test(id) ? shortId(id) : id}`,
  )
  const fields: (readonly [string, string])[] = [
    ['cause', causeText(failure, style)],
    ['params', visible(JSON.stringify(failure.params) ?? 'none')],
    ['inputs', inputs.length === 0 ? 'none' : inputs.join(' ')],
    ['attempts', String(failure.attempts)],
    ['log', failure.logPath],
    ['rerun', style.bold(failure.rerun)],
  ]
  return [
    `${style.bad('failed')}    ${style.bold(address)}  (${task})`,
    ...fields.map(([name, text]) => `  ${style.dim(name.padEnd(10))}${text.replaceAll('\n', `\n${' '.repeat(12)}`)}`),
  ].join('\n')
}

/** The message, and the few frames of the stack that lead to the task's own code. */
function causeText(failure: NodeFailure, style: Style): string {
  const lines = (failure.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line) && !line.includes('node:internal'))
  // Some stacks say one place over and over, as those of retries do.
  const frames = [...new Set(lines)].slice(0, 4).map((line) => style.dim(line.trim()))
  return [failure.message, ...frames].join('\n')
}
