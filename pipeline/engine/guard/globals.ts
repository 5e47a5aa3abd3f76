import { format } from 'node:util'
import type { Advice, Tripwires } from './trip.ts'
import { typeOf, wire } from './wire.ts'

/** Global names that are wired as a whole, with all that is reached through them. A name this Node lacks is wired too
 *  where a newer one has it, so that a task meets the same surroundings everywhere. */
const wiredNames: Readonly<Record<string, Advice>> = {
  performance: 'time',
  PerformanceObserver: 'time',
  setTimeout: 'timer',
  setInterval: 'timer',
  setImmediate: 'timer',
  MessageChannel: 'timer',
  BroadcastChannel: 'process',
  crypto: 'random',
  Crypto: 'random',
  SubtleCrypto: 'random',
  fetch: 'world',
  Request: 'world',
  Response: 'world',
  FormData: 'world',
  Headers: 'world',
  CloseEvent: 'world',
  MessageEvent: 'world',
  WebSocket: 'world',
  EventSource: 'world',
  // Its default for `lastModified` is the present time.
  File: 'time',
  // How they cut and compress their chunks depends on threads and on the zlib inside Node.
  CompressionStream: 'build',
  DecompressionStream: 'build',
  WeakRef: 'memory',
  FinalizationRegistry: 'memory',
  // Memory that two threads write to is a clock.
  SharedArrayBuffer: 'process',
  Intl: 'locale',
  // A variable declared by an indirect eval can never be taken away again. `new Function` declares none, and is free.
  eval: 'shared',
}

/** Facts about the machine that only some versions of Node have: absent everywhere, as packages expect. */
const absentNames = ['navigator', 'Navigator', 'localStorage', 'sessionStorage', 'Storage', 'gc']

/** Methods that ask ICU, whose data differ between versions and builds of Node. */
const localeMethods: readonly (readonly [object, string, readonly string[]])[] = [
  [Number.prototype, 'Number.prototype', ['toLocaleString']],
  [BigInt.prototype, 'BigInt.prototype', ['toLocaleString']],
  [Array.prototype, 'Array.prototype', ['toLocaleString']],
  [Object.getPrototypeOf(Uint8Array.prototype) as object, 'TypedArray.prototype', ['toLocaleString']],
  [String.prototype, 'String.prototype', ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase']],
  // The last two end in the name of the time zone, in the language of the machine.
  [
    Date.prototype,
    'Date.prototype',
    ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString', 'toString', 'toTimeString'],
  ],
]

/** Puts wires in place of every global that knows more than a task's params and inputs. Once per thread, for good: off,
 *  they pass everything on. */
export function wireGlobals(wires: Tripwires, log: (message: string) => void): void {
  for (const [name, advice] of Object.entries(wiredNames)) wireProperty(wires, globalThis, name, name, advice)
  for (const name of absentNames) Reflect.deleteProperty(globalThis, name)
  for (const [holder, path, names] of localeMethods) {
    for (const name of names) wireMethod(wires, holder, name, `${path}.${name}`, 'locale')
  }
  wireMethod(wires, Math, 'random', 'Math.random', 'random')
  for (const name of ['wait', 'waitAsync', 'notify']) wireMethod(wires, Atomics, name, `Atomics.${name}`, 'process')
  wireMethod(wires, AbortSignal, 'timeout', 'AbortSignal.timeout', 'timer')
  const temporal = (globalThis as { Temporal?: object }).Temporal
  if (temporal !== undefined) wireProperty(wires, temporal, 'Now', 'Temporal.Now', 'time')
  wireDate(wires)
  wireEventTime(wires)
  wireProcess(wires)
  captureConsole(wires, log)
  tameMemory()
}

function wireProperty(wires: Tripwires, holder: object, name: string, path: string, advice: Advice): void {
  const found = Object.getOwnPropertyDescriptor(holder, name)
  // Many globals are loaded by their first reader; a wire leaves that to the first unarmed one.
  let loaded: { readonly value: unknown } | undefined
  const load = () => (loaded ??= { value: found?.get === undefined ? found?.value : found.get.call(holder) }).value
  const lowerCase = /^[a-z]/.test(name)
  const type =
    found !== undefined && 'value' in found ? typeOf(found.value as object) : lowerCase ? 'object' : 'function'
  const stand = wire(wires, { path, advice, load: found === undefined ? () => absentClass : load, type })
  Object.defineProperty(holder, name, { value: stand, writable: true, enumerable: false, configurable: true })
  // What it makes, or made, must not lead back to what stands behind the wire.
  if (found !== undefined && 'value' in found) redirectConstructors(found.value as object, stand)
}

/** What stands behind a name that this Node does not have. */
const absentClass = class Absent {}

function redirectConstructors(real: object, stand: object): void {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(real))) {
    if (typeof value !== 'function' && name !== 'prototype') continue
    const prototype = (name === 'prototype' ? value : (value as { prototype?: object }).prototype) as object | undefined
    if (prototype === undefined || !Object.getOwnPropertyDescriptor(prototype, 'constructor')?.configurable) continue
    const maker = name === 'prototype' ? stand : (stand as Record<string, unknown>)[name]
    Object.defineProperty(prototype, 'constructor', { value: maker, writable: true, configurable: true })
  }
}

function wireMethod(wires: Tripwires, holder: object, name: string, path: string, advice: Advice): void {
  const found = Object.getOwnPropertyDescriptor(holder, name)
  if (found === undefined) return
  const real = found.value as (...args: unknown[]) => unknown
  const value = {
    [name](this: unknown, ...args: unknown[]) {
      if (wires.armed) wires.trip(`${path}()`, advice)
      return Reflect.apply(real, this, args)
    },
  }[name]
  Object.defineProperty(holder, name, { ...found, value })
}

/** A plain function and not a proxy: `new Date(tsMs)` is called in loops. */
function wireDate(wires: Tripwires): void {
  const RealDate = Date
  const realNow = Date.now
  function WiredDate(...args: unknown[]): unknown {
    if (new.target === undefined) {
      if (wires.armed) wires.trip('Date()', 'time')
      return RealDate()
    }
    if (args.length === 0 && wires.armed) wires.trip('new Date()', 'time')
    if ((new.target as unknown) === WiredDate) return new RealDate(...(args as [number]))
    return Reflect.construct(RealDate, args, new.target)
  }
  Object.defineProperties(WiredDate, {
    name: { value: 'Date' },
    length: { value: 7 },
    prototype: { value: RealDate.prototype, writable: false },
    UTC: { value: RealDate.UTC, writable: true, configurable: true },
    parse: { value: RealDate.parse, writable: true, configurable: true },
    now: {
      value: function now() {
        if (wires.armed) wires.trip('Date.now()', 'time')
        return realNow()
      },
      writable: true,
      configurable: true,
    },
  })
  Object.defineProperty(RealDate.prototype, 'constructor', { value: WiredDate, writable: true, configurable: true })
  Object.defineProperty(globalThis, 'Date', { value: WiredDate, writable: true, configurable: true })
}

/** Every event carries the moment it was made. */
function wireEventTime(wires: Tripwires): void {
  const found = Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp')!
  Object.defineProperty(Event.prototype, 'timeStamp', {
    ...found,
    get(this: Event) {
      if (wires.armed) wires.trip('event.timeStamp', 'time')
      return found.get!.call(this) as number
    },
  })
}

function wireProcess(wires: Tripwires): void {
  const real = process
  const env = new Proxy({} as Record<string, string | undefined>, {
    get(_, key) {
      // Half of npm asks this one question at load, and its answer must not differ from machine to machine.
      if (key === 'NODE_ENV') return 'production'
      if (wires.armed && typeof key === 'string') wires.trip(`process.env.${key}`, 'environment')
      return Reflect.get(real.env, key)
    },
    has(_, key) {
      if (wires.armed) wires.trip(`process.env.${String(key)}`, 'environment')
      return Reflect.has(real.env, key)
    },
    ownKeys() {
      if (wires.armed) wires.trip('Object.keys(process.env)', 'environment')
      return Reflect.ownKeys(real.env)
    },
    getOwnPropertyDescriptor(_, key) {
      if (wires.armed) wires.trip(`process.env.${String(key)}`, 'environment')
      return Reflect.getOwnPropertyDescriptor(real.env, key)
    },
    set(_, key, value) {
      if (wires.armed) wires.trip(`process.env.${String(key)} =`, 'shared')
      return Reflect.set(real.env, key, value)
    },
    deleteProperty(_, key) {
      if (wires.armed) wires.trip(`delete process.env.${String(key)}`, 'shared')
      return Reflect.deleteProperty(real.env, key)
    },
    defineProperty(_, key, descriptor) {
      if (wires.armed) wires.trip(`process.env.${String(key)} =`, 'shared')
      return Reflect.defineProperty(real.env, key, descriptor)
    },
  })
  const nextTick = (task: (...args: unknown[]) => void, ...args: unknown[]) => real.nextTick(task, ...args)
  const allowed = { env, nextTick: Object.freeze(nextTick) }
  const value = wire(wires, { path: 'process', advice: 'environment', load: () => real, type: 'object', allowed })
  Object.defineProperty(globalThis, 'process', { value, writable: true, enumerable: false, configurable: true })
}

/** What a task prints goes to its node's log. Its timers and counters are wired or left out. */
function captureConsole(wires: Tripwires, log: (message: string) => void): void {
  const real = console as unknown as Record<string, (...args: unknown[]) => void>
  const captured: Record<string, unknown> = {}
  for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace', 'dir', 'table', 'group', 'assert']) {
    captured[name] = (...args: unknown[]) => {
      if (!wires.armed) return real[name]!(...args)
      if (name !== 'assert') log(format(...args))
      else if (!args[0]) log(format('Assertion failed', ...args.slice(1)))
    }
  }
  for (const name of ['groupEnd', 'clear', 'count', 'countReset', 'dirxml', 'groupCollapsed']) captured[name] = () => {}
  for (const name of ['time', 'timeEnd', 'timeLog', 'timeStamp', 'profile', 'profileEnd']) {
    captured[name] = wire(wires, { path: `console.${name}`, advice: 'time', load: () => real[name], type: 'function' })
  }
  Object.defineProperty(globalThis, 'console', {
    value: captured,
    writable: true,
    enumerable: false,
    configurable: true,
  })
}

/** Fresh memory must not show what other nodes left in it. */
function tameMemory(): void {
  for (const name of ['allocUnsafe', 'allocUnsafeSlow'] as const) {
    Object.defineProperty(Buffer, name, {
      value: (size: number) => Buffer.alloc(size),
      writable: true,
      configurable: true,
    })
  }
  // Small buffers otherwise share one block, which `.buffer` shows whole.
  Buffer.poolSize = 0
}
