import { canonicalJson } from '../cas/canonicalJson.ts'

/** One place where two JSON values differ. A side that lacks the place has no value there. */
export interface JsonChange {
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

/** Every place where two JSON values differ, by path (`sizes[2].lots`), in the order of sorted keys. The whole value has
 *  the path `` (empty). */
export function jsonChanges(before: unknown, after: unknown, path = ''): JsonChange[] {
  if (Object.is(before, after)) return []
  if (Array.isArray(before) && Array.isArray(after)) {
    const changes: JsonChange[] = []
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      const at = `${path}[${i}]`
      if (i >= before.length) changes.push({ path: at, after: after[i] })
      else if (i >= after.length) changes.push({ path: at, before: before[i] })
      else changes.push(...jsonChanges(before[i], after[i], at))
    }
    return changes
  }
  if (isPlain(before) && isPlain(after)) {
    const changes: JsonChange[] = []
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      const at = path === '' ? key : `${path}.${key}`
      if (!Object.hasOwn(before, key)) changes.push({ path: at, after: after[key] })
      else if (!Object.hasOwn(after, key)) changes.push({ path: at, before: before[key] })
      else changes.push(...jsonChanges(before[key], after[key], at))
    }
    return changes
  }
  return [{ path, before, after }]
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function jsonChangeText({ path, before, after }: JsonChange): string {
  const show = (value: unknown): string => (value === undefined ? 'nothing' : shortened(canonicalJson(value)))
  return `${path === '' ? 'the value' : path} was ${show(before)} and is ${show(after)}`
}

const shortened = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text)
