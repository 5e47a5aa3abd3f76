import { hider, isSecretName } from '../secret.ts'
import { HttpFault } from './httpFault.ts'

/** What a request tells the venue and nobody else. */
function secretsOf(url: string, headers: Readonly<Record<string, string>>): string[] {
  const { username, password, searchParams } = new URL(url)
  return [
    ...Object.entries(headers).flatMap(([name, value]) => (isSecretName(name) ? [value, ...value.split(' ')] : [])),
    ...[...searchParams].flatMap(([name, value]) => (isSecretName(name) ? [value] : [])),
    ...[username, password].filter((text) => text !== ''),
  ]
}

/** The fault without what the request keeps secret: a venue that refuses a key may quote it, or the whole URL. A cause may
 *  quote a part of that, which nobody could recognize, and is left out. */
export function discreet(fault: HttpFault, url: string, headers: Readonly<Record<string, string>> = {}): HttpFault {
  const secrets = secretsOf(url, headers)
  if (secrets.length === 0) return fault
  const hide = hider(secrets)
  const { trouble, what, todo, status, waitMs, venueCode, permanent, everyTry } = fault
  return new HttpFault({
    trouble,
    url,
    what: hide(what),
    permanent,
    everyTry,
    ...(todo === undefined ? {} : { todo: hide(todo) }),
    ...(status === undefined ? {} : { status }),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(venueCode === undefined ? {} : { venueCode }),
  })
}
