import type { Command } from '../command.ts'
import { type Completes, type Flag, kebab } from '../flag.ts'
import { globalFlags } from '../globals.ts'
import { splitCommandName } from '../parse.ts'

/** What may be named, as far as it is known without opening a store or loading a project. */
export interface KnownNames {
  readonly pipelines: readonly string[]
  readonly targets: readonly string[]
  readonly addresses: readonly string[]
  /** Of all pipelines' configs. */
  readonly settings: readonly KnownSetting[]
  readonly snapshots: readonly string[]
  readonly runs: readonly string[]
}

export interface KnownSetting {
  readonly path: string
  readonly takes: string
}

export interface Candidate {
  readonly text: string
  readonly says: string
  /** More is to come: no space behind it. */
  readonly open?: boolean
}

/** Above this many addresses only their families are offered: nobody reads a longer list. */
const mostAddresses = 100

/** What the word under the cursor may become. `words` are those before it; an empty answer leaves it to the shell's own
 *  completion of file names. */
export async function candidatesFor(
  words: readonly string[],
  current: string,
  commandNames: readonly string[],
  load: (name: string) => Promise<Command>,
  known: () => KnownNames,
): Promise<Candidate[]> {
  const { name, rest } = splitCommandName(words, commandNames)
  const command = name !== undefined && commandNames.includes(name) ? await load(name) : undefined
  const flags: Readonly<Record<string, Flag<unknown>>> = { ...globalFlags, ...command?.flags }

  const valued = flagNamed(flags, words.at(-1))
  if (valued && valued.takes !== 'nothing')
    return startingWith(current, namesOf(valued.completes, known, commandNames, current))
  if (current.startsWith('-')) {
    const equals = current.indexOf('=')
    if (equals === -1) return startingWith(current, flagCandidates(flags))
    const spec = flagNamed(flags, current.slice(0, equals))
    const value = current.slice(equals + 1)
    const values = startingWith(value, namesOf(spec?.completes, known, commandNames, value))
    return values.map((candidate) => ({ ...candidate, text: `${current.slice(0, equals + 1)}${candidate.text}` }))
  }
  if (!command) return startingWith(current, await commandCandidates(name, commandNames, load))

  const position = positionalsIn(rest, flags)
  const args = Object.values(command.args)
  const spec = args[Math.min(position, args.length - 1)]
  if (!spec || (position >= args.length && spec.takes !== 'many')) return []
  return startingWith(current, namesOf(spec.completes, known, commandNames, current))
}

function flagCandidates(flags: Readonly<Record<string, Flag<unknown>>>): Candidate[] {
  return Object.entries(flags).map(([key, spec]) => ({ text: `--${kebab(key)}`, says: spec.says }))
}

/** First words where none is written, second words behind the first of a pair. */
async function commandCandidates(
  name: string | undefined,
  commandNames: readonly string[],
  load: (name: string) => Promise<Command>,
): Promise<Candidate[]> {
  const prefix = name === undefined ? '' : `${name} `
  const found = new Map<string, string>()
  for (const full of commandNames) {
    if (full.startsWith('__') || !full.startsWith(prefix)) continue
    const [word, ...more] = full.slice(prefix.length).split(' ')
    if (!found.has(word!)) found.set(word!, more.length === 0 ? (await load(full)).summary : `${word} …`)
  }
  return [...found].map(([text, says]) => ({ text, says }))
}

function namesOf(
  completes: Completes | undefined,
  known: () => KnownNames,
  commandNames: readonly string[],
  current: string,
): Candidate[] {
  const plain = (texts: readonly string[], says: string): Candidate[] => texts.map((text) => ({ text, says }))
  if (completes === undefined || completes === 'file') return []
  if (typeof completes !== 'string') return plain(completes, '')
  switch (completes) {
    case 'command':
      return plain(
        commandNames.filter((name) => !name.startsWith('__')),
        'command',
      )
    case 'pipeline':
      return plain(known().pipelines, 'pipeline')
    case 'snapshot':
      return plain(known().snapshots, 'snapshot')
    case 'setting':
      return settings(known().settings, current)
    case 'run':
      return plain(['last', ...known().runs], 'run')
    case 'target':
      return [...plain(known().targets, 'target'), ...addresses(known().addresses, current)]
    case 'address':
      return addresses(known().addresses, current)
    default:
      return completes satisfies never
  }
}

/** Members of a list's elements are offered once its name and a dot are written: until then the list stands for them. */
function settings(all: readonly KnownSetting[], current: string): Candidate[] {
  return all.flatMap(({ path, takes }): Candidate[] => {
    const list = /^(.*?)\.[0-9]+(\.|$)/.exec(path)?.[1]
    if (list === undefined || current.startsWith(`${list}.`)) return [{ text: `${path}=`, says: takes, open: true }]
    return [{ text: `${list}.`, says: 'its elements, from 0', open: true }]
  })
}

function addresses(all: readonly string[], current: string): Candidate[] {
  const matching = all.filter((address) => address.startsWith(current))
  if (matching.length <= mostAddresses) return matching.map((text) => ({ text, says: 'node' }))
  // Up to the next bracket or comma behind what is written.
  const families = new Map<string, number>()
  for (const address of matching) {
    const end = address.slice(current.length).search(/[[,]/)
    const family = end === -1 ? address : address.slice(0, current.length + end + 1)
    families.set(family, (families.get(family) ?? 0) + 1)
  }
  return [...families].map(([text, count]) =>
    count === 1 ? { text, says: 'node' } : { text, says: `${count} nodes`, open: true },
  )
}

function flagNamed(
  flags: Readonly<Record<string, Flag<unknown>>>,
  word: string | undefined,
): Flag<unknown> | undefined {
  if (word === undefined || !word.startsWith('-') || word.includes('=')) return undefined
  for (const [key, spec] of Object.entries(flags)) {
    if (word === `--${kebab(key)}` || (spec.short !== undefined && word === `-${spec.short}`)) return spec
  }
  return undefined
}

function positionalsIn(rest: readonly string[], flags: Readonly<Record<string, Flag<unknown>>>): number {
  let count = 0
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i]!
    if (!word.startsWith('-')) count++
    else if ((flagNamed(flags, word)?.takes ?? 'nothing') !== 'nothing') i++
  }
  return count
}

function startingWith(current: string, candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>()
  return candidates.filter(({ text }) => text.startsWith(current) && !seen.has(text) && seen.add(text))
}
