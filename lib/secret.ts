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

const secretNames = /(key|token|secret|signature|sig|password|passwd|pwd|auth|authorization|credential|cookie)$/i

/** Whether a header, a parameter or a variable of this name holds what nobody else may know. */
export const isSecretName = (name: string): boolean => secretNames.test(name)

/** Whether a URL names a user or a password. */
export function hasCredentials(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username !== '' || password !== ''
}

/** Shorter ones stand in texts by chance, and hide nothing. */
const secretLengthMin = 6

/** A text without these values, be they written as they are or as a URL writes them. */
export function withoutValues(text: string, values: readonly string[]): string {
  return values
    .filter(({ length }) => length >= secretLengthMin)
    .flatMap((value) => [value, encodeURIComponent(value)])
    .sort((a, b) => b.length - a.length)
    .reduce((hidden, value) => hidden.replaceAll(value, 'hidden'), text)
}
