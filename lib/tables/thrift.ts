import { ByteSink, type ByteSource } from './byteSink.ts'

// Thrift's compact protocol, as far as the metadata of a Parquet file needs it.

/** A struct as field numbers to values. An absent (undefined) field is not written. */
export type ThriftStruct = ReadonlyMap<number, ThriftValue>

export type ThriftValue =
  | { type: 'bool'; value: boolean }
  | { type: 'byte'; value: number }
  | { type: 'i16' | 'i32' | 'i64'; value: number }
  | { type: 'binary'; value: Uint8Array }
  | { type: 'list'; of: ThriftValue['type']; value: readonly ThriftValue[] }
  | { type: 'struct'; value: ThriftStruct }

const typeIds = { bool: 1, byte: 3, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

export const bool = (value: boolean): ThriftValue => ({ type: 'bool', value })
export const byte = (value: number): ThriftValue => ({ type: 'byte', value })
export const i16 = (value: number): ThriftValue => ({ type: 'i16', value })
export const i32 = (value: number): ThriftValue => ({ type: 'i32', value })
export const i64 = (value: number): ThriftValue => ({ type: 'i64', value })
export const binary = (value: Uint8Array): ThriftValue => ({ type: 'binary', value })
export const text = (value: string): ThriftValue => binary(new TextEncoder().encode(value))
export const list = (of: ThriftValue['type'], value: readonly ThriftValue[]): ThriftValue => ({
  type: 'list',
  of,
  value,
})

/** A struct value of the given fields, in ascending order; undefined ones are left out. */
export function struct(fields: Readonly<Record<number, ThriftValue | undefined>>): ThriftValue {
  const value = new Map<number, ThriftValue>()
  for (const [id, field] of Object.entries(fields)) if (field !== undefined) value.set(Number(id), field)
  return { type: 'struct', value }
}

export function writeThrift(value: ThriftValue, sink: ByteSink): void {
  if (value.type === 'bool') sink.byte(value.value ? 1 : 2)
  else if (value.type === 'byte') sink.byte(value.value & 255)
  else if (value.type === 'binary') {
    sink.varint(value.value.length)
    sink.append(value.value)
  } else if (value.type === 'list') {
    const size = value.value.length
    sink.byte((Math.min(size, 15) << 4) | typeIds[value.of])
    if (size >= 15) sink.varint(size)
    for (const item of value.value) writeThrift(item, sink)
  } else if (value.type === 'struct') {
    writeStruct(value.value, sink)
  } else sink.zigzag(BigInt(value.value))
}

function writeStruct(fields: ThriftStruct, sink: ByteSink): void {
  let last = 0
  for (const [id, field] of fields) {
    // The value of a boolean field is its type: 1 is true, 2 is false.
    const type = field.type === 'bool' ? (field.value ? 1 : 2) : typeIds[field.type]
    sink.byte(((id - last) << 4) | type)
    if (field.type !== 'bool') writeThrift(field, sink)
    last = id
  }
  sink.byte(0)
}

/** Reads one struct; fields of kinds that Parquet's metadata may hold and we do not use are read and kept as well. */
export function readStruct(source: ByteSource): ThriftStruct {
  const fields = new Map<number, ThriftValue>()
  let last = 0
  for (;;) {
    const head = source.byte()
    if (head === 0) return fields
    const type = head & 15
    const id = head >>> 4 === 0 ? Number(source.zigzag()) : last + (head >>> 4)
    fields.set(id, type === 1 || type === 2 ? bool(type === 1) : readValue(type, source))
    last = id
  }
}

function readValue(type: number, source: ByteSource): ThriftValue {
  switch (type) {
    case 1:
    case 2:
      return bool(source.byte() === 1)
    case 3:
      return byte(source.byte())
    case 4:
    case 5:
    case 6:
      return i64(Number(source.zigzag()))
    case 8:
      return binary(source.take(source.varint()))
    case 9: {
      const head = source.byte()
      const size = head >>> 4 === 15 ? source.varint() : head >>> 4
      if (size > source.bytes.length) throw new RangeError('a list is longer than its file')
      const items: ThriftValue[] = []
      for (let i = 0; i < size; i++) items.push(readValue(head & 15, source))
      return { type: 'list', of: 'struct', value: items }
    }
    case 12:
      return { type: 'struct', value: readStruct(source) }
    default:
      throw new RangeError(`the metadata holds a value of the unknown type ${type}`)
  }
}

export function numberOf(fields: ThriftStruct, id: number): number {
  const field = fields.get(id)
  if (field === undefined || typeof field.value !== 'number') throw new RangeError(`the metadata lacks number ${id}`)
  return field.value
}

export function bytesOf(fields: ThriftStruct, id: number): Uint8Array {
  const field = fields.get(id)
  if (field?.type !== 'binary') throw new RangeError(`the metadata lacks text ${id}`)
  return field.value
}

export function listOf(fields: ThriftStruct, id: number): readonly ThriftValue[] {
  const field = fields.get(id)
  if (field?.type !== 'list') throw new RangeError(`the metadata lacks list ${id}`)
  return field.value
}

export function structOf(value: ThriftValue | undefined): ThriftStruct {
  if (value?.type !== 'struct') throw new RangeError('the metadata lacks a struct')
  return value.value
}

export const encodeThrift = (value: ThriftValue): Uint8Array => {
  const sink = new ByteSink()
  writeThrift(value, sink)
  return sink.written().slice()
}
