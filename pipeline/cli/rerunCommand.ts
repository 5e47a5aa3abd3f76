import type { AskValues } from './ask.ts'
import { shellWord } from './shellWord.ts'

/** A command line that runs a failed node again, with whatever decides what it gives. What is recorded does not run.
 *  @param asked of the snapshot only one it is frozen to: a new name belongs to the whole run, not to this node */
export function rerunCommand(
  targets: readonly string[],
  asked: Pick<AskValues, 'pipeline' | 'set' | 'asOf' | 'snapshot' | 'from' | 'offline'> & {
    readonly root: string | undefined
  },
): string {
  const words = ['pipe', 'run', ...targets]
  if (asked.root !== undefined) words.push('--root', asked.root)
  if (asked.pipeline !== undefined) words.push('--pipeline', asked.pipeline)
  for (const set of asked.set) words.push('--set', set)
  if (asked.asOf !== undefined) words.push('--as-of', asked.asOf)
  if (asked.snapshot !== undefined) words.push('--snapshot', asked.snapshot)
  if (asked.from !== undefined) words.push('--from', asked.from)
  if (asked.offline) words.push('--offline')
  return words.map(shellWord).join(' ')
}
