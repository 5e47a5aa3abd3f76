import { setImmediate } from 'node:timers/promises'
import type { Transport } from '../http/transport.ts'

/** Within this process nobody has to be polite. */
const unlimited = { limit: Number.POSITIVE_INFINITY, windowMs: 60_000 }
const noLimits = { futures: unlimited, funding: unlimited, statistics: unlimited, spot: unlimited }

/** The embedded exchange in this process: the same paths and bytes as over its socket, without one. Its code is loaded
 *  when somebody asks, and not before. */
export function simTransport(): Transport {
  let exchange: Promise<
    (
      url: string,
      headers: Readonly<Record<string, string>>,
    ) => { status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }
  >
  let last = Promise.resolve()
  const open = async () => {
    const { defaultWorld } = await import('../sim/defaultWorld.ts')
    const { createMarket } = await import('../sim/market.ts')
    const { createExchange } = await import('../sim/exchange/exchange.ts')
    // One exchange for all questions: it keeps the file whose checksum was asked for first.
    const exchange = createExchange(createMarket(defaultWorld), { limits: noLimits })
    return (url: string, headers: Readonly<Record<string, string>>) => exchange.handle({ method: 'GET', url, headers })
  }
  return {
    async send({ url, headers: asked }) {
      exchange ??= open()
      const answer = await exchange
      // A network would let others have their turn. Here one question is answered at a time, and then whatever else waits in
      // this process gets it: workers would stand idle until the last of a thousand files is made.
      const turn = last.then(() => setImmediate())
      last = turn
      await turn
      const { pathname, search } = new URL(url)
      const { status, headers, body } = answer(pathname + search, asked)
      return { status, headers, body: once(body), discard: () => {} }
    },
    close: async () => {},
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body
}
