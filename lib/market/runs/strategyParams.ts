import type { Strategy } from '../../backtest/strategy.ts'
import { Fault } from '../../fault.ts'
import { didYouMean } from '../../nearMatch.ts'

/** A strategy's params as its own schema sees them. One that the schema does not know would be left out in silence, and a
 *  sweep over a misspelt name would be as many runs of the default: it is refused. */
export function strategyParams<Params>(strategy: Strategy<Params>, given: Readonly<Record<string, unknown>>): Params {
  const where = `strategy ${strategy.name}`
  const known = keysOf(strategy.params)
  for (const key of known === undefined ? [] : Object.keys(given)) {
    if (known!.includes(key)) continue
    throw new Fault({
      code: 'usage',
      what: `it has no param "${key}"${didYouMean(key, known!)}`,
      where,
      todo: `${known!.length === 0 ? 'it takes no params' : `its params are ${known!.join(', ')}`}; another strategy is named with its own: --set 'strategy={"name":"${strategy.name}"}'`,
    })
  }
  const parsed = strategy.params.safeParse(given)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.') || '(all)'}: ${message}`)
  throw new Fault({
    code: 'usage',
    what: `its params are wrong: ${issues.join('; ')}`,
    where,
    todo: 'correct "strategy" in the config',
  })
}

/** The keys of an object's schema, whatever it is wrapped in; undefined for what takes any. */
function keysOf(schema: unknown): string[] | undefined {
  let inner = schema as { shape?: object; def?: { innerType?: unknown; catchall?: { type: string } } } | undefined
  while (inner !== undefined && inner.shape === undefined) inner = inner.def?.innerType as typeof inner
  const catchall = inner?.def?.catchall?.type
  const isOpen = catchall !== undefined && catchall !== 'never'
  return inner?.shape === undefined || isOpen ? undefined : Object.keys(inner.shape)
}
