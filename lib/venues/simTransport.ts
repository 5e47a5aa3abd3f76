import { setImmediate } from 'node:timers/promises'
import type { Transport } from '../http/transport.ts'
import type { Exchange } from '../sim/exchange/exchange.ts'

/** Within this process nobody has to be polite. */
const unlimited = { limit: Number.POSITIVE_INFINITY, windowMs: 60_000 }
const noLimits = { futures: unlimited, funding: unlimited, statistics: unlimited, spot: unlimited }

/** The embedded exchange in this process: the same paths and bytes as over its socket, without one. Its code is loaded
 *  when somebody asks, and not before. */
export function simTransport(): Transport {
  let exchange: Promise<Exchange> | undefined
  let last: Promise<unknown> = Promise.resolve()
  const open = async () => {
    const { defaultWorld } = await import('../sim/defaultWorld.ts')
    const { createMarket } = await import('../sim/market.ts')
    const { createExchange } = await import('../sim/exchange/exchange.ts')
    // One exchange for all questions: it keeps the file whose checksum was asked for first.
    return createExchange(createMarket(defaultWorld), { limits: noLimits })
  }
  // A network would let others have their turn. Here one question is answered at a time, and whatever else waits in this
  // process gets its turn before it and after each day of a file: else workers would stand idle while files are made.
  const answer = async (url: string, headers: Readonly<Record<string, string>>) => {
    exchange ??= open()
    const { prepare, handle } = await exchange
    await setImmediate()
    for (const _ of prepare(url)) await setImmediate()
    return handle({ method: 'GET', url, headers })
  }
  return {
    async send({ url, headers: asked }) {
      const { pathname, search } = new URL(url)
      const turn = last.then(() => answer(pathname + search, asked))
      last = turn.catch(() => {})
      const { status, headers, body } = await turn
      return { status, headers, body: once(body), discard: () => {} }
    },
    close: async () => {},
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body
}
