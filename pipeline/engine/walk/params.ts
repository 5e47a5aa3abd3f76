import assert from 'node:assert/strict'
import type { z } from 'zod'
import { canonicalJson } from '../../../cas/canonicalJson.ts'
import { Fault } from '../../../lib/fault.ts'
import { parseFields } from './parseFields.ts'
import { isPlainSchema } from './plainSchema.ts'

/** Checks a node's params and brings them to the one form that goes into its spec: parsed, with every value that equals
 *  its schema's default left out. A task that gains an optional param therefore keeps its old keys.
 *
 *  Another default is other code, and so another key, for a pure task only: a source has no code identity. What was said
 *  of a source's params therefore stays in its spec even where it equals the default. */
export function canonicalParams(
  task: { readonly kind: string; readonly params: z.ZodType },
  input: unknown,
  where: string,
): unknown {
  const schema = task.params
  const said = task.kind === 'pure' ? undefined : (input ?? {})
  // Of a schema that cannot transform the first answer stands for all others: a graph has ten thousands of nodes.
  const quick = twiceTheSame.has(schema) ? parseFields(schema, input ?? {}) : undefined
  if (quick !== undefined) return elideDefaults(schema, quick, said)

  const parsed = schema.safeParse(input ?? {})
  if (!parsed.success) {
    throw new Fault({
      code: 'usage',
      what: `its params are wrong: ${issuesText(parsed.error)}`,
      where,
      todo: 'correct the params where the node is placed',
    })
  }
  const elided = elideDefaults(schema, parsed.data, said)
  if (twiceTheSame.has(schema)) return elided

  // A worker, or a rebuild years later, restores the defaults by parsing what the spec holds. A schema that transforms
  // would then transform twice, so it is refused here, where its author can see it.
  const again = schema.safeParse(elided)
  if (!again.success || canonicalJson(again.data) !== canonicalJson(parsed.data)) {
    throw new Fault({
      code: 'usage',
      what: 'its params schema does not accept its own output: parsing twice must give the same value',
      where,
      todo: 'keep transforms out of the schema and do them in run',
    })
  }
  if (isPlainSchema(schema)) twiceTheSame.add(schema)
  return elided
}

const twiceTheSame = new WeakSet<z.ZodType>()

/** `a.b: expected number, received string; c: …` */
export function issuesText(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.map(String).join('.') || '(top)'}: ${issue.message}`).join('; ')
}

/** @param said what was written by hand, where that has to stay */
function elideDefaults(schema: z.ZodType, value: unknown, said: unknown): unknown {
  const object = unwrapped(schema)
  if (!isObjectSchema(object)) return value
  assert.ok(typeof value === 'object' && value !== null)
  const shape = (object as z.ZodObject).shape as Record<string, z.ZodType>
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const held = (value as Record<string, unknown>)[key]
    if (held === undefined) continue
    const field = shape[key]
    if (field === undefined) {
      kept[key] = held
      continue
    }
    const saidHere = (said as Record<string, unknown> | undefined)?.[key]
    const byDefault = saidHere === undefined ? defaultJsonOf(field) : undefined
    if (byDefault !== undefined && byDefault === canonicalJson(held)) continue
    kept[key] = elideDefaults(field, held, saidHere)
  }
  return kept
}

const defaultJsons = new WeakMap<z.ZodType, { readonly json: string | undefined }>()

/** What a field is where nothing is said, as canonical JSON. Asked once for each schema: a graph has ten thousands of
 *  nodes and a dozen tasks, and a field that has no default answers with an error, which is slow to make. */
function defaultJsonOf(field: z.ZodType): string | undefined {
  let known = defaultJsons.get(field)
  if (known === undefined) {
    const parsed = field.safeParse(undefined)
    known = { json: parsed.success && parsed.data !== undefined ? canonicalJson(parsed.data) : undefined }
    defaultJsons.set(field, known)
  }
  return known.json
}

/** Looks through optional, default and readonly wrappers. Schemas come from the project's own copy of zod, so they are
 *  told apart by what they say of themselves and never by instanceof alone. */
function unwrapped(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (true) {
    const def = (inner as unknown as { def: { type: string; innerType?: z.ZodType } }).def
    if (def.innerType === undefined || !['optional', 'default', 'prefault', 'readonly'].includes(def.type)) return inner
    inner = def.innerType
  }
}

const isObjectSchema = (schema: z.ZodType): boolean =>
  (schema as unknown as { def: { type: string } }).def.type === 'object'
