/** Values that carry no code: what one node made of them tells the next nothing but what they say. */
export type Plain = undefined | null | boolean | number | bigint | string | PlainArray | readonly Plain[] | PlainObject
export type PlainArray = Exclude<ArrayBufferView, DataView>
interface PlainObject {
  readonly [name: string]: Plain
}

/** A copy of a value down to its typed arrays, which stay. Whatever else is in there, a function or an instance of some
 *  class, is refused with its place.
 *  @param name what the value is called in the message */
export function plainCopy(value: unknown, name: string): Plain {
  if (typeof value === 'function' || typeof value === 'symbol') throw notPlain(name, `a ${typeof value}`)
  if (typeof value !== 'object' || value === null) return value as Plain
  if (isTypedArray(value)) return value
  if (Array.isArray(value)) return value.map((one, i) => plainCopy(one, `${name}[${i}]`))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw notPlain(name, 'an instance of a class')
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plainCopy(one, `${name}.${key}`)]))
}

const notPlain = (name: string, what: string): TypeError =>
  new TypeError(`${name} is ${what}, and nodes can share nothing but objects, lists, typed arrays, texts and numbers`)

/** Shared memory could be written into from elsewhere at any time. */
const isTypedArray = (value: object): value is PlainArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) && value.buffer instanceof ArrayBuffer

/** The same value with other typed arrays, and with objects and lists of its own. */
export function mapArrays(value: Plain, change: (array: PlainArray) => PlainArray): Plain {
  if (typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value)) return change(value)
  // A column of texts has no objects in it, and is copied at once.
  if (isList(value)) return value.some(isObject) ? value.map((one) => mapArrays(one, change)) : value.slice()
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapArrays(one, change)]))
}

/** The same memory behind an array object of its own. */
export const viewed = (array: PlainArray): PlainArray => (array as Float64Array).subarray(0)

/** Of what is kept: typed arrays count twice, for there is a copy to compare them with. */
export function sizeOf(value: Plain): number {
  if (typeof value !== 'object' || value === null) return 0
  if (ArrayBuffer.isView(value)) return 2 * value.byteLength
  // Strings are shared by the copies; what a copy costs is its references.
  if (isList(value))
    return value.some(isObject) ? value.reduce((sum: number, one) => sum + sizeOf(one), 0) : value.length * 8
  let sizeBytes = 0
  for (const one of Object.values(value)) sizeBytes += sizeOf(one)
  return sizeBytes
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

const isList = (value: Plain): value is readonly Plain[] => Array.isArray(value)
