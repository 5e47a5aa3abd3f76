import type { z } from 'zod'

/** As much of a schema's own description as is looked at here. */
interface Def {
  readonly type: string
  readonly coerce?: boolean
  readonly checks?: readonly { readonly _zod: { readonly def: Check } }[]
  readonly normalize?: boolean
  readonly innerType?: z.ZodType
  readonly element?: z.ZodType
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
}

interface Check {
  readonly check: string
  readonly normalize?: boolean
  /** Of a refinement. */
  readonly fn?: unknown
}

const known = new WeakMap<z.ZodType, boolean>()

/** Whether a schema only looks at values, puts defaults in and leaves fields out: parsing what it gave then gives the
 *  same. Where it is not sure it says no. */
export function isPlainSchema(schema: z.ZodType): boolean {
  let plain = known.get(schema)
  if (plain === undefined) {
    // A schema that contains itself is left to whoever parses twice.
    known.set(schema, false)
    known.set(schema, (plain = isPlain((schema as unknown as { def: Def }).def)))
  }
  return plain
}

function isPlain(def: Def): boolean {
  if (def.coerce === true || def.normalize === true) return false
  const isPrimitive = primitives.includes(def.type)
  for (const { _zod } of def.checks ?? []) {
    const { check, normalize, fn } = _zod.def
    // A refinement says yes or no. To what it is given it could do something only where that is an object.
    const isRefinement = isPrimitive && check === 'custom' && fn !== undefined
    if (!isRefinement && (!looking.includes(check) || normalize === true)) return false
  }
  if (isPrimitive) return true
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return isPlainSchema(def.innerType!)
    case 'array':
      return isPlainSchema(def.element!)
    case 'object': {
      const others = (def.catchall as unknown as { def: Def } | undefined)?.def.type
      return (others === undefined || others === 'never') && Object.values(def.shape!).every(isPlainSchema)
    }
    default:
      return false
  }
}

const primitives = ['string', 'number', 'boolean', 'bigint', 'null', 'literal', 'enum']

/** Other checks, such as `trim`, may write another value. */
const looking = [
  'less_than',
  'greater_than',
  'multiple_of',
  'number_format',
  'bigint_format',
  'max_length',
  'min_length',
  'length_equals',
  'string_format',
]
