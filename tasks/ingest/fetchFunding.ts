import { z } from 'zod'
import { fundingArchive } from '../../lib/market/rawFiles.ts'
import { askSim } from '../../lib/venues/simVenue.ts'
import { absent, defineTask, PermanentError } from '../../pipeline/engine/task.ts'

/** One month of published funding settlements: the zip, untouched. */
export const fetchFunding = defineTask({
  name: 'fetchFunding',
  kind: 'source',
  version: 1,
  params: z.object({ symbol: z.string(), month: z.string().regex(/^\d{4}-\d{2}$/) }),
  output: fundingArchive,
  limits: { group: 'archive' },
  run: async (_, { symbol, month }, { progress }) => {
    const name = `${symbol}-fundingRate-${month}.zip`
    const { status, body } = askSim(`/data/futures/um/monthly/fundingRate/${symbol}/${name}`)
    progress({ requests: 1, bytes: body.length })
    if (status === 404) return absent(`the archive has no ${name}`)
    if (status !== 200) throw new PermanentError(`the archive answered ${status} for ${name}`)
    return [{ name, bytes: body }]
  },
})
