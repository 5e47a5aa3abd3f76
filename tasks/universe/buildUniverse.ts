import { z } from 'zod'
import { exchangeInfo } from '../../lib/market/rawFiles.ts'
import { universe } from '../../lib/market/universe.ts'
import { parseExchangeInfo } from '../../lib/venues/exchangeInfo.ts'
import { defineTask } from '../../pipeline/engine/task.ts'

/** Who may be traded: the symbols asked for, as far as the venue lists them as perpetuals. Nobody is chosen by what
 *  became of them later: the list is the user's. */
export const buildUniverse = defineTask({
  name: 'buildUniverse',
  kind: 'pure',
  params: z.object({ symbols: z.array(z.string()).min(1) }),
  inputs: { exchangeInfo },
  output: universe,
  run: ({ exchangeInfo: files }, { symbols }) => {
    const { tradable, rejected } = parseExchangeInfo(files.read('exchangeInfo.json'))
    const wanted = new Set(symbols)
    const known = new Set([...tradable, ...rejected].map(({ symbol }) => symbol))
    return {
      symbols: tradable.filter(({ symbol }) => wanted.has(symbol)).sort((a, b) => (a.symbol < b.symbol ? -1 : 1)),
      rejected: [
        ...rejected.filter(({ symbol }) => wanted.has(symbol)),
        ...symbols
          .filter((symbol) => !known.has(symbol))
          .map((symbol) => ({ symbol, reason: 'the venue does not list it' })),
      ],
    }
  },
})
