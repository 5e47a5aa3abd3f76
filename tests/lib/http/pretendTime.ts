import type { Clock } from '../../../lib/http/clock.ts'
import type { Transport, WireAnswer } from '../../../lib/http/transport.ts'
import type { Exchange } from '../../../lib/sim/exchange/exchange.ts'

/** A clock that jumps to the next sleeper's hour as soon as nothing is on its way: hours of waiting in no time. */
export type PretendTime = {
  readonly clock: Clock
  /** Lets the clock see what is on its way, so that it does not jump meanwhile. */
  watch(transport: Transport): Transport
  elapsedMs(): number
}

type Sleeper = { atMs: number; wake(): void }

export function pretendTime(startMs = 1_760_000_000_000): PretendTime {
  let nowMs = startMs
  let onTheWay = 0
  let sleepers: Sleeper[] = []
  let isTicking = false
  let quiet = 0

  const tick = () => {
    isTicking = false
    if (sleepers.length === 0) return
    // Some turns of the event loop without anything happening, so that whoever was just woken can send first.
    quiet = onTheWay === 0 ? quiet + 1 : 0
    if (quiet > 3) {
      quiet = 0
      nowMs = Math.max(nowMs, Math.min(...sleepers.map(({ atMs }) => atMs)))
      const due = sleepers.filter(({ atMs }) => atMs <= nowMs)
      sleepers = sleepers.filter(({ atMs }) => atMs > nowMs)
      for (const { wake } of due) wake()
    }
    schedule()
  }
  const schedule = () => {
    if (isTicking) return
    isTicking = true
    setImmediate(tick)
  }

  return {
    elapsedMs: () => nowMs - startMs,
    clock: {
      nowMs: () => nowMs,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason)
          const sleeper = { atMs: nowMs + ms, wake: resolve }
          sleepers.push(sleeper)
          signal?.addEventListener('abort', () => {
            sleepers = sleepers.filter((one) => one !== sleeper)
            reject(signal.reason)
          })
          schedule()
        }),
    },
    watch: (transport) => ({
      async send(request) {
        onTheWay++
        try {
          const answer = await transport.send(request)
          return { ...answer, body: counted(answer.body) }
        } catch (error) {
          onTheWay--
          throw error
        }
      },
      close: () => transport.close(),
    }),
  }

  async function* counted(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* body
    } finally {
      onTheWay--
    }
  }
}

/** The embedded exchange without sockets. An answer takes a turn of the event loop, so that requests overlap. */
export function exchangeTransport(exchange: Exchange): Transport {
  return {
    async send({ url }): Promise<WireAnswer> {
      const { pathname, search } = new URL(url)
      await new Promise((resolve) => setImmediate(resolve))
      const { status, headers, body } = exchange.handle({ method: 'GET', url: `${pathname}${search}` })
      return {
        status,
        headers,
        body: (async function* () {
          yield body
        })(),
        discard: () => {},
      }
    },
    close: async () => {},
  }
}
