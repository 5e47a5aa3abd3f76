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
