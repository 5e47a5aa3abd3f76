import assert from 'node:assert'
import assertStrict from 'node:assert/strict'
import buffer from 'node:buffer'
import crypto from 'node:crypto'
import events from 'node:events'
import { createRequire } from 'node:module'
import path from 'node:path'
import querystring from 'node:querystring'
import stringDecoder from 'node:string_decoder'
import url from 'node:url'
import util from 'node:util'
import zlib from 'node:zlib'
import type { Advice, Tripwires } from './trip.ts'
import { isObject, typeOf, unarmed, wire } from './wire.ts'

/** Of each built-in module, what a pure task may use: it depends on its arguments and on nothing else, in every
 *  version of Node. */
const allowedNames = {
  buffer: ['Buffer', 'Blob', 'atob', 'btoa', 'constants', 'isAscii', 'isUtf8', 'kMaxLength', 'kStringMaxLength'],
  crypto: ['createHash', 'hash', 'createHmac', 'timingSafeEqual'],
  path: ['basename', 'delimiter', 'dirname', 'extname', 'format', 'isAbsolute', 'join', 'normalize', 'parse']
    // These two ask for the current folder only where their arguments leave it open, and trip then.
    .concat(['relative', 'resolve', 'sep', 'toNamespacedPath']),
  querystring: ['decode', 'encode', 'escape', 'parse', 'stringify', 'unescape'],
  string_decoder: ['StringDecoder'],
  url: ['URL', 'URLSearchParams', 'domainToASCII', 'domainToUnicode', 'fileURLToPath', 'format', 'parse'].concat([
    'pathToFileURL',
    'resolve',
    'resolveObject',
    'urlToHttpOptions',
  ]),
  util: ['TextDecoder', 'TextEncoder', 'callbackify', 'deprecate', 'format', 'formatWithOptions', 'inherits'].concat([
    'isDeepStrictEqual',
    'promisify',
    'stripVTControlCharacters',
    'toUSVString',
    'types',
  ]),
  // Inflating has one right answer; deflating has many, and changes with the library.
  zlib: [
    'brotliDecompressSync',
    'constants',
    'crc32',
    'createInflateRaw',
    'gunzipSync',
    'inflateRawSync',
    'inflateSync',
    'unzipSync',
  ].concat(['zstdDecompressSync']),
} as const

const adviceByModule: Readonly<Record<string, Advice>> = {
  child_process: 'process',
  cluster: 'process',
  worker_threads: 'process',
  crypto: 'random',
  fs: 'world',
  'fs/promises': 'world',
  net: 'world',
  tls: 'world',
  http: 'world',
  https: 'world',
  http2: 'world',
  dgram: 'world',
  dns: 'world',
  'dns/promises': 'world',
  module: 'code',
  vm: 'code',
  perf_hooks: 'time',
  timers: 'timer',
  'timers/promises': 'timer',
  zlib: 'build',
}

export interface GuardedBuiltins {
  /** What a bundle's import of a built-in gets. */
  require(id: string): unknown
  /** The objects that bundles are handed, for locking. */
  readonly values: readonly object[]
}

/** Must be made after the globals are wired, so that what it hands out are the wired ones. */
export function guardBuiltins(wires: Tripwires): GuardedBuiltins {
  const nodeRequire = createRequire(import.meta.url)
  const posix = pick(wires, 'path', path.posix, allowedNames.path)
  Object.defineProperty(posix, 'posix', { value: posix, enumerable: true })
  const pureEvents = events as unknown as object
  const known = new Map<string, unknown>([
    ['assert', quietAssert(assert)],
    ['assert/strict', quietAssert(assertStrict)],
    ['buffer', pick(wires, 'buffer', buffer, allowedNames.buffer)],
    ['console', console],
    ['crypto', pick(wires, 'crypto', crypto, allowedNames.crypto)],
    ['events', pureEvents],
    ['path', posix],
    ['path/posix', posix],
    ['process', process],
    ['querystring', pick(wires, 'querystring', querystring, allowedNames.querystring)],
    ['string_decoder', pick(wires, 'string_decoder', stringDecoder, allowedNames.string_decoder)],
    ['url', pick(wires, 'url', url, allowedNames.url)],
    ['util', pick(wires, 'util', util, allowedNames.util, { inspect: plainInspect() })],
    ['util/types', util.types],
    ['zlib', pick(wires, 'zlib', zlib, allowedNames.zlib)],
  ])
  const values = [...known.values()].filter(isObject)

  return {
    values,
    require(id) {
      const name = id.replace(/^node:/, '')
      const found = known.get(name)
      if (found !== undefined) return found
      const load = () => unarmed(wires, () => nodeRequire(`node:${name}`) as unknown)
      const wired = wire(wires, { path: name, advice: adviceByModule[name] ?? 'environment', load, type: 'object' })
      known.set(name, wired)
      return wired
    },
  }
}

/** The allowed part of a module, with wires in the place of the rest. */
function pick(
  wires: Tripwires,
  name: string,
  module: object,
  allowed: readonly string[],
  replaced: Readonly<Record<string, unknown>> = {},
): object {
  const advice = adviceByModule[name] ?? 'environment'
  const whole = wire(wires, { path: name, advice, load: () => module, type: typeOf(module) }) as Record<string, unknown>
  const picked = {}
  for (const key of Object.keys(module)) {
    if (Object.hasOwn(replaced, key) || allowed.includes(key)) {
      const value = replaced[key] ?? (module as Record<string, unknown>)[key]
      Object.defineProperty(picked, key, { value, enumerable: true, configurable: true })
    } else Object.defineProperty(picked, key, { get: () => whole[key], enumerable: true, configurable: true })
  }
  return picked
}

/** A failed `assert.ok` without a message opens the source file to quote it: a file that is not there in a rebuild. */
function quietAssert<A extends typeof assert>(real: A): object {
  const ok = (value: unknown, ...message: [message?: string | Error]) =>
    real.ok(value, ...(message.length === 0 ? ['The expression evaluated to a falsy value'] : message))
  const quiet: unknown = Object.defineProperties(
    (value: unknown, ...message: [message?: string | Error]) => ok(value, ...message),
    Object.getOwnPropertyDescriptors(real),
  )
  Object.defineProperties(quiet as object, { ok: { value: ok }, strict: { value: quiet }, default: { value: quiet } })
  return quiet as object
}

/** Without the settings that hang on it, which are the whole thread's. */
function plainInspect(): object {
  const inspect = (...args: Parameters<typeof util.inspect>) => util.inspect(...args)
  return Object.defineProperty(inspect, 'custom', { value: util.inspect.custom, enumerable: true })
}
