import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningExchange, startExchange } from '../../../lib/sim/server.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { dayStart, monthStart, parseUtc } from '../../../lib/time.ts'
import { dataset } from '../../../pipeline/graphs/dataset.ts'
import { MemoryRun } from '../../support/memoryRun.ts'

let server: RunningExchange
beforeAll(async () => {
  server = await startExchange()
})
afterAll(() => server.close())

const present = parseUtc('2026-08-05T09:00')!
const barKinds = ['klines', 'markPriceKlines', 'indexPriceKlines', 'premiumIndexKlines']

/** Nobody but the archive is asked, and the least that is wrong with a file of it ends the run. */
async function make(config: object): Promise<MemoryRun> {
  const { url } = server
  const run = new MemoryRun(
    dataset,
    {
      source: 'archives',
      policy: 'reject',
      baseUrls: { usdm: url, spot: url, archive: url, listing: url },
      http: { backoffMsMin: 1, backoffMsMax: 3, forbiddenPauseMs: 1, pauseMsMin: 1, attemptsMax: 3, budgetShare: 1 },
      universe: { mode: 'listed', symbols: ['DOTUSDT'] },
      audit: true,
      ...config,
    },
    present,
  )
  await run.make('dataset')
  return run
}
const tableOf = (run: MemoryRun, task: string) => [...run.of<Table>(task).values()][0]!

test('a range that begins within a month takes the month of every kind from its file, which is clean', async () => {
  const run = await make({
    from: '2026-05-08',
    to: '2026-05-15',
    bars: [
      ...barKinds.flatMap((kind) => ['1h', '1d'].map((interval) => ({ kind, interval }))),
      { market: 'spot', interval: '1h' },
    ],
    metrics: true,
  })
  const { settledTsMs } = tableOf(run, 'ingestFunding').columns as { settledTsMs: Float64Array }
  expect(settledTsMs[0]).toBe(monthStart('2026-05'))
  expect(tableOf(run, 'ingestKlines').rowCount).toBe(31 * 24)
  expect(tableOf(run, 'ingestMetrics').rowCount).toBe(24 * 12)
}, 60_000)

test('so does one that begins within a day take the whole day of metrics and of trades', async () => {
  const run = await make({
    from: '2026-05-08T10:00',
    to: '2026-05-08T14:00',
    bars: [],
    funding: false,
    metrics: true,
    trades: ['usdm', 'spot'],
    aggTrades: ['usdm', 'spot'],
  })
  const { fromTsMs } = tableOf(run, 'ingestMetrics').columns as { fromTsMs: Float64Array }
  expect(fromTsMs[0]).toBe(dayStart('2026-05-08'))
  for (const task of ['ingestTrades', 'ingestSpotTrades', 'ingestAggTrades', 'ingestSpotAggTrades'])
    expect(tableOf(run, task).rowCount, task).toBeGreaterThan(1000)
}, 60_000)
