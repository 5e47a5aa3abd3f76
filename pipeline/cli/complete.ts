import { resolve } from 'node:path'
import { defineCommand } from './command.ts'
import { commandNames, loadCommand } from './commands.ts'
import { type Candidate, candidatesFor } from './completion/candidates.ts'
import { knownNames } from './completion/nameCache.ts'
import { arg } from './flag.ts'

/** Answers the completion scripts: one candidate a line. It opens no store and loads no project. */
export const complete = defineCommand({
  name: '__complete',
  summary: 'Answer a completion script',
  hidden: true,
  args: { shell: arg.one('bash, zsh or fish'), words: arg.many('The words up to the cursor') },
  flags: {},
  examples: [{ line: 'pipe __complete bash -- run re', says: 'what "re" may become' }],
  json: 'nothing',
  async run(context, { shell, words }) {
    const raw = words.at(-1) ?? ''
    const quote = shell === 'bash' && /^['"]/.test(raw) ? raw[0]! : ''
    const unquoted = shell === 'bash' ? (quote ? raw.slice(1) : raw.replace(/\\(.)/g, '$1')) : raw
    const before = words.slice(0, -1)
    const known = () =>
      knownNames(
        context.env,
        resolve(context.cwd, wordAfter(before, '--cwd', '-C') ?? '.'),
        wordAfter(before, '--root'),
      )
    const candidates = await candidatesFor(before, unquoted, commandNames, loadCommand, known)
    const lines = candidates.map((candidate) => lineFor(candidate, shell, quote !== ''))
    if (lines.length > 0) context.out.write(`${lines.join('\n')}\n`)
    return 'ok'
  },
})

function lineFor({ text, says }: Candidate, shell: string, quoted: boolean): string {
  // zsh parts value and description at the first colon that is not escaped.
  if (shell === 'zsh') return says === '' ? text.replaceAll(':', '\\:') : `${text.replaceAll(':', '\\:')}:${says}`
  if (shell === 'fish') return says === '' ? text : `${text}\t${says}`
  // Bash inserts a line as it is: brackets would be a pattern there, so they are escaped, but for inside quotes.
  return quoted ? text : text.replace(/[[\](){}*?;&|<>'"\\ $!~#`]/g, '\\$&')
}

function wordAfter(words: readonly string[], ...flags: readonly string[]): string | undefined {
  const at = words.findIndex((word) => flags.includes(word))
  return at === -1 ? undefined : words[at + 1]
}
