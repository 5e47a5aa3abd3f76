import { z } from 'zod'
import { exchangeInfo } from '../../lib/market/rawFiles.ts'
import { askSim } from '../../lib/venues/simVenue.ts'
import { defineTask, PermanentError } from '../../pipeline/engine/task.ts'

/** What the venue lists, bytes as they came. It is a "now": symbols that are gone are not in it. */
export const fetchExchangeInfo = defineTask({
  name: 'fetchExchangeInfo',
  kind: 'source',
  version: 1,
  params: z.object({ source: z.literal('sim').default('sim') }),
  output: exchangeInfo,
  run: async (_, _params, { progress }) => {
    const { status, body } = askSim('/fapi/v1/exchangeInfo')
    if (status !== 200) throw new PermanentError(`the embedded exchange answered ${status}`)
    progress({ requests: 1, bytes: body.length })
    return [{ name: 'exchangeInfo.json', bytes: body }]
  },
})
