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

/** A copy with one value replaced. What is set in a list or an object that the config leaves to its default changes the
 *  default: the rest of it stays, as it does where the config has written it out. */
function withValueAt(base: unknown, depth: number, setting: Setting, schema: z.ZodType): unknown {
  const { path, value, written } = setting
  const step = path[depth]
  if (step === undefined) return value
  const where = `--set ${written}`
  if (['__proto__', 'constructor', 'prototype', ''].includes(step))
    throw new Fault({ code: 'usage', what: `"${step}" cannot be set`, where })
  const held = base ?? defaultAt(schema, setting, depth) ?? base
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
  readonly const?: unknown
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
}

/** What a list or an object is where nobody writes it: its own default, or what a default above it holds there. Nothing
 *  where there is none, or where it is another variant that is being set; a list is then empty. */
function defaultAt(schema: z.ZodType, { path, value }: Setting, depth: number): object | undefined {
  let shape: Shape | undefined = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
  let fallback = shape.default
  for (const step of path.slice(0, depth)) {
    if (shape?.properties === undefined || !Object.hasOwn(shape.properties, step)) return undefined
    shape = shape.properties[step]!
    fallback = shape.default ?? (fallback as Readonly<Record<string, unknown>> | undefined)?.[step]
  }
  if (typeof fallback === 'object' && fallback !== null) {
    const isTheLast = depth === path.length - 1
    return Array.isArray(fallback) || staysItself(fallback, shape, path[depth]!, isTheLast ? value : undefined)
      ? fallback
      : undefined
  }
  return shape?.type === 'array' ? [] : undefined
}

/** Whether a default is of the same variant once one of its members is set. A member that only other variants have, or a new
 *  value where a variant is told by it, begins another one, and nothing of the default belongs to that. */
function staysItself(fallback: object, shape: Shape | undefined, step: string, value: unknown): boolean {
  const variants = shape?.oneOf ?? shape?.anyOf
  if (variants === undefined) return true
  const held = new Map(Object.entries(fallback))
  const own = variants.find(({ properties }) =>
    Object.entries(properties ?? {}).every(([name, one]) => one.const === undefined || one.const === held.get(name)),
  )
  const member = own?.properties?.[step]
  return member !== undefined && (member.const === undefined || member.const === value)
}
