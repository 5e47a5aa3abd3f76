import { Fault } from '../lib/fault.ts'

/** JSON with one byte string for one value, after RFC 8785: sorted keys (by UTF-16 code unit), no spaces, numbers as
 *  JavaScript prints them. Beyond the RFC, a bigint is written as `{"$bigint":"123"}`, which is why no object may
 *  have a key of that name. Whatever JSON would silently drop or change is refused instead: a key hashed from a
 *  value that is not the value would be a wrong hit in the cache. */
export function canonicalJson(value: unknown): string {
  const path: (string | number)[] = []
  return write(value, path)
}

/** Reverses `canonicalJson`. It accepts any JSON text; whoever must know that a text is in canonical form writes the
 *  value again and compares. */
export function parseCanonicalJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return text.includes('"$bigint"') ? restoreBigints(value) : value
}

const bigintTag = '$bigint'
const bigintDigits = /^(0|-?[1-9][0-9]*)$/

/** Deeper values are always a mistake (a cycle, or a hostile document), and would end as a stack overflow. */
const depthMax = 500

// Printable ASCII without the quote and the backslash needs no escaping; nearly every string is of this kind.
const plainString = /^[ !#-[\]-~]*$/
const loneSurrogate = /\p{Surrogate}/u

function write(value: unknown, path: (string | number)[]): string {
  switch (typeof value) {
    case 'string':
      return quoted(value, path)
    case 'number':
      if (!Number.isFinite(value)) refuse(`${value} has no JSON form`, path)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'bigint':
      return `{"${bigintTag}":"${value}"}`
    case 'object':
      if (value === null) return 'null'
      if (path.length >= depthMax) refuse(`it is nested deeper than ${depthMax} levels, or contains itself`, path)
      return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path)
    default:
      return refuse(`${value === undefined ? 'undefined' : `a ${typeof value}`} has no JSON form`, path)
  }
}

function writeArray(items: readonly unknown[], path: (string | number)[]): string {
  let text = '['
  // By index and not by iterator: a hole reads as undefined and is refused, never skipped.
  for (let i = 0; i < items.length; i++) {
    path.push(i)
    text += (i === 0 ? '' : ',') + write(items[i], path)
    path.pop()
  }
  return `${text}]`
}

function writeObject(value: object, path: (string | number)[]): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  // A plain object of another realm (a worker's bundle, a vm context) has that realm's Object.prototype, which alone
  // among the prototypes has no parent.
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    refuse(`an instance of ${className(value)} has no canonical JSON form; convert it to plain data first`, path)
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') {
    refuse(`${Object.prototype.toString.call(value)} has no canonical JSON form`, path)
  }
  const keys = Object.keys(value)
  if (!isSorted(keys)) sortKeys(keys)
  let text = '{'
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!
    path.push(key)
    text += (i === 0 ? '' : ',') + labelOf(key, path)
    text += write((value as Record<string, unknown>)[key], path)
    path.pop()
  }
  return `${text}}`
}

function isSorted(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false
  return true
}

const labels = new Map<string, string>()
const labelsMax = 1000

/** A key as it stands before its value. Ten thousands of objects have the same few keys. */
function labelOf(key: string, path: readonly (string | number)[]): string {
  const known = labels.get(key)
  if (known !== undefined) return known
  if (key === bigintTag) refuse(`the key "${bigintTag}" is reserved for tagged bigints`, path)
  const label = `${quoted(key, path)}:`
  if (labels.size < labelsMax && key.length < 64) labels.set(key, label)
  return label
}

/** Of a handful of keys, as nearly every object has, the engine's own sort costs more by what it allocates than by what
 *  it compares. Strings are compared by UTF-16 code units either way. */
function sortKeys(keys: string[]): void {
  if (keys.length > 16) {
    keys.sort()
    return
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!
    let at = i
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!
    keys[at] = key
  }
}

function quoted(text: string, path: readonly (string | number)[]): string {
  if (plainString.test(text)) return `"${text}"`
  if (loneSurrogate.test(text)) refuse('a string with half a surrogate pair has no UTF-8 form', path)
  return JSON.stringify(text)
}

function className(value: object): string {
  const maker = (value as { constructor?: { name?: unknown } }).constructor
  return typeof maker?.name === 'string' ? maker.name : 'a class'
}

function refuse(why: string, path: readonly (string | number)[]): never {
  throw new Fault({
    code: 'usage',
    what: why,
    where: printPath(path),
    todo: 'leave the field out, or give it a value that JSON can hold',
  })
}

function printPath(path: readonly (string | number)[]): string {
  let text = '$'
  for (const step of path.slice(0, 40)) {
    if (typeof step === 'number') text += `[${step}]`
    else text += /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  }
  return path.length > 40 ? `${text}…` : text
}

function restoreBigints(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(restoreBigints)
  const record = value as Record<string, unknown>
  const tagged = record[bigintTag]
  if (Object.hasOwn(record, bigintTag)) {
    if (Object.keys(record).length !== 1 || typeof tagged !== 'string' || !bigintDigits.test(tagged)) {
      throw new Fault({ code: 'corrupt', what: `a "${bigintTag}" tag does not hold the digits of one bigint` })
    }
    return BigInt(tagged)
  }
  for (const key of Object.keys(record)) {
    const restored = restoreBigints(record[key])
    // Plain assignment to "__proto__" would call the setter and lose the field.
    if (key === '__proto__') Object.defineProperty(record, key, { value: restored, enumerable: true })
    else record[key] = restored
  }
  return record
}
