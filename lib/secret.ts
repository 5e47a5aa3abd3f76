import { z } from 'zod'

/** The name of an environment variable whose value must never reach a log, an artifact or a manifest. Only the name is
 *  kept; whoever needs the value asks for it where it is used. */
export class Secret {
  readonly envName: string

  constructor(envName: string) {
    this.envName = envName
  }

  toJSON(): { readonly $secret: string } {
    return { $secret: this.envName }
  }

  toString(): string {
    return `[secret ${this.envName}]`
  }
}

/** In a config schema: `key: secret()`; in a config: `key: new Secret('VENUE_API_KEY')`. */
export const secret = (): z.ZodType<Secret> =>
  z.custom<Secret>((value) => typeof (value as Secret | null)?.envName === 'string', 'expected new Secret("ENV_NAME")')

const secretWords =
  /^(api)?(keys?|tokens?|secrets?|signature|sig|pass|passwords?|passwd|passphrase|pwd|auth|authorization|credentials?|cookies?)$/

/** Whether a header, a parameter or a variable of this name holds what nobody else may know: one of its words says so. */
export const isSecretName = (name: string): boolean =>
  name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .some((word) => secretWords.test(word))

/** Whether a URL names a user or a password. */
export function hasCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username !== '' || password !== ''
}

/** The password of a URL, where there is one: a variable that is no secret by its name may hold it. */
export function passwordIn(text: string): string[] {
  if (!text.includes('://') || !URL.canParse(text)) return []
  const { password } = new URL(text)
  if (password === '') return []
  try {
    return [decodeURIComponent(password), password]
  } catch {
    return [password] // a per cent sign that stands for itself
  }
}

/** Shorter ones stand in texts by chance, and so do plain words: nothing would be hidden by hiding those. */
const isGuessable = (value: string): boolean => value.length < 6 || /^([a-z]{1,10}|[0-9]{1,7})$/.test(value)

/** A value as it may be written: as it is, without blanks around it, in a URL, in a form, in JSON. */
function formsOf(value: string): string[] {
  const trimmed = value.trim()
  const inUrl = encodeURIComponent(trimmed)
  const inForm = new URLSearchParams([['', trimmed]]).toString().slice(1)
  const inJson = JSON.stringify(trimmed).slice(1, -1)
  const lowerCase = inUrl.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  return [value, trimmed, inUrl, lowerCase, inForm, inJson]
}

/** What takes these values out of a text, in whatever form they are written there. Longer ones go first: a shorter one may be
 *  the beginning of another. */
export function hider(values: readonly string[]): (text: string) => string {
  const forms = new Set(values.filter((value) => !isGuessable(value.trim())).flatMap(formsOf))
  const longestFirst = [...forms].sort((a, b) => b.length - a.length)
  return (text) =>
    longestFirst.reduce((hidden, form) => (hidden.includes(form) ? hidden.replaceAll(form, 'hidden') : hidden), text)
}
