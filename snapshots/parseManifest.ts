import { canonicalJson, parseCanonicalJson } from '../cas/canonicalJson.ts'
import { type Digest, isDigest } from '../cas/digest.ts'
import { Fault } from '../lib/fault.ts'
import { isAddress } from './address.ts'
import type { Manifest, ManifestNode } from './manifest.ts'

/** More than any run of ours comes near, and little enough that a hostile file cannot exhaust memory. */
export const manifestLimits = {
  sizeBytes: 256 * 1024 * 1024,
  nodes: 1_000_000,
  targets: 10_000,
  portsPerNode: 1_000,
  nesting: 64,
} as const

const newestFormat = 1
const lastInstantMs = 8.64e15 // the last instant a Date can hold
const plainName = /^[\p{L}_$][\p{L}\p{N}_$.:/@+-]{0,199}$/u

/** Bytes from anywhere to a manifest, or a Fault. A manifest that passes has exactly one byte form (the one that was
 *  parsed), so its id is the hash of what was read. Whether its objects are there is for `verify` to say. */
export function parseManifest(input: Uint8Array | string, where = 'manifest.json'): Manifest {
  const wrong = (what: string): Fault =>
    new Fault({
      code: 'corrupt',
      what: `this is not a valid manifest: ${what}`,
      where,
      todo: 'fetch or import the snapshot again from where it came',
    })
  const sizeBytes = typeof input === 'string' ? input.length : input.byteLength
  if (sizeBytes > manifestLimits.sizeBytes) {
    throw wrong(`${sizeBytes} bytes are more than the ${manifestLimits.sizeBytes} a manifest may have`)
  }
  const text = decodeUtf8(input, wrong)
  // Checked before anything recursive sees the value: deep nesting would end in a stack overflow, not in a message.
  if (nestingOf(text) > manifestLimits.nesting) throw wrong(`it nests deeper than ${manifestLimits.nesting} levels`)
  let value: unknown
  try {
    value = parseCanonicalJson(text)
  } catch (cause) {
    throw wrong(`it is not JSON (${(cause as Error).message})`)
  }
  const top = record(value, 'the manifest', wrong)
  if (typeof top['format'] === 'number' && Number.isInteger(top['format']) && top['format'] > newestFormat) {
    throw new Fault({
      code: 'refused',
      what: `this manifest has format ${top['format']}; this tickpipe knows formats up to ${newestFormat}`,
      where,
      todo: 'install a newer tickpipe: "npm install tickpipe@latest"',
    })
  }
  checkManifest(top, wrong)
  // One value, one byte string: a second spelling of the same manifest would be a second id for the same run. This also
  // catches duplicate keys, odd escapes, exponents and -0, which JSON.parse lets through.
  if (canonicalForm(top, wrong) !== text) throw wrong('its bytes are not canonical JSON')
  return top as unknown as Manifest
}

type Wrong = (what: string) => Fault

function decodeUtf8(input: Uint8Array | string, wrong: Wrong): string {
  if (typeof input === 'string') return input
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input)
  } catch {
    throw wrong('it is not UTF-8')
  }
}

function canonicalForm(value: unknown, wrong: Wrong): string {
  try {
    return canonicalJson(value)
  } catch (cause) {
    throw wrong(`it holds what canonical JSON cannot (${(cause as Error).message})`)
  }
}

/** Deepest nesting of brackets outside strings; exact for valid JSON, and an upper bound is enough for anything else. */
export function nestingOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (inString) {
      if (unit === 0x5c) i++
      else if (unit === 0x22) inString = false
    } else if (unit === 0x22) inString = true
    else if (unit === 0x7b || unit === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (unit === 0x7d || unit === 0x5d) depth--
  }
  return deepest
}

function checkManifest(top: Readonly<Record<string, unknown>>, wrong: Wrong): void {
  onlyKeys(top, ['asOfMs', 'config', 'format', 'nodes', 'pipeline', 'targets'], [], 'the manifest', wrong)
  if (top['format'] !== newestFormat) throw wrong(`its format is ${JSON.stringify(top['format'])}`)
  checkName(top['pipeline'], 'the pipeline', wrong)
  checkInstant(top['asOfMs'], 'asOfMs', wrong)

  const nodes = list(top['nodes'], manifestLimits.nodes, 'nodes', wrong)
  let before: string | undefined
  for (const entry of nodes) {
    const node = record(entry, 'a node', wrong)
    const { address } = node
    if (!isAddress(address)) throw wrong(`${JSON.stringify(address)?.slice(0, 200)} is not an address`)
    if (before !== undefined && !(before < address)) {
      throw wrong(before === address ? `${address} is there twice` : `its nodes are not sorted: ${before}, ${address}`)
    }
    before = address
    checkNode(node, address, wrong)
  }

  const addresses = new Set((nodes as readonly ManifestNode[]).map((node) => node.address))
  let targetBefore: string | undefined
  for (const entry of list(top['targets'], manifestLimits.targets, 'targets', wrong)) {
    const target = record(entry, 'a target', wrong)
    onlyKeys(target, ['addresses', 'name'], [], 'a target', wrong)
    // A node's address may be asked for as well, and is then the target's name.
    const name = isAddress(target['name']) ? target['name'] : checkName(target['name'], 'a target', wrong)
    if (targetBefore !== undefined && !(targetBefore < name)) throw wrong(`its targets are not sorted at ${name}`)
    targetBefore = name
    const seen = new Set<unknown>()
    for (const address of list(target['addresses'], manifestLimits.nodes, `target ${name}`, wrong)) {
      if (!addresses.has(address as string)) throw wrong(`target ${name} names ${String(address)}, which it lacks`)
      if (seen.has(address)) throw wrong(`target ${name} names ${String(address)} twice`)
      seen.add(address)
    }
  }
}

function checkNode(node: Readonly<Record<string, unknown>>, address: string, wrong: Wrong): void {
  onlyKeys(node, ['address', 'artifact', 'code', 'inputs', 'kind', 'params', 'task'], ['asOfMs'], address, wrong)
  checkName(node['task'], `the task of ${address}`, wrong)
  checkDigest(node['artifact'], `the artifact of ${address}`, wrong)
  if ('asOfMs' in node) checkInstant(node['asOfMs'], `asOfMs of ${address}`, wrong)

  const code = record(node['code'], `the code of ${address}`, wrong)
  if (node['kind'] === 'source') {
    onlyKeys(code, ['version'], [], `the code of ${address}`, wrong)
    const version = code['version']
    if (!Number.isSafeInteger(version) || (version as number) < 0) throw wrong(`the version of ${address} is no count`)
  } else if (node['kind'] === 'pure') {
    onlyKeys(code, ['run'], ['ports'], `the code of ${address}`, wrong)
    checkDigest(code['run'], `the code of ${address}`, wrong)
    if ('ports' in code) {
      for (const [port, digest] of ports(code['ports'], `the code ports of ${address}`, wrong)) {
        checkDigest(digest, `code port ${port} of ${address}`, wrong)
      }
    }
  } else throw wrong(`the kind of ${address} is ${JSON.stringify(node['kind'])?.slice(0, 100)}`)

  for (const [port, input] of ports(node['inputs'], `the inputs of ${address}`, wrong)) {
    if (input === null) continue
    const at = `input ${port} of ${address}`
    if (typeof input === 'string') checkDigest(input, at, wrong)
    else {
      const many = record(input, at, wrong)
      onlyKeys(many, ['list'], [], at, wrong)
      checkDigest(many['list'], at, wrong)
    }
  }
}

function record(value: unknown, at: string, wrong: Wrong): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${at} is not an object`)
  return value as Readonly<Record<string, unknown>>
}

function list(value: unknown, most: number, at: string, wrong: Wrong): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${at} is not a list`)
  if (value.length > most) throw wrong(`${at} has ${value.length} entries, more than the ${most} it may have`)
  return value
}

function ports(value: unknown, at: string, wrong: Wrong): readonly (readonly [string, unknown])[] {
  const entries = Object.entries(record(value, at, wrong))
  if (entries.length > manifestLimits.portsPerNode) throw wrong(`${at} are ${entries.length}, too many`)
  for (const [port] of entries) {
    // An own key of this name would be lost, or worse, as soon as somebody copies the object.
    if (!plainName.test(port) || port === '__proto__') throw wrong(`${at} hold the odd name ${JSON.stringify(port)}`)
  }
  return entries
}

function onlyKeys(
  value: Readonly<Record<string, unknown>>,
  needed: readonly string[],
  optional: readonly string[],
  at: string,
  wrong: Wrong,
): void {
  for (const key of needed) if (!Object.hasOwn(value, key)) throw wrong(`${at} lacks ${key}`)
  for (const key of Object.keys(value)) {
    if (!needed.includes(key) && !optional.includes(key)) {
      throw wrong(`${at} has the unknown key ${JSON.stringify(key).slice(0, 100)}`)
    }
  }
}

function checkName(value: unknown, at: string, wrong: Wrong): string {
  if (typeof value !== 'string' || !plainName.test(value)) {
    throw wrong(`the name of ${at} is ${JSON.stringify(value)?.slice(0, 200)}`)
  }
  return value
}

function checkInstant(value: unknown, at: string, wrong: Wrong): void {
  if (!Number.isSafeInteger(value) || Math.abs(value as number) > lastInstantMs) throw wrong(`${at} is no instant`)
}

function checkDigest(value: unknown, at: string, wrong: Wrong): asserts value is Digest {
  if (!isDigest(value)) throw wrong(`${at} is not a SHA-256 digest`)
}
