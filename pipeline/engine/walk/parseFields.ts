import type { z } from 'zod'

/** Parses an object field by field, by a schema that `isPlainSchema` has called plain. A graph has ten thousands of nodes
 *  whose fields hold a few hundred symbols, months and intervals: what a field's own schema said of a value once, it is
 *  not asked again. Nothing where zod itself has to be asked, be it only for the words of its refusal. */
export function parseFields(schema: z.ZodType, input: unknown): Record<string, unknown> | undefined {
  const described = objectOf(schema)
  if (described === undefined || typeof input !== 'object' || input === null || Array.isArray(input)) return undefined
  const { fields, onlyNames } = described
  if (onlyNames !== undefined) for (const name in input) if (!onlyNames.has(name)) return undefined
  const parsed: Record<string, unknown> = {}
  for (const field of fields) {
    const value = parseField(field, (input as Record<string, unknown>)[field.name])
    if (value === refused) return undefined
    if (value !== undefined) parsed[field.name] = value
  }
  return parsed
}

interface DescribedObject {
  readonly fields: readonly Field[]
  /** Where the object may have no others. */
  readonly onlyNames: ReadonlySet<string> | undefined
}

interface Field {
  readonly name: string
  readonly schema: z.ZodType
  /** Where the field holds an object, its schema. */
  readonly object: z.ZodType | undefined
  readonly mayBeAbsent: boolean
  /** What became of strings, numbers and the like. */
  readonly known: Map<unknown, unknown>
}

const knownMax = 4096
const refused = Symbol('refused')

function parseField({ schema, object, mayBeAbsent, known }: Field, value: unknown): unknown {
  if (typeof value === 'object' && value !== null) {
    if (object !== undefined) return parseFields(object, value) ?? refused
    const parsed = schema.safeParse(value)
    return parsed.success ? parsed.data : refused
  }
  // Whether a key is missing or holds undefined is a difference that only the object's schema knows to make.
  if (value === undefined && !mayBeAbsent) return refused
  const before = known.get(value)
  if (before !== undefined) return before
  const parsed = schema.safeParse(value)
  if (!parsed.success) return refused
  // Objects that stand for nothing said are made anew each time: nobody shares them with another node.
  if (known.size < knownMax && typeof parsed.data !== 'object' && value !== 0) known.set(value, parsed.data)
  return parsed.data
}

/** As much of a schema's own description as is looked at here. */
interface Def {
  readonly type: string
  readonly checks?: readonly unknown[]
  readonly catchall?: z.ZodType
  readonly innerType?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
}

const defOf = (schema: z.ZodType): Def => (schema as unknown as { def: Def }).def

const known = new WeakMap<z.ZodType, { readonly object: DescribedObject | undefined }>()

function objectOf(schema: z.ZodType): DescribedObject | undefined {
  let found = known.get(schema)
  if (found === undefined) known.set(schema, (found = { object: describe(defOf(schema)) }))
  return found.object
}

function describe({ type, checks, catchall, shape }: Def): DescribedObject | undefined {
  if (type !== 'object' || (checks ?? []).length > 0) return undefined
  if (catchall !== undefined && defOf(catchall).type !== 'never') return undefined
  const names = Object.keys(shape!)
  if (names.includes('__proto__')) return undefined
  return {
    fields: names.map((name) => describeField(name, shape![name]!)),
    onlyNames: catchall === undefined ? undefined : new Set(names),
  }
}

function describeField(name: string, schema: z.ZodType): Field {
  const { type, innerType } = defOf(schema)
  const inner = type === 'optional' ? innerType! : schema
  return {
    name,
    schema,
    object: defOf(inner).type === 'object' ? inner : undefined,
    mayBeAbsent: ['optional', 'default', 'prefault'].includes(type),
    known: new Map(),
  }
}
