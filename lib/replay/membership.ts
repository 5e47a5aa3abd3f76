import type { z } from 'zod'
import type { UniverseChange } from '../backtest/market.ts'
import type { universe } from '../market/universe/universe.ts'

/** Who belongs from when: the dates it was chosen at, or always, where the symbols were given one by one. */
export function membershipOf({ symbols, selection }: z.infer<typeof universe.schema>): readonly UniverseChange[] {
  return selection?.dates ?? [{ tsMs: 0, symbols: symbols.map(({ symbol }) => symbol) }]
}
