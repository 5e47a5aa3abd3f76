import { hider, isSecretName, passwordIn } from '../../../lib/secret.ts'

/** What the environment holds under names that say it is secret, and passwords in its URLs. Sources and sinks see it, and what
 *  they tell (log lines, facts, errors, why there is nothing) is kept and handed on: it is told without these values. */
export class SecretValues {
  readonly hideInText: (text: string) => string

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.hideInText = hider(
      Object.entries(env).flatMap(([name, value = '']) => (isSecretName(name) ? [value] : passwordIn(value))),
    )
  }

  /** Of a value that is JSON; what is none stays as it is. */
  hideInFact<T>(fact: T): T {
    if (typeof fact === 'string') return this.hideInText(fact) as T
    if (Array.isArray(fact)) return fact.map((inner) => this.hideInFact(inner)) as T
    if (!isPlainObject(fact)) return fact
    const entries = Object.entries(fact).map(([name, inner]) => [this.hideInText(name), this.hideInFact(inner)])
    return Object.fromEntries(entries) as T
  }

  /** In the error itself, so that whoever holds it shows nothing else; and in what caused it. One that cannot be changed is
   *  replaced by what may be told of it. */
  hideInError(error: unknown): unknown {
    const seen = new Set<unknown>()
    for (let inner: unknown = error; inner instanceof Error && !seen.has(inner); inner = inner.cause) {
      seen.add(inner)
      for (const name of Object.getOwnPropertyNames(inner)) {
        const property = Object.getOwnPropertyDescriptor(inner, name)
        const value: unknown = property?.get === undefined || name === 'stack' ? Reflect.get(inner, name) : undefined
        if (typeof value !== 'string') continue
        const hidden = this.hideInText(value)
        if (hidden === value || Reflect.defineProperty(inner, name, { value: hidden })) continue
        return new Error(this.hideInText(inner.message))
      }
    }
    return typeof error === 'string' ? this.hideInText(error) : error
  }
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
