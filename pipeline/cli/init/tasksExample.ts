/** The project of `pipe init --tasks`, by path: a pipeline from nothing, small enough to read in two minutes. It runs
 *  with no network: its source makes up what a real one would download. */
export const tasksExample: Readonly<Record<string, string>> = {
  'pipe.config.ts': `import { definePipeline, defineProject, withConfig, z } from 'tickpipe'
import { meanReversion } from './strategies/meanReversion.ts'
import { backtest } from './tasks/backtest.ts'
import { fetchPrices } from './tasks/fetchPrices.ts'
import { parsePrices } from './tasks/parsePrices.ts'
import { writeReport } from './tasks/writeReport.ts'

const config = z.object({
  symbols: z.array(z.string()),
  days: z.number().int().positive(),
  window: z.number().int().positive(),
  feeBps: z.number().nonnegative(),
})

/** A pipeline is a function from a config to a graph. Try "pipe plan --set window=5". */
export const demo = definePipeline('demo', config, (graph, { symbols, days, window, feeBps }) => {
  const results = symbols.map((symbol) => {
    const raw = graph.add(fetchPrices, { at: [symbol], params: { symbol, days } })
    const prices = graph.add(parsePrices, { at: [symbol], inputs: { raw } })
    return graph.add(backtest, {
      at: [symbol],
      params: { symbol, window, feeBps },
      inputs: { prices },
      code: { strategy: meanReversion },
    })
  })
  graph.target('results', ...results)
  graph.target('report', graph.add(writeReport, { inputs: { results } }))
})

export default defineProject({
  root: '.pipe',
  pipelines: [withConfig(demo, { symbols: ['BTC', 'ETH', 'SOL'], days: 250, window: 10, feeBps: 5 })],
})
`,
  'artifacts.ts': `import { defineTable, f64, filesArtifact, jsonArtifact, tableArtifact, tsMs, z } from 'tickpipe'

// Tasks meet in these types and nowhere else: a task that imported another would carry its code along, and would run
// again whenever that changed.

export const rawPrices = filesArtifact('rawPrices')

export const prices = tableArtifact(
  defineTable({
    name: 'prices',
    version: 1,
    columns: { tsMs: tsMs({ doc: 'open of the day' }), close: f64({ unit: 'USDT' }) },
    sortKey: ['tsMs'],
  }),
)

export const result = jsonArtifact(
  'result',
  z.object({ symbol: z.string(), days: z.number(), trades: z.number(), returnPct: z.number(), holdPct: z.number() }),
)

export const report = filesArtifact('report')
`,
  'strategies/strategy.ts': `/** What a strategy sees, and what it answers: the share of the capital it wants to hold, from 0 to 1. */
export type Strategy = (closesSoFar: Float64Array, window: number) => number
`,
  'strategies/meanReversion.ts': `import type { Strategy } from './strategy.ts'

/** Holds while the price is below its mean. Change it and run again: only the backtests and the report run. */
export const meanReversion: Strategy = (closes, window) => {
  if (closes.length < window) return 0
  let sum = 0
  for (let i = closes.length - window; i < closes.length; i++) sum += closes[i]!
  return closes[closes.length - 1]! < sum / window ? 1 : 0
}
`,
  'tasks/fetchPrices.ts': `import { defineTask, z } from 'tickpipe'
import { rawPrices } from '../artifacts.ts'

const dayMs = 86_400_000

/** A source brings bytes in from outside, exactly as they come. This one makes them up, so that the example runs
 *  offline; a real one would fetch them with \`signal\` and say how far it is with \`progress\`. */
export const fetchPrices = defineTask({
  name: 'fetchPrices',
  kind: 'source',
  version: 1,
  params: z.object({ symbol: z.string(), days: z.number() }),
  output: rawPrices,
  limits: { group: 'exchange' },
  async run(_inputs, { symbol, days }, { progress }) {
    let state = [...symbol].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7)
    let price = 100
    const lines = ['ts,close']
    for (let day = 0; day < days; day++) {
      state = (state * 48271) % 2147483647
      price = Math.max(1, price + (state / 2147483647 - 0.49) * 4)
      lines.push([Date.UTC(2024, 0, 1) + day * dayMs, price.toFixed(2)].join(','))
    }
    const bytes = new TextEncoder().encode(lines.join('\\n'))
    progress({ bytes: bytes.length, requests: 1 })
    return [{ name: 'prices.csv', bytes }]
  },
})
`,
  'tasks/parsePrices.ts': `import { defineTask, makeTable, z } from 'tickpipe'
import { prices, rawPrices } from '../artifacts.ts'

/** A pure task sees its params and inputs and nothing else. Parsing is never part of a source: a better parser should
 *  not download anything again. */
export const parsePrices = defineTask({
  name: 'parsePrices',
  kind: 'pure',
  params: z.object({}),
  inputs: { raw: rawPrices },
  output: prices,
  run({ raw }) {
    const [, ...rows] = new TextDecoder().decode(raw.read('prices.csv')).split('\\n')
    const ts = new Float64Array(rows.length)
    const close = new Float64Array(rows.length)
    rows.forEach((row, i) => {
      const [tsText, closeText] = row.split(',')
      ts[i] = Number(tsText)
      close[i] = Number(closeText)
    })
    return makeTable(prices.schema, { tsMs: ts, close })
  },
})
`,
  'tasks/backtest.ts': `import { codePort, defineTask, z } from 'tickpipe'
import { prices, result } from '../artifacts.ts'
import type { Strategy } from '../strategies/strategy.ts'

/** Trades at the close after each decision. The strategy comes in through a code port: it has an identity of its own. */
export const backtest = defineTask({
  name: 'backtest',
  kind: 'pure',
  params: z.object({ symbol: z.string(), window: z.number(), feeBps: z.number() }),
  inputs: { prices },
  code: { strategy: codePort<Strategy>() },
  output: result,
  run({ prices: table, strategy }, { symbol, window, feeBps }, { log }) {
    const { close } = table.columns
    let equity = 1
    let held = 0
    let trades = 0
    for (let i = 1; i < close.length; i++) {
      equity *= 1 + held * (close[i]! / close[i - 1]! - 1)
      const wanted = strategy(close.subarray(0, i + 1), window) // it never sees the future: there is none in the array
      if (wanted !== held) {
        equity *= 1 - Math.abs(wanted - held) * (feeBps / 10_000)
        trades++
        held = wanted
      }
    }
    log(symbol + ': ' + trades + ' trades')
    const percent = (value: number) => Math.round(value * 10_000) / 100
    return {
      symbol,
      days: close.length,
      trades,
      returnPct: percent(equity - 1),
      holdPct: percent(close[close.length - 1]! / close[0]! - 1),
    }
  },
})
`,
  'tasks/writeReport.ts': `import { defineTask, many, z } from 'tickpipe'
import { report, result } from '../artifacts.ts'

/** Collects all results. "pipe cat report" prints what it makes. */
export const writeReport = defineTask({
  name: 'writeReport',
  kind: 'pure',
  params: z.object({}),
  inputs: { results: many(result) },
  output: report,
  run({ results }) {
    const cell = (text: string | number) => String(text).padStart(10)
    const lines = [['symbol', 'trades', 'return %', 'hold %'].map(cell).join('')]
    for (const { symbol, trades, returnPct, holdPct } of results) {
      lines.push([symbol, trades, returnPct.toFixed(2), holdPct.toFixed(2)].map(cell).join(''))
    }
    return [{ name: 'report.txt', bytes: new TextEncoder().encode(lines.join('\\n') + '\\n') }]
  },
})
`,
}
