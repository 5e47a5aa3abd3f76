import { Parser } from 'yargs/helpers'
import { Fault } from '../../lib/fault.ts'
import { nearMatch } from '../../lib/nearMatch.ts'
import type { Args, ArgValues, Command, Flags, Values } from './command.ts'
import { type Arg, type Flag, kebab } from './flag.ts'
import { globalFlags } from './globals.ts'

export type Globals = Values<typeof globalFlags>

export interface ParsedLine {
  readonly globals: Globals
  readonly values: Values<Flags> & ArgValues<Args>
}

/** The words of a command's name and the rest: global flags may stand before the name. */
export function splitCommandName(argv: readonly string[], names: readonly string[]): { name?: string; rest: string[] } {
  const takesValue = new Set<string>()
  for (const [key, spec] of Object.entries<Flag<unknown>>(globalFlags)) {
    if (spec.takes === 'nothing') continue
    takesValue.add(`--${kebab(key)}`)
    if (spec.short) takesValue.add(`-${spec.short}`)
  }
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!
    if (word === '--') break
    if (word.startsWith('-')) {
      if (takesValue.has(word)) i++
      continue
    }
    const pair = argv[i + 1] === undefined ? '' : `${word} ${argv[i + 1]}`
    const words = names.includes(pair) ? 2 : 1
    return { name: words === 2 ? pair : word, rest: [...argv.slice(0, i), ...argv.slice(i + words)] }
  }
  return { rest: [...argv] }
}

/** `rest` is everything but the command's name. Without a command only the global flags are known. */
export function parseCommandLine(command: Command | undefined, rest: readonly string[]): ParsedLine {
  const flags: Flags = { ...globalFlags, ...command?.flags }
  const keyOf = new Map<string, string>()
  for (const [key, spec] of Object.entries(flags)) {
    keyOf.set(kebab(key), key)
    if (spec.short) keyOf.set(spec.short, key)
  }
  const { written, words } = tokens(rest, flags, keyOf, command)

  for (const [key, { adds, read }] of Object.entries(flags)) {
    if (adds !== undefined && read(written.get(key) ?? []) === true) {
      written.set(adds.to, [...(written.get(adds.to) ?? []), adds.text])
    }
  }

  const globals: Record<string, unknown> = {}
  const values: Record<string, unknown> = {}
  for (const [key, spec] of Object.entries(flags)) {
    const value = readFlag(`--${kebab(key)}`, spec, written.get(key) ?? [])
    if (Object.hasOwn(globalFlags, key)) globals[key] = value
    else values[key] = value
  }
  // Someone who asks for help has not failed to say a target.
  if (command && !globals['help']) readArgs(command, words, values)
  return { globals: globals as Globals, values }
}

function tokens(
  rest: readonly string[],
  flags: Flags,
  keyOf: ReadonlyMap<string, string>,
  command: Command | undefined,
): { written: Map<string, string[]>; words: string[] } {
  // Every value is kept as text: the flags themselves say what is a number, and in their own words.
  const valued = [...keyOf].filter(([, key]) => flags[key]!.takes !== 'nothing').map(([name]) => name)
  const parsed = Parser(withDashValues(rest, new Set(valued.map(dashed))), {
    string: [...valued, '_'],
    boolean: [...keyOf.keys()].filter((name) => !valued.includes(name)),
    configuration: {
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'greedy-arrays': false,
      'boolean-negation': true,
      'populate--': true,
    },
  }) as Readonly<Record<string, unknown>>

  const written = new Map<string, string[]>()
  for (const [name, value] of Object.entries(parsed)) {
    if (name === '_' || name === '--') continue
    const key = keyOf.get(name)
    if (key === undefined) throw unknownFlag(name, keyOf, command)
    const texts = (Array.isArray(value) ? value : [value]).map(String)
    if (flags[key]!.takes !== 'nothing' && (value === false || texts.includes(''))) {
      throw new Fault({
        code: 'usage',
        what: 'a value is missing',
        where: dashed(name),
        todo: `write ${dashed(name)} <${flags[key]!.hint ?? 'value'}>`,
      })
    }
    written.set(key, [...(written.get(key) ?? []), ...texts])
  }
  const words = [...((parsed['_'] as unknown[]) ?? []), ...((parsed['--'] as unknown[]) ?? [])].map(String)
  return { written, words }
}

/** A dash alone is a value, as in `--out -`; the parser would take it for a flag without a name. */
function withDashValues(rest: readonly string[], valued: ReadonlySet<string>): string[] {
  const words: string[] = []
  for (const word of rest) {
    if (word === '-' && valued.has(words.at(-1) ?? '') && !words.includes('--')) words.push(`${words.pop()}=-`)
    else words.push(word)
  }
  return words
}

function readFlag(name: string, spec: Flag<unknown>, texts: readonly string[]): unknown {
  try {
    return spec.read(texts)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw new Fault({ code: error.code, what: error.what, where: name, todo: error.todo, cause: error })
  }
}

function readArgs(command: Command, words: readonly string[], values: Record<string, unknown>): void {
  let next = 0
  for (const [key, spec] of Object.entries<Arg<unknown>>(command.args)) {
    const taken = spec.takes === 'many' ? words.slice(next) : words.slice(next, next + 1)
    if (spec.takes === 'one' && taken.length === 0) {
      throw new Fault({
        code: 'usage',
        what: `<${kebab(key)}> is missing: ${spec.says.charAt(0).toLowerCase()}${spec.says.slice(1)}`,
        where: `pipe ${command.name}`,
        todo: `see "pipe ${command.name} --help"`,
      })
    }
    values[key] = spec.read(taken)
    next += taken.length
  }
  if (next < words.length) {
    throw new Fault({
      code: 'usage',
      what: `"${words[next]}" is one argument too many`,
      where: `pipe ${command.name}`,
      todo: `see "pipe ${command.name} --help"`,
    })
  }
}

function unknownFlag(name: string, keyOf: ReadonlyMap<string, string>, command: Command | undefined): Fault {
  const near = nearMatch(
    name,
    [...keyOf.keys()].filter((known) => known.length > 1),
  )
  const help = command ? `pipe ${command.name} --help` : 'pipe --help'
  return new Fault({
    code: 'usage',
    what: `there is no flag ${dashed(name)}`,
    where: command ? `pipe ${command.name}` : undefined,
    todo: near === undefined ? `see "${help}"` : `did you mean --${near}? See "${help}"`,
  })
}

const dashed = (name: string): string => (name.length === 1 ? `-${name}` : `--${name}`)
