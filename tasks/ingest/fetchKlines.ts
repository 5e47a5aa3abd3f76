import { z } from 'zod'
import { klineArchive } from '../../lib/market/rawFiles.ts'
import { askSim } from '../../lib/venues/simVenue.ts'
import { absent, defineTask, PermanentError } from '../../pipeline/engine/task.ts'

/** One month of bars as the venue's archive holds it: the zip, untouched. */
export const fetchKlines = defineTask({
  name: 'fetchKlines',
  kind: 'source',
  version: 1,
  params: z.object({ symbol: z.string(), interval: z.string(), month: z.string().regex(/^\d{4}-\d{2}$/) }),
  output: klineArchive,
  limits: { group: 'archive' },
  run: async (_, { symbol, interval, month }, { progress }) => {
    const name = `${symbol}-${interval}-${month}.zip`
    const { status, body } = askSim(`/data/futures/um/monthly/klines/${symbol}/${interval}/${name}`)
    progress({ requests: 1, bytes: body.length })
    if (status === 404) return absent(`the archive has no ${name}`)
    if (status !== 200) throw new PermanentError(`the archive answered ${status} for ${name}`)
    return [{ name, bytes: body }]
  },
})
