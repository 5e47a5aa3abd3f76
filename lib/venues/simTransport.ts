import type { Transport } from '../http/transport.ts'

/** The embedded exchange in this process: the same paths and bytes as over its socket, without one. Its code is loaded
 *  when somebody asks, and not before. */
export function simTransport(): Transport {
  let exchange: Promise<
    (url: string) => { status: number; headers: Readonly<Record<string, string>>; body: Uint8Array }
  >
  const open = async () => {
    const { defaultWorld } = await import('../sim/defaultWorld.ts')
    const { createMarket } = await import('../sim/market.ts')
    const { handleRequest } = await import('../sim/exchange/exchange.ts')
    const market = createMarket(defaultWorld)
    return (url: string) => handleRequest(market, { method: 'GET', url })
  }
  return {
    async send({ url }) {
      exchange ??= open()
      const { pathname, search } = new URL(url)
      const { status, headers, body } = (await exchange)(pathname + search)
      return { status, headers, body: once(body), discard: () => {} }
    },
    close: async () => {},
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body
}
