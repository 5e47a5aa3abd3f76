import { Fault } from '../../lib/fault.ts'
import { countText, durationText, parseDuration, parseShare, parseSize, sizeText } from './human.ts'

/** What the shell may offer for a value. */
export type Completes =
  | 'address'
  | 'target'
  | 'setting'
  | 'snapshot'
  | 'run'
  | 'pipeline'
  | 'command'
  | 'file'
  | readonly string[]

interface Value<T> {
  /** One line for help. */
  readonly says: string
  /** How the value is called in help: `<n>`. */
  readonly hint?: string
  readonly completes?: Completes
  /** Present only to carry the type. */
  readonly valueType?: T
}

/** A flag as data. The name is its key in the command, in camelCase; on the command line it is kebab-case. */
export interface Flag<T> extends Value<T> {
  readonly takes: 'nothing' | 'one' | 'many'
  readonly short?: string
  /** From what was written, in order; empty when it was not. */
  read(texts: readonly string[]): T
  /** The default as help prints it. */
  readonly defaultText?: string
  /** Written, it adds a value to another flag. */
  readonly adds?: { readonly to: string; readonly text: string }
}

/** A positional argument as data. */
export interface Arg<T> extends Value<T> {
  readonly takes: 'one' | 'maybe' | 'many'
  read(texts: readonly string[]): T
}

interface Extra {
  readonly short?: string
  readonly hint?: string
  readonly completes?: Completes
}

function single<T>(says: string, hint: string, parse: (text: string) => T, extra: Extra): Flag<T | undefined>
function single<T>(
  says: string,
  hint: string,
  parse: (text: string) => T,
  extra: Extra,
  fallback: T,
  defaultText: string,
): Flag<T>
function single<T>(
  says: string,
  hint: string,
  parse: (text: string) => T,
  extra: Extra,
  fallback?: T,
  defaultText?: string,
): Flag<T | undefined> {
  return {
    says,
    hint,
    takes: 'one',
    ...extra,
    ...(defaultText === undefined ? {} : { defaultText }),
    read: (texts) => (texts.length === 0 ? fallback : parse(texts[texts.length - 1]!)),
  }
}

/** Makers of flags. A default in `options` takes `undefined` out of the value's type. */
export const flag = {
  boolean: (says: string, options: { readonly short?: string } = {}): Flag<boolean> => ({
    says,
    takes: 'nothing',
    ...options,
    read: (texts) => texts.length > 0 && texts[texts.length - 1] === 'true',
  }),

  /** A short way to write a value of another flag. */
  adding: (to: string, text: string, says: string): Flag<boolean> => ({
    ...flag.boolean(`${says}; the same as --${kebab(to)} ${text}`),
    adds: { to, text },
  }),

  /** Three states: said, said not, not said. */
  choice3: (says: string): Flag<boolean | undefined> => ({
    says,
    takes: 'nothing',
    read: (texts) => (texts.length === 0 ? undefined : texts[texts.length - 1] === 'true'),
  }),

  text: (says: string, options: Extra = {}): Flag<string | undefined> =>
    single(says, options.hint ?? 'text', (text) => text, options),

  texts: (says: string, options: Extra = {}): Flag<readonly string[]> => ({
    says,
    hint: 'text',
    ...options,
    takes: 'many',
    read: (texts) => texts,
  }),

  integer(says: string, options: Extra & { readonly min?: number; readonly max?: number }): Flag<number | undefined> {
    return single(says, options.hint ?? 'n', (text) => parseInteger(text, options), { short: options.short })
  },

  integerOr(
    says: string,
    fallback: number,
    options: Extra & { readonly min?: number; readonly max?: number } = {},
  ): Flag<number> {
    const parse = (text: string) => parseInteger(text, options)
    return single(says, options.hint ?? 'n', parse, { short: options.short }, fallback, countText(fallback))
  },

  durationMs: (says: string): Flag<number | undefined> => single(says, 'duration', parseDuration, {}),

  durationMsOr: (says: string, fallbackMs: number): Flag<number> =>
    single(says, 'duration', parseDuration, {}, fallbackMs, durationText(fallbackMs)),

  sizeBytes: (says: string): Flag<number | undefined> => single(says, 'size', parseSize, {}),

  sizeBytesOr: (says: string, fallbackBytes: number): Flag<number> =>
    single(says, 'size', parseSize, {}, fallbackBytes, sizeText(fallbackBytes)),

  share: (says: string): Flag<number | undefined> => single(says, 'share', parseShare, {}),

  oneOf<const T extends string>(says: string, choices: readonly T[], fallback: T): Flag<T> {
    const parse = (text: string): T => {
      const found = choices.find((choice) => choice === text)
      if (found === undefined) throw notOneOf(text, choices)
      return found
    }
    return single(says, choices.join('|'), parse, { completes: choices }, fallback, fallback)
  },

  /** Several of a closed set, with commas or by repeating the flag. */
  someOf<const T extends string>(says: string, choices: readonly T[], fallback: readonly T[]): Flag<readonly T[]> {
    return {
      says,
      hint: choices.join('|'),
      takes: 'many',
      completes: choices,
      defaultText: fallback.join(','),
      read: (texts) => {
        if (texts.length === 0) return fallback
        const asked = texts.flatMap((text) => text.split(','))
        for (const text of asked) if (!choices.includes(text as T)) throw notOneOf(text, choices)
        return choices.filter((choice) => asked.includes(choice))
      },
    }
  },
}

/** Makers of positional arguments. */
export const arg = {
  one: (says: string, options: Pick<Extra, 'completes'> = {}): Arg<string> => ({
    says,
    takes: 'one',
    ...options,
    read: (texts) => texts[0]!,
  }),
  maybe: (says: string, options: Pick<Extra, 'completes'> = {}): Arg<string | undefined> => ({
    says,
    takes: 'maybe',
    ...options,
    read: (texts) => texts[0],
  }),
  many: (says: string, options: Pick<Extra, 'completes'> = {}): Arg<readonly string[]> => ({
    says,
    takes: 'many',
    ...options,
    read: (texts) => texts,
  }),
}

function parseInteger(text: string, range: { readonly min?: number; readonly max?: number }): number {
  const value = Number(text)
  if (!/^[+-]?\d+$/.test(text.trim()) || !Number.isSafeInteger(value)) {
    throw new Fault({ code: 'usage', what: `"${text}" is not a whole number` })
  }
  if (range.min !== undefined && value < range.min) {
    throw new Fault({ code: 'usage', what: `${value} is less than ${range.min}, the least there is` })
  }
  if (range.max !== undefined && value > range.max) {
    throw new Fault({ code: 'usage', what: `${value} is more than ${range.max}, the most there is` })
  }
  return value
}

function notOneOf(text: string, choices: readonly string[]): Fault {
  return new Fault({ code: 'usage', what: `"${text}" is not one of ${choices.join(', ')}` })
}

/** `keepGoing` is written `--keep-going`. */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
