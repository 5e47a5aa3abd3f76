import { demo } from './pipeline/graphs/demo.ts'
import { usdm } from './pipeline/graphs/usdm.ts'
import { defineProject, withConfig } from './pipeline/index.ts'

export default defineProject({
  root: '.pipe',
  pipelines: [
    withConfig(demo, {
      symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'BNBUSDT', 'XRPUSDT', 'DOGEUSDT', 'ADAUSDT', 'LINKUSDT'],
      fromMonth: '2026-03',
      toMonth: '2026-06',
    }),
    withConfig(usdm, {
      symbols: ['BTCUSDT', 'ETHUSDT', 'XRPUSDT', '1000PEPEUSDT'],
      fromMonth: '2026-05',
      toMonth: '2026-07',
    }),
  ],
})
