import { canonicalJson } from '../cas/canonicalJson.ts'
import { type Digest, isDigest, short } from '../cas/digest.ts'
import { Fault } from '../lib/fault.ts'
import { nestingOf } from './parseManifest.ts'

/** The three kinds of objects that name other objects, besides artifact descriptors. Their formats are in FORMAT.md:
 *  a snapshot must be kept whole without the engine that made it. */

const nestingMax = 64
const entriesMax = 10_000_000

/** An ordered list of artifacts: canonical JSON, an array of their ids. */
export function parseList(digest: Digest, bytes: Uint8Array): readonly Digest[] {
  const value = parseJson(digest, bytes, 'list')
  if (!Array.isArray(value) || value.length > entriesMax || !value.every(isDigest)) throw notA(digest, 'list')
  if (canonicalJson(value) !== Buffer.from(bytes).toString('utf8')) throw notA(digest, 'list')
  return value
}

/** The package trees that a code object needs beside its own text. */
export function packageTreesOf(digest: Digest, bytes: Uint8Array): readonly Digest[] {
  const value = parseJson(digest, bytes, 'code object')
  const packages = isRecord(value) ? (value['packages'] ?? []) : undefined
  if (!Array.isArray(packages)) throw notA(digest, 'code object')
  return packages.map((item: unknown) => {
    const tree = isRecord(item) ? item['tree'] : undefined
    if (!isDigest(tree)) throw notA(digest, 'code object')
    return tree
  })
}

/** The files of a package tree: every string in it that is a digest, wherever it stands. Taking too much would keep a
 *  file too long; taking too little would lose one. */
export function filesOfTree(digest: Digest, bytes: Uint8Array): readonly Digest[] {
  const files = new Set<Digest>()
  const visit = (value: unknown): void => {
    if (isDigest(value)) files.add(value)
    else if (Array.isArray(value)) value.forEach(visit)
    else if (isRecord(value)) Object.values(value).forEach(visit)
  }
  visit(parseJson(digest, bytes, 'package tree'))
  return [...files]
}

function parseJson(digest: Digest, bytes: Uint8Array, what: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    if (nestingOf(text) > nestingMax) throw new Error(`nested deeper than ${nestingMax} levels`)
    return JSON.parse(text)
  } catch (cause) {
    throw notA(digest, what, cause)
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function notA(digest: Digest, what: string, cause?: unknown): Fault {
  return new Fault({
    code: 'corrupt',
    what: `object ${short(digest)} is named as a ${what} and is none`,
    where: digest,
    todo: 'the manifest that names it is wrong: fetch or import the snapshot again from where it came',
    cause,
  })
}
