import { demo } from './pipeline/graphs/demo.ts'
import { defineProject, withConfig } from './pipeline/index.ts'

export default defineProject({
  root: '.pipe',
  pipelines: [
    withConfig(demo, {
      symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT', 'BNBUSDT', 'XRPUSDT', 'DOGEUSDT', 'ADAUSDT', 'LINKUSDT'],
      fromMonth: '2026-03',
      toMonth: '2026-06',
    }),
  ],
})
