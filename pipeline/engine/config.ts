import type { z } from 'zod'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import type { ConfiguredPipeline } from './graph.ts'
import { configWith } from './setConfig.ts'

export interface ResolvedConfig {
  /** What the pipeline's build function gets. */
  readonly value: unknown
  /** What the manifest shows: plain JSON, code by name, secrets by the name of their variable. */
  readonly shown: unknown
}

/** A project's config with `--set a.b=3` laid over it, checked by the pipeline's schema. A key that the schema does not
 *  know is an error: a typo must not run with the default. */
export function resolveConfig(
  configured: ConfiguredPipeline,
  sets: readonly string[],
  codeName: (value: object) => string | undefined,
): ResolvedConfig {
  const where = `config of the pipeline "${configured.pipeline.name}"`
  const asWritten: unknown = configured.config ?? {}
  let input = asWritten
  const setPaths: string[] = []
  for (const set of sets) {
    const { config, path } = configWith(configured.pipeline.config, input, set)
    input = config
    setPaths.push(path)
  }
  const parsed = configured.pipeline.config.safeParse(input)
  if (!parsed.success) {
    const { issues } = parsed.error
    const fromSet = setBehind(issues[0]!, setPaths)
    // A check over several values names the place it stands at, which may be far from what was set.
    const isOfSets =
      fromSet !== undefined || (sets.length > 0 && configured.pipeline.config.safeParse(asWritten).success)
    throw new Fault({
      code: 'usage',
      what: issues.map(({ path, message }) => `${path.map(String).join('.') || '(top)'}: ${message}`).join('; '),
      where: isOfSets ? (fromSet === undefined ? sets : [fromSet]).map((set) => `--set ${set}`).join(' ') : where,
      todo: !isOfSets
        ? 'correct it in pipe.config.ts'
        : issues[0]!.code === 'unrecognized_keys'
          ? 'correct the name behind --set'
          : 'give a value that fits',
      details: { issues: issues.map(({ path, message }) => ({ path: path.map(String), message })) },
    })
  }
  refuseUnknownKeys(input, parsed.data, [], where, setPaths)
  return { value: parsed.data, shown: shownValue(parsed.data, codeName, []) }
}

/** The path of the --set that an issue is about: at its place or above it, or the key nobody knows. */
function setBehind(issue: z.core.$ZodIssue, setPaths: readonly string[]): string | undefined {
  const places = (
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
  ).map((path) => path.map(String).join('.'))
  return setPaths.find((set) =>
    places.some(
      (place) => place === set || place.startsWith(`${set}.`) || (isUnknown(issue) && set.startsWith(`${place}.`)),
    ),
  )
}

const isUnknown = ({ code }: z.core.$ZodIssue): boolean => code === 'unrecognized_keys'

function refuseUnknownKeys(
  input: unknown,
  output: unknown,
  path: readonly string[],
  where: string,
  setPaths: readonly string[],
): void {
  if (!isPlain(input) || !isPlain(output)) return
  for (const [key, value] of Object.entries(input)) {
    const here = [...path, key]
    const name = here.join('.')
    // Its own, not one of every object's: a schema drops `__proto__`, which would then silently set nothing.
    if (value !== undefined && !Object.hasOwn(output, key)) {
      const fromSet = setPaths.find((set) => set === name || set.startsWith(`${name}.`) || name.startsWith(`${set}.`))
      throw new Fault({
        code: 'usage',
        what: `there is no config key "${name}"${didYouMean(key, Object.keys(output))}`,
        where: fromSet === undefined ? where : `--set ${fromSet}`,
        todo: `known here: ${Object.keys(output).join(', ')}`,
      })
    }
    refuseUnknownKeys(value, output[key], here, where, setPaths)
  }
}

function shownValue(value: unknown, codeName: (value: object) => string | undefined, path: readonly string[]): unknown {
  if (typeof value === 'function' || (typeof value === 'object' && value !== null)) {
    const name = codeName(value)
    if (name !== undefined) return { $code: name }
  }
  if (typeof value === 'function')
    throw new Fault({
      code: 'usage',
      what: `the config holds a function at "${path.join('.')}" that no module exports`,
      todo: 'export it, so that it has a name and a code identity',
    })
  if (Array.isArray(value)) return value.map((item, i) => shownValue(item, codeName, [...path, String(i)]))
  if (typeof value !== 'object' || value === null) return value
  const { envName } = value as { envName?: unknown }
  if (!isPlain(value) && typeof envName === 'string') return { $secret: envName }
  if (value instanceof Date)
    throw new Fault({
      code: 'usage',
      what: `the config holds a Date at "${path.join('.')}"`,
      todo: 'give milliseconds since 1970, or an ISO text',
    })
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, held]) => held !== undefined)
      .map(([key, held]) => [key, shownValue(held, codeName, [...path, key])]),
  )
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
