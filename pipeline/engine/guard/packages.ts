import child_process from 'node:child_process'
import cluster from 'node:cluster'
import crypto from 'node:crypto'
import dgram from 'node:dgram'
import dns from 'node:dns'
import fs from 'node:fs'
import module, { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import perf_hooks from 'node:perf_hooks'
import timers from 'node:timers'
import worker_threads from 'node:worker_threads'
import type { Advice, Tripwires } from './trip.ts'
import { isWire, wire } from './wire.ts'

/** Packages with WASM or native code are loaded by Node itself and meet the real built-in modules. So these are wired
 *  too, where they touch the world: by name, or all their functions. */
const wiredModules: readonly (readonly [string, object, Advice, (readonly string[])?])[] = [
  ['fs', fs, 'world'],
  ['fs.promises', fs.promises, 'world'],
  ['os', os, 'environment'],
  ['child_process', child_process, 'process'],
  ['cluster', cluster, 'process', ['fork', 'setupPrimary', 'disconnect']],
  ['worker_threads', worker_threads, 'process', ['Worker', 'receiveMessageOnPort', 'BroadcastChannel']],
  ['net', net, 'world', ['connect', 'createConnection', 'createServer', 'Server']],
  // Whatever speaks TCP or TLS ends here: http, https, http2, tls, undici, fetch.
  ['net.Socket.prototype', net.Socket.prototype, 'world', ['connect']],
  ['net.Server.prototype', net.Server.prototype, 'world', ['listen']],
  ['dgram', dgram, 'world', ['createSocket', 'Socket']],
  ['dns', dns, 'world'],
  ['dns.promises', dns.promises, 'world'],
  ['perf_hooks', perf_hooks, 'time'],
  // Not setImmediate: Node itself calls this one after an error that nobody caught.
  ['timers', timers, 'timer', ['setTimeout', 'setInterval']],
  ['timers.promises', timers.promises, 'timer'],
  ['module', module, 'code', ['createRequire', 'register', 'registerHooks']],
  [
    'crypto',
    crypto,
    'random',
    ['randomBytes', 'randomUUID', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues', 'pseudoRandomBytes']
      .concat(['generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync', 'generatePrime'])
      .concat(['generatePrimeSync', 'createECDH', 'createDiffieHellman', 'getDiffieHellman', 'sign', 'createSign']),
  ],
  [
    'process',
    process,
    'environment',
    [
      'abort',
      'binding',
      'chdir',
      'cpuUsage',
      'cwd',
      'dlopen',
      'emitWarning',
      'exit',
      'getBuiltinModule',
      'hrtime',
    ].concat([
      'kill',
      'memoryUsage',
      'reallyExit',
      'resourceUsage',
      'threadCpuUsage',
      'umask',
      'uptime',
      '_linkedBinding',
    ]),
  ],
]

/** Call it before the globals are wired: `process` has to be the real one. */
export function wirePackages(wires: Tripwires): void {
  for (const [path, holder, advice, names] of wiredModules) {
    for (const name of names ?? Object.keys(holder)) {
      const found = Object.getOwnPropertyDescriptor(holder, name)
      const value: unknown = found?.value
      if (typeof value !== 'function' || isWire(value) || !found!.configurable) continue
      const stand = wire(wires, { path: `${path}.${name}`, advice, load: () => value, type: 'function' })
      Object.defineProperty(holder, name, { ...found, value: stand })
    }
  }
  // What packages import by name are copies; this brings them up to date.
  syncBuiltinESMExports()
}
