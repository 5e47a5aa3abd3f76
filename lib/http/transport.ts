import type { Dispatcher } from 'undici'
import { HttpFault } from './httpFault.ts'
import type { HttpPolicy } from './policy.ts'

export type WireRequest = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** An answer whose body has not been read. */
export type WireAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: AsyncIterable<Uint8Array>
  /** Gives up the rest of the body. */
  discard(): void
}

/** One try at one request: no retry, no meaning. */
export type Transport = {
  send(request: WireRequest): Promise<WireAnswer>
  close(): Promise<void>
}

/** Keep-alive connections to every host, through a proxy where one is set. */
export function undiciTransport(policy: HttpPolicy, env: Readonly<Record<string, string | undefined>>): Transport {
  let dispatcher: Promise<Dispatcher> | undefined
  return {
    async send({ url, headers, signal }) {
      const { request } = await import('undici')
      dispatcher ??= openDispatcher(policy, env)
      const limit = AbortSignal.timeout(policy.attemptTimeoutMs)
      const either = signal === undefined ? limit : AbortSignal.any([signal, limit])
      try {
        const answer = await request(url, { method: 'GET', headers, signal: either, dispatcher: await dispatcher })
        return {
          status: answer.statusCode,
          headers: flat(answer.headers),
          body: wireErrors(answer.body, url, signal),
          discard: () => {
            answer.body.on('error', () => {})
            answer.body.destroy()
          },
        }
      } catch (error) {
        throw wireFault(error, url, signal)
      }
    },
    async close() {
      await (await dispatcher)?.destroy()
    },
  }
}

async function openDispatcher(
  policy: HttpPolicy,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Dispatcher> {
  const { Agent, EnvHttpProxyAgent, ProxyAgent } = await import('undici')
  const options = {
    connections: policy.connectionsPerHost,
    pipelining: 1,
    connect: { timeout: policy.connectTimeoutMs },
    headersTimeout: policy.headersTimeoutMs,
    bodyTimeout: policy.bodyTimeoutMs,
  }
  if (policy.proxyUrl !== undefined) return new ProxyAgent({ ...options, uri: policy.proxyUrl })
  const of = (name: string) => env[name.toLowerCase()] ?? env[name]
  const httpProxy = of('HTTP_PROXY')
  const httpsProxy = of('HTTPS_PROXY')
  if (!httpProxy && !httpsProxy) return new Agent(options)
  const noProxy = of('NO_PROXY')
  return new EnvHttpProxyAgent({
    ...options,
    ...(httpProxy ? { httpProxy } : {}),
    ...(httpsProxy ? { httpsProxy } : {}),
    ...(noProxy ? { noProxy } : {}),
  })
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}

async function* wireErrors(
  body: AsyncIterable<Uint8Array>,
  url: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    throw wireFault(error, url, signal)
  }
}

const timeoutCodes = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

/** A failure of the wire as a fault; being told to stop is not one. */
function wireFault(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  const { code, name, message } = error as { code?: string; name?: string; message?: string }
  if (timeoutCodes.has(code ?? '') || name === 'TimeoutError') {
    return new HttpFault({
      trouble: 'timeout',
      url,
      what: `no answer in time (${code ?? 'the attempt took too long'})`,
      cause: error,
    })
  }
  const isMismatch = code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  return new HttpFault({
    trouble: isMismatch ? 'wrongLength' : 'connection',
    url,
    what: isMismatch ? 'the body has another length than announced' : `the connection broke (${code ?? message})`,
    todo: 'check the network, the base URL and the proxy',
    cause: error,
  })
}
