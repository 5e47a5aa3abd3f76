import { z } from 'zod'
import type { Style } from '../style.ts'

/** One line of a config: what it takes, what it is unless it is set, and what it is here. */
export interface Setting {
  readonly path: string
  readonly takes: string
  readonly fallback: unknown
  readonly value: unknown
  readonly doc: string
}

/** Of JSON Schema, what zod writes for a config. */
interface Shape {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Shape>>
  readonly additionalProperties?: boolean | Shape
  readonly items?: Shape
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
}

/** The settings of a pipeline, leaf by leaf, but for what is computed and cannot be set. Their notes are the descriptions
 *  in its schema. */
export function settingsOf(schema: z.ZodType, value: unknown): Setting[] {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape
  return leavesOf(shape, [], value, undefined).filter(({ takes }) => takes !== 'any value')
}

/** For completion: every setting, and of lists of objects the members of each element there is. */
export function settingPaths(schema: z.ZodType, value: unknown): { readonly path: string; readonly takes: string }[] {
  return settingsOf(schema, value).flatMap(({ path, takes, value, fallback }) => {
    const held = value ?? fallback
    const elements = Array.isArray(held) && held.some((item) => typeof item === 'object') ? membersOf(held, path) : []
    return [{ path, takes }, ...elements]
  })
}

function membersOf(value: unknown, path: string): { readonly path: string; readonly takes: string }[] {
  if (typeof value !== 'object' || value === null) return [{ path, takes: `here ${JSON.stringify(value)}` }]
  return Object.entries(value).flatMap(([name, inner]) => membersOf(inner, `${path}.${name}`))
}

function leavesOf(shape: Shape, path: readonly string[], value: unknown, inherited: unknown): Setting[] {
  const fallback = 'default' in shape ? shape.default : inherited
  const { properties } = shape
  if (properties !== undefined && path.length < depthMax) {
    return Object.entries(properties).flatMap(([name, inner]) =>
      leavesOf(inner, [...path, name], memberOf(value, name), memberOf(fallback, name)),
    )
  }
  return [{ path: path.join('.'), takes: takenBy(shape), fallback, value, doc: shape.description ?? '' }]
}

/** Deeper than this stand the members of lists and unions, which are set together. */
const depthMax = 4

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined

function takenBy(shape: Shape): string {
  const choices = shape.anyOf ?? shape.oneOf
  if (choices !== undefined) return choices.map(takenBy).join(' | ')
  if (shape.const !== undefined) return JSON.stringify(shape.const)
  if (shape.enum !== undefined) return shape.enum.map((one) => JSON.stringify(one)).join(' | ')
  if (shape.items !== undefined) return `list of ${takenBy(shape.items)}`
  if (shape.properties !== undefined) {
    const members = Object.entries(shape.properties).map(([name, inner]) => `${name}: ${takenBy(inner)}`)
    return `{ ${members.join(', ')} }`
  }
  if (shape.type === 'object') {
    const { additionalProperties: inner } = shape
    return typeof inner === 'object' && Object.keys(inner).length > 0 ? `{ <name>: ${takenBy(inner)} }` : '{ … }'
  }
  return `${namesOf(shape.type).join(' | ')}${boundsOf(shape)}`
}

const namesOf = (type: Shape['type']): string[] =>
  type === undefined ? ['any value'] : [type].flat().map((name) => (name === 'integer' ? 'whole number' : name))

function boundsOf({ type, minimum, exclusiveMinimum, maximum }: Shape): string {
  const isOwn = (bound: number | undefined): bound is number =>
    bound !== undefined && !(type === 'integer' && Math.abs(bound) === Number.MAX_SAFE_INTEGER)
  const low = isOwn(exclusiveMinimum) ? `above ${exclusiveMinimum}` : isOwn(minimum) ? `from ${minimum}` : ''
  const high = isOwn(maximum) ? `up to ${maximum}` : ''
  return [low, high]
    .filter((text) => text !== '')
    .map((text) => ` ${text}`)
    .join('')
}

const shown = (value: unknown): string => (value === undefined ? '' : JSON.stringify(value))

/** Each setting with what it takes and what it is, and its note below. */
export function renderSettings(settings: readonly Setting[], style: Style): string {
  return settings
    .map(({ path, takes, fallback, value, doc }) => {
      const isSet = value !== undefined && shown(value) !== shown(fallback)
      const lines = [
        `${style.bold(path)}  ${takes}`,
        ...(doc === '' ? [] : [`    ${doc}`]),
        ...(fallback === undefined ? [] : [style.dim(`    default ${cut(shown(fallback))}`)]),
        ...(isSet ? [`    here    ${cut(shown(value))}`] : []),
      ]
      return lines.join('\n')
    })
    .join('\n')
}

const cut = (text: string): string => (text.length > 160 ? `${text.slice(0, 157)}…` : text)
