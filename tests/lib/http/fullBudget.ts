import { createHttp } from '../../../lib/http/client.ts'
import { httpPolicy } from '../../../lib/http/policy.ts'
import { defaultWorld } from '../../../lib/sim/defaultWorld.ts'
import { createExchange } from '../../../lib/sim/exchange/exchange.ts'
import { createMarket } from '../../../lib/sim/market.ts'
import { MINUTE_MS } from '../../../lib/time.ts'
import { usdmWeight } from '../../../lib/venues/budgets.ts'
import { exchangeTransport, pretendTime } from './pretendTime.ts'

/** What a page of minutes weighs by its length, as the venue documents it. */
const pages = [
  { limit: 99, weight: 1 },
  { limit: 499, weight: 2 },
  { limit: 1000, weight: 5 },
  { limit: 1500, weight: 10 },
] as const

/** What was spent in each minute of the exchange's clock, and how often it refused. */
export type BudgetUse = { readonly weights: readonly number[]; readonly limit: number; readonly refused: number }

/** Downloads at the documented limit, on a clock that jumps: pages of klines of every weight, for so many whole windows. */
export async function downloadAtFullLimit(windows: number): Promise<BudgetUse> {
  const market = createMarket(defaultWorld)
  const time = pretendTime()
  const exchange = createExchange(market, { elapsedMs: time.elapsedMs })
  const http = createHttp({
    policy: httpPolicy.parse({ budgetShare: 1 }),
    clock: time.clock,
    transport: time.watch(exchangeTransport(exchange)),
  })
  const perWindow = new Map<number, number>()
  let asked = 0
  let spent = 0
  const worker = async () => {
    while (spent < windows * usdmWeight.limit) {
      const { limit, weight } = pages[asked++ % pages.length]!
      spent += weight
      // Pages weigh by what they may hold; that these hold three minutes is quicker to make.
      const query = `symbol=BTCUSDT&interval=1m&limit=${limit}&startTime=${market.nowTsMs - 3 * MINUTE_MS}`
      const url = `http://exchange/fapi/v1/klines?${query}`
      await http.get({ url, expects: 'json', budget: { pool: usdmWeight, weight } })
      const window = Math.floor((market.nowTsMs + time.elapsedMs()) / MINUTE_MS)
      perWindow.set(window, (perWindow.get(window) ?? 0) + weight)
    }
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  const weights = [...perWindow].sort(([a], [b]) => a - b).map(([, weight]) => weight)
  return { weights, limit: usdmWeight.limit, refused: exchange.tally.refused }
}
