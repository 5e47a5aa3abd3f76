import { isSecretName, withoutValues } from '../../../lib/secret.ts'

/** What the environment holds under names that say it is secret. Sources and sinks see it, and what they tell (log lines,
 *  facts, errors, why there is nothing) is kept and handed on: it is told without these values. */
export class SecretValues {
  readonly #values: readonly string[]

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#values = Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && isSecretName(name) ? [value] : [],
    )
  }

  hideInText(text: string): string {
    return withoutValues(text, this.#values)
  }

  /** Of a value that is JSON. */
  hideInFact<T>(fact: T): T {
    if (typeof fact === 'string') return this.hideInText(fact) as T
    if (typeof fact !== 'object' || fact === null) return fact
    if (Array.isArray(fact)) return fact.map((inner) => this.hideInFact(inner)) as T
    return Object.fromEntries(Object.entries(fact).map(([name, inner]) => [name, this.hideInFact(inner)])) as T
  }

  /** In the error itself, so that whoever holds it shows nothing else; and in what caused it. */
  hideInError<T>(error: T): T {
    const seen = new Set<unknown>()
    for (let inner: unknown = error; inner instanceof Error && !seen.has(inner); inner = inner.cause) {
      seen.add(inner)
      for (const name of Object.getOwnPropertyNames(inner)) {
        const value: unknown = Reflect.get(inner, name)
        if (typeof value !== 'string') continue
        const hidden = this.hideInText(value)
        if (hidden !== value) Object.defineProperty(inner, name, { value: hidden })
      }
    }
    return error
  }
}
