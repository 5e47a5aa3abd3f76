import { z } from 'zod'
import { durationMs, isDuration } from '../backtest/duration.ts'
import type { Strategy } from '../backtest/strategy.ts'
import { Fault } from '../fault.ts'
import { didYouMean } from '../nearMatch.ts'

/** Values to try of some of a strategy's params: `{ lookback: ['1d', '7d'], perSide: [2, 3] }` is four points. */
export const sweepValue = z.union([z.number(), z.string(), z.boolean()])
export const sweepGrid = z.record(z.string(), z.array(sweepValue))
export type SweepValue = z.infer<typeof sweepValue>
export type SweepGrid = Readonly<Record<string, readonly SweepValue[]>>
export type SweepValues = Readonly<Record<string, SweepValue>>

export interface SweepPoint {
  /** The swept params only, in the order of their names. */
  readonly values: SweepValues
  /** `['lookback:1d', 'perSide:2']`: the same for the same values, whatever else is swept over. */
  readonly at: readonly string[]
  /** What the strategy gets: the base with the values over it. */
  readonly params: Readonly<Record<string, unknown>>
}

const pointsMaxDefault = 10_000

/**
 * Every combination, in one order for one set of points: by the names of the params, then by value. Who writes the same
 * sweep in another order gets the same points, the same addresses and the same nodes.
 */
export function expandSweep(
  sweep: SweepGrid,
  strategy: Pick<Strategy, 'name' | 'params'>,
  { base = {}, pointsMax = pointsMaxDefault }: { base?: Readonly<Record<string, unknown>>; pointsMax?: number } = {},
): SweepPoint[] {
  const names = Object.keys(sweep).sort()
  if (names.length === 0) {
    throw fault('the sweep names no parameter', 'sweep', 'give it one, such as sweep: { perSide: [2, 3] }')
  }
  const known = paramNames(strategy.params)
  for (const name of names) {
    if (known === undefined || known.includes(name)) continue
    const hint = didYouMean(name, known)
    const has = known.length === 0 ? 'it has no parameter' : `it has ${known.join(', ')}`
    throw fault(`the strategy ${strategy.name} has no parameter "${name}"${hint}`, `sweep.${name}`, has)
  }
  const lists = names.map((name) => sortedValues(name, sweep[name]!))
  const count = lists.reduce((all, list) => all * list.length, 1)
  if (count > pointsMax) {
    const sizes = names.map((name, i) => `${name} ${lists[i]!.length}`).join(' × ')
    throw fault(`the sweep has ${count} points (${sizes}), and ${pointsMax} are allowed`, 'sweep', 'try fewer values')
  }
  return combinations(lists).map((combination) => {
    const values = Object.fromEntries(names.map((name, i) => [name, combination[i]!]))
    const at = names.map((name, i) => `${name}:${combination[i]!}`)
    const params = { ...base, ...values }
    const parsed = strategy.params.safeParse(params)
    if (parsed.success) return { values, at, params }
    const issues = parsed.error.issues.map(
      ({ path, message }) => `${path.map(String).join('.') || '(top)'}: ${message}`,
    )
    throw fault(
      `the strategy ${strategy.name} refuses ${at.join(', ')}: ${issues.join('; ')}`,
      'sweep',
      'correct the values, or the params beside the sweep',
    )
  })
}

/** What the points say of a param, in rising order. */
export function sweptParams(points: readonly SweepValues[]): { name: string; values: SweepValue[] }[] {
  const names = [...new Set(points.flatMap((values) => Object.keys(values)))].sort()
  return names.map((name) => ({
    name,
    values: [...new Set(points.map((values) => values[name]!))].sort(compareValues),
  }))
}

function sortedValues(name: string, values: readonly SweepValue[]): SweepValue[] {
  const where = `sweep.${name}`
  if (values.length === 0) throw fault('the list of values is empty', where, 'give a value, or leave the parameter out')
  const seen = new Set<string>()
  for (const value of values) {
    const text = String(value)
    if (seen.has(text)) throw fault(`the value ${text} is there twice`, where, 'name each value once')
    seen.add(text)
    // It becomes part of an address, which has to be safe to type and to store.
    if (typeof value === 'string' ? /^[\p{L}\p{N}._:+@-]+$/u.test(value) : typeof value === 'boolean') continue
    if (typeof value === 'number' && Number.isFinite(value)) continue
    throw fault(
      `"${text}" cannot be swept over`,
      where,
      'use numbers, true, false, or words of letters, digits and ._:+@-',
    )
  }
  return [...values].sort(compareValues)
}

const kinds = ['number', 'boolean', 'string']

/** Numbers by size, then false and true, then durations by length, then words by their characters. */
function compareValues(a: SweepValue, b: SweepValue): number {
  if (typeof a !== typeof b) return kinds.indexOf(typeof a) - kinds.indexOf(typeof b)
  if (typeof a !== 'string' || typeof b !== 'string') return Number(a) - Number(b)
  return lengthOf(a) - lengthOf(b) || (a < b ? -1 : a > b ? 1 : 0)
}

const lengthOf = (word: string): number => (isDuration(word) ? durationMs(word) : Number.MAX_VALUE)

function combinations(lists: readonly (readonly SweepValue[])[]): SweepValue[][] {
  let all: SweepValue[][] = [[]]
  for (const list of lists) all = all.flatMap((before) => list.map((value) => [...before, value]))
  return all
}

/** Undefined where the schema does not tell. */
function paramNames(schema: z.ZodType): string[] | undefined {
  let inner: unknown = schema
  while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodReadonly) {
    inner = inner.def.innerType
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape).sort() : undefined
}

const fault = (what: string, where: string, todo: string): Fault => new Fault({ code: 'usage', what, where, todo })
