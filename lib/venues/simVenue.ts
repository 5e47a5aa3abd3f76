import { defaultWorld } from '../sim/defaultWorld.ts'
import { handleRequest } from '../sim/exchange/exchange.ts'
import { createMarket, type Market } from '../sim/market.ts'

let market: Market | undefined

/** The embedded exchange, asked in this process: the same paths and bytes as over its socket, without one. */
export function askSim(path: string): { readonly status: number; readonly body: Uint8Array } {
  // It generates history when asked for it; nothing is generated twice within a process.
  market ??= createMarket(defaultWorld)
  return handleRequest(market, { method: 'GET', url: path })
}
