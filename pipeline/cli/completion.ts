import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import { defineCommand } from './command.ts'
import { completionScripts, shells } from './completion/scripts.ts'
import { arg } from './flag.ts'

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print the completion script of a shell',
  about:
    'It completes commands, flags, targets, addresses, pipelines and snapshot names. Addresses are known once the project ran or was planned.',
  args: { shell: arg.one('bash, zsh or fish', { completes: shells }) },
  flags: {},
  examples: [
    { line: 'source <(pipe completion bash)', says: 'in ~/.bashrc' },
    { line: 'source <(pipe completion zsh)', says: 'in ~/.zshrc, after compinit' },
    { line: 'pipe completion fish > ~/.config/fish/completions/pipe.fish', says: 'once' },
  ],
  json: '{"shell", "script"}',
  async run({ out }, { shell }) {
    const known = shells.find((candidate) => candidate === shell)
    if (known === undefined) {
      throw new Fault({
        code: 'usage',
        what: `there is no completion for "${shell}"${didYouMean(shell, shells)}`,
        todo: `name one of ${shells.join(', ')}`,
      })
    }
    out.printJson({ shell: known, script: completionScripts[known] })
    if (!out.json) out.write(completionScripts[known])
    return 'ok'
  },
})
