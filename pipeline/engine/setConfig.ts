import { z } from 'zod'
import { Fault } from '../../lib/fault.ts'

/** `--set a.b.0.c=3` as it was written: where, and what. */
interface Setting {
  readonly path: readonly string[]
  readonly value: unknown
  /** The whole of it, for messages. */
  readonly written: string
}

/** A config with one `--set` laid over it, and the path that was set. What lies beside it is shared. */
export function configWith(schema: z.ZodType, config: unknown, written: string): { config: unknown; path: string } {
  const setting = parseSet(written)
  return { config: withValueAt(config, 0, setting, schema), path: setting.path.join('.') }
}

function parseSet(written: string): Setting {
  const at = written.indexOf('=')
  if (at <= 0)
    throw new Fault({
      code: 'usage',
      what: `"${written}" is not of the form key=value`,
      where: '--set',
      todo: 'write it like --set universe.size=10',
    })
  const text = written.slice(at + 1)
  const path = written.slice(0, at).split('.')
  try {
    return { path, value: JSON.parse(text), written }
  } catch {
    return { path, value: text, written }
  }
}

/** A copy with one value replaced. An element of a list that the config leaves to its default changes the default list: the
 *  rest of it stays, as it does in an object. */
function withValueAt(base: unknown, depth: number, setting: Setting, schema: z.ZodType): unknown {
  const { path, value, written } = setting
  const step = path[depth]
  if (step === undefined) return value
  const where = `--set ${written}`
  if (['__proto__', 'constructor', 'prototype', ''].includes(step))
    throw new Fault({ code: 'usage', what: `"${step}" cannot be set`, where })
  const held = base ?? defaultListAt(schema, path.slice(0, depth)) ?? base
  if (Array.isArray(held)) {
    const items: readonly unknown[] = held
    const index = indexIn(items, setting, depth)
    return items.with(index, withValueAt(items[index], depth + 1, setting, schema))
  }
  if (held !== undefined && (typeof held !== 'object' || held === null)) {
    throw new Fault({
      code: 'usage',
      what: `there is nothing under "${step}" to set: the value above it is ${JSON.stringify(held)}`,
      where,
      todo: 'set the value above it',
    })
  }
  const members = held as Readonly<Record<string, unknown>> | undefined
  return { ...members, [step]: withValueAt(members?.[step], depth + 1, setting, schema) }
}

function indexIn(items: readonly unknown[], { path, written }: Setting, depth: number): number {
  const step = path[depth]!
  const index = /^(0|[1-9][0-9]*)$/.test(step) ? Number(step) : Number.NaN
  if (index < items.length) return index
  const list = path.slice(0, depth).join('.')
  const count = items.length === 1 ? '1 element' : `${items.length} elements`
  const last = items.length - 1
  throw new Fault({
    code: 'usage',
    what: Number.isNaN(index)
      ? `"${list}" is a list of ${count}: "${step}" is no number of one`
      : `"${list}" has ${count}, there is no number ${step}`,
    where: `--set ${written}`,
    todo:
      last < 0
        ? `set the whole list: --set '${list}=[…]'`
        : `name one from ${list}.0${last === 0 ? '' : ` to ${list}.${last}`}, or set the whole list: --set '${list}=[…]'`,
  })
}

/** Of JSON Schema, what zod writes for a config. */
interface Shape {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Shape>>
  readonly default?: unknown
}

/** What a list is where nobody writes it: its own default, or what a default above it holds there. Empty where there is none,
 *  and nothing where the schema has no list. */
function defaultListAt(schema: z.ZodType, path: readonly string[]): readonly unknown[] | undefined {
  let shape: Shape | undefined = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
  let fallback = shape.default
  for (const step of path) {
    if (shape?.properties === undefined || !Object.hasOwn(shape.properties, step)) return undefined
    shape = shape.properties[step]!
    fallback = shape.default ?? (fallback as Readonly<Record<string, unknown>> | undefined)?.[step]
  }
  if (Array.isArray(fallback)) return fallback
  return shape?.type === 'array' ? [] : undefined
}
