import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { MarketConfig } from './config.ts'
import { defaultWorld } from './defaultWorld.ts'
import { createExchange, type Exchange, type ExchangeOptions } from './exchange/exchange.ts'
import type { SimResponse } from './exchange/request.ts'

export type ServerOptions = ExchangeOptions & {
  readonly market?: MarketConfig
  /** 0 (the default) takes any free port. */
  readonly port?: number
  readonly host?: string
  /** Told of every request once its answer is decided. */
  readonly onAnswer?: (answered: Answered) => void
}

/** A line of the access log. */
export type Answered = {
  readonly method: string
  readonly url: string
  readonly status: number
  readonly sizeBytes: number
  readonly tookMs: number
  /** What the wire does to it, where a fault says so. */
  readonly wire?: string
}

export type RunningExchange = {
  /** Base URL of everything: futures and spot API, archive files, and the bucket listing at its root. */
  readonly url: string
  readonly exchange: Exchange
  close(): Promise<void>
}

/** Serves a simulated exchange over real sockets. Limits run in real time from the market's fixed present. */
export async function startExchange(options: ServerOptions = {}): Promise<RunningExchange> {
  const openedMs = performance.now()
  const elapsedMs = options.elapsedMs ?? (() => performance.now() - openedMs)
  return serveExchange(createExchange(options.market ?? defaultWorld, { ...options, elapsedMs }), options)
}

/** The same exchange may be served at several addresses. */
export async function serveExchange(
  exchange: Exchange,
  options: Pick<ServerOptions, 'port' | 'host' | 'onAnswer'>,
): Promise<RunningExchange> {
  const server = createServer((request, response) => {
    serve(exchange, request, response, options.onAnswer).catch((error: unknown) => {
      // A bug in the simulation must not look like a fault of the venue.
      response.writeHead(599, { 'content-type': 'text/plain' })
      response.end(error instanceof Error ? error.stack : String(error))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })
  const { address, port } = server.address() as AddressInfo
  return {
    url: `http://${address}:${port}`,
    exchange,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()))
        server.closeAllConnections()
      }),
  }
}

async function serve(
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
  onAnswer: ServerOptions['onAnswer'],
): Promise<void> {
  const askedMs = performance.now()
  const { method, url } = { method: request.method!, url: request.url! }
  const timeUnit = request.headers['x-mbx-time-unit']
  const headers = typeof timeUnit === 'string' ? { 'x-mbx-time-unit': timeUnit } : {}
  request.resume()
  response.sendDate = false // the exchange has its own clock
  const isGet = method === 'GET' || method === 'HEAD'
  if (!isGet) {
    onAnswer?.({ method, url, status: 405, sizeBytes: 0, tookMs: performance.now() - askedMs })
    response.writeHead(405).end()
    return
  }
  const { status, headers: answered, body, wire }: SimResponse = exchange.handle({ method, url, headers })
  const tookMs = performance.now() - askedMs
  onAnswer?.({
    method,
    url,
    status,
    sizeBytes: body.length,
    tookMs,
    ...(wire === undefined ? {} : { wire: wire.kind }),
  })
  if (wire?.kind === 'reset' && wire.afterBytes === 0) {
    request.socket.resetAndDestroy()
    return
  }
  response.writeHead(status, { ...answered, 'content-length': body.length })
  if (method === 'HEAD' || wire === undefined) {
    response.end(method === 'HEAD' ? undefined : body)
    return
  }
  if (wire.kind === 'slow') {
    for (let at = 0; at < body.length && !response.destroyed; at += wire.chunkBytes) {
      response.write(body.subarray(at, at + wire.chunkBytes))
      await pause(wire.pauseMs)
    }
    response.end()
    return
  }
  response.write(body.subarray(0, wire.afterBytes), () => {
    if (wire.kind === 'reset') request.socket.resetAndDestroy()
    else request.socket.end()
  })
}
