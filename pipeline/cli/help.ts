import type { Command, Flags } from './command.ts'
import { type Arg, type Flag, kebab } from './flag.ts'
import { globalFlags } from './globals.ts'
import type { Style } from './style.ts'
import { padEnd, textWidth, wrapText } from './textWidth.ts'

/** Groups of the overview, in its order. A command that no group names is listed under the last. */
const groups: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Run', ['init', 'run', 'plan', 'sync']],
  ['Ask', ['status', 'why', 'graph', 'ls', 'show', 'cat', 'query', 'schema', 'runs', 'diff', 'doctor']],
  ['Research', ['replay', 'check-lookahead', 'sim describe', 'sim serve']],
  ['Keep', ['snapshot ls', 'snapshot show', 'snapshot rm', 'snapshot export', 'snapshot import', 'snapshot checkout']],
  ['Care', ['verify', 'gc', 'why-alive', 'resolve', 'completion']],
]

/** As wide as a terminal is at least. */
const lineCells = 80
const leftCellsMax = 38

export function renderOverview(commands: readonly Command[], version: string, style: Style): string {
  const left = new Map(commands.filter((command) => !command.hidden).map((command) => [command.name, command]))
  const width = Math.max(...[...left.keys()].map((name) => name.length))
  const lines = [
    `${style.bold('pipe')} ${version}: typed tasks to artifacts that anyone can trace, re-derive and audit`,
    '',
    'usage: pipe <command> [arguments] [flags]',
  ]
  groups.forEach(([title, names], i) => {
    const here = names.filter((name) => left.has(name))
    const extra =
      i === groups.length - 1 ? [...left.keys()].filter((name) => !groups.some(([, all]) => all.includes(name))) : []
    lines.push('', style.bold(title))
    lines.push(...twoColumns([...here, ...extra].map((name) => [padEnd(name, width), left.get(name)!.summary])))
  })
  lines.push('', style.bold('Flags of every command'), ...flagLines(globalFlags))
  lines.push('', '"pipe <command> --help" has the flags, examples and JSON shape of one.')
  return lines.join('\n')
}

/** The commands that share a first word. */
export function renderGroup(name: string, commands: readonly Command[], style: Style): string {
  return [
    `usage: pipe ${name} <command> [arguments] [flags]`,
    '',
    ...twoColumns(commands.map((command) => [command.name, command.summary])),
    '',
    style.bold('Flags of every command'),
    ...flagLines(globalFlags),
    '',
    `"pipe ${name} <command> --help" has the flags, examples and JSON shape of one.`,
  ].join('\n')
}

export function renderHelp(command: Command, style: Style): string {
  const args = Object.entries<Arg<unknown>>(command.args)
  const usage = ['pipe', command.name, ...args.map(([key, spec]) => argUsage(key, spec)), '[flags]'].join(' ')
  const lines = [`${style.bold(`pipe ${command.name}`)}: ${command.summary}`, '', `usage: ${usage}`]
  if (command.about) lines.push('', ...wrapText(command.about, lineCells))
  if (args.length > 0) {
    lines.push('', style.bold('Arguments'), ...twoColumns(args.map(([key, spec]) => [argUsage(key, spec), spec.says])))
  }
  if (Object.keys(command.flags).length > 0) lines.push('', style.bold('Flags'), ...flagLines(command.flags))
  lines.push('', style.bold('Flags of every command'), ...flagLines(globalFlags))
  lines.push('', style.bold('Examples'))
  lines.push(...twoColumns(command.examples.map(({ line, says }) => [line, says])))
  lines.push('', style.bold('With --json'), ...wrapText(command.json, lineCells - 2).map((line) => `  ${line}`))
  return lines.join('\n')
}

function argUsage(key: string, spec: Arg<unknown>): string {
  const name = `<${kebab(key)}>`
  if (spec.takes === 'one') return name
  return spec.takes === 'maybe' ? `[${name}]` : `[${name}…]`
}

function flagLines(flags: Flags): string[] {
  return twoColumns(
    Object.entries<Flag<unknown>>(flags).map(([key, spec]) => {
      const short = spec.short ? `-${spec.short}, ` : ''
      const value = spec.takes === 'nothing' ? '' : ` <${spec.hint ?? 'value'}>`
      const notes = [
        ...(spec.takes === 'many' ? ['may be repeated'] : []),
        ...(spec.defaultText === undefined ? [] : [`default: ${spec.defaultText}`]),
      ]
      return [`${short}--${kebab(key)}${value}`, notes.length === 0 ? spec.says : `${spec.says} (${notes.join('; ')})`]
    }),
  )
}

/** What is on the right stays there when it takes several lines. A very long left side has its line to itself, and does not
 *  push the others away. */
function twoColumns(rows: readonly (readonly [string, string])[]): string[] {
  const lengths = rows.map(([left]) => textWidth(left)).filter((length) => length <= leftCellsMax)
  const width = Math.max(12, ...lengths)
  const indent = ' '.repeat(width + 4)
  return rows.flatMap(([left, right]) => {
    const [first, ...rest] = wrapText(right, lineCells - indent.length)
    const begin = textWidth(left) > width ? [`  ${left}`, indent + first] : [`  ${padEnd(left, width)}  ${first}`]
    return [...begin, ...rest.map((line) => indent + line)]
  })
}
