import { createHash } from 'node:crypto'
import { type Budget, type BudgetUse, createBudget } from './budget.ts'
import { type Expected, faultOf } from './classify.ts'
import { type Clock, systemClock } from './clock.ts'
import { HttpFault, type HttpTrouble, shownTrouble, shownUrl } from './httpFault.ts'
import { defaultHttpPolicy, type HttpPolicy } from './policy.ts'
import { discreet } from './requestSecrets.ts'
import { createServerClock, type ServerClock } from './serverClock.ts'
import { type Transport, undiciTransport } from './transport.ts'

export type HttpRequest = {
  readonly url: string
  readonly expects: Expected
  /** What it draws on; without one only the pauses of its host hold it back. */
  readonly budget?: BudgetUse
  readonly headers?: Readonly<Record<string, string>>
  readonly sizeBytesMax?: number
  /** Says of a body, or of the first bytes of a download, why it cannot be what was asked for: that try has failed. A page of
   *  somebody else's comes with status 200 as well. */
  readonly whyWrong?: (begin: Uint8Array) => string | undefined
  readonly signal?: AbortSignal
  /** Hears of every wait as it begins, for a failure or for the venue's limit: somebody may sit before a screen. Of those that
   *  queue for the limit the first hears. */
  readonly onWait?: (wait: Wait) => void
}

/** A wait before asking again. Pauses that a venue asked for use up no tries, and hold back whoever asks that host. */
export type Wait = {
  readonly host: string
  /** The status of the answer, or in words what went wrong. */
  readonly after: string
  readonly waitMs: number
  readonly nextTry?: { readonly attempt: number; readonly attemptsMax: number }
}

/** Where a body goes while it arrives. A try that fails leaves its sink unfinished, and the next one opens another. */
export type BodySink = { write(chunk: Uint8Array): void; finish(): void }

/** One try, for provenance. URLs are shown without keys. */
export type Attempt = {
  readonly url: string
  readonly status?: number
  readonly trouble?: HttpTrouble
  readonly what?: string
  /** For the budget before the try, and afterwards before the next one. */
  readonly waitedMs: number
}

type Common = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly attempts: readonly Attempt[]
}
export type HttpAnswer = Common & { readonly body: Uint8Array }
export type Download = Common & { readonly sha256: string; readonly sizeBytes: number }

/** The one way to the network: budgets, pauses, limits and retries are here and nowhere else. */
export type Http = {
  /** A whole body that was checked to be what was asked for. */
  get(request: HttpRequest): Promise<HttpAnswer>
  /** A body of any size, hashed on its way into a sink. */
  download(request: HttpRequest, open: () => BodySink): Promise<Download>
  close(): Promise<void>
}

export type HttpOptions = {
  readonly policy?: HttpPolicy
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly clock?: Clock
  /** For the jitter of waits: in [0, 1). Tests hand in a seeded stream. */
  readonly random?: () => number
  readonly transport?: Transport
}

const sizeBytesMaxDefault = 64 * 2 ** 20
const errorBytesMax = 65_536
/** What `whyWrong` hears of a download. */
const beginBytes = 64
/** A ban or a limit whose end nobody told. */
const unknownWaitMs = 60_000

/** What is known of one host: its clock, its budgets, and until when nobody may ask it. */
type Host = {
  readonly server: ServerClock
  readonly budgets: Map<string, Budget>
  pausedUntilMs: number
  pausedAfter: string
  forbidden: number
}

export function createHttp(options: HttpOptions = {}): Http {
  const { policy = defaultHttpPolicy, clock = systemClock, random = Math.random, env = process.env } = options
  const transport = options.transport ?? undiciTransport(policy, env)
  const hosts = new Map<string, Host>()

  const hostOf = (url: string): Host => {
    const name = new URL(url).host
    let host = hosts.get(name)
    if (host === undefined) {
      host = { server: createServerClock(clock), budgets: new Map(), pausedUntilMs: 0, pausedAfter: '', forbidden: 0 }
      hosts.set(name, host)
    }
    return host
  }

  const budgetOf = (host: Host, use: BudgetUse): Budget => {
    let budget = host.budgets.get(use.pool.name)
    if (budget === undefined) {
      budget = createBudget(use.pool, policy.budgetShare, host.server, clock)
      host.budgets.set(use.pool.name, budget)
    }
    return budget
  }

  /** Waits until the host may be asked, draws the weight, and makes one try. */
  const attempt = async (request: HttpRequest, open: (() => BodySink) | undefined, host: Host) => {
    const { url, budget: use, signal } = request
    const budget = use === undefined ? undefined : budgetOf(host, use)
    const name = new URL(url).host
    const onBudget = (waitMs: number) => request.onWait?.({ host: name, after: 'all its weight was spent', waitMs })
    let waitedMs = 0
    for (;;) {
      if (budget !== undefined) waitedMs += await budget.acquire(use!.weight, signal, onBudget)
      const restMs = host.pausedUntilMs - clock.nowMs()
      if (restMs <= 0) break
      // The pause came while we waited for the budget; its weight goes back to be drawn afresh in its own window.
      budget?.release(use!.weight)
      waitedMs += restMs
      request.onWait?.({ host: name, after: host.pausedAfter, waitMs: restMs })
      await clock.sleep(restMs, signal)
    }
    let settled: { usedWeight?: number; serverMs?: number } = {}
    try {
      const answer = await transport.send({
        url,
        headers: { 'accept-encoding': 'identity', ...request.headers },
        ...(signal === undefined ? {} : { signal }),
      })
      const serverMs = host.server.observe(answer.headers['date'])
      const weight = Number(answer.headers['x-mbx-used-weight-1m'] ?? Number.NaN)
      settled = {
        ...(Number.isInteger(weight) ? { usedWeight: weight } : {}),
        ...(serverMs === undefined ? {} : { serverMs }),
      }
      const received = await receive(request, answer, answer.status === 200 ? open : undefined)
      const fault = faultOf({ url, ...received }, request.expects, host.server.nowMs())
      return { waitedMs, received, fault: fault && discreet(fault, url, request.headers) }
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error
      return { waitedMs, received: undefined, fault: discreet(error, url, request.headers) }
    } finally {
      budget?.settle(use!.weight, settled)
    }
  }

  const run = async (request: HttpRequest, open: (() => BodySink) | undefined): Promise<HttpAnswer & Download> => {
    const host = hostOf(request.url)
    const attempts: Attempt[] = []
    let failures = 0
    let pauses = 0
    let pausedMs = 0
    for (;;) {
      request.signal?.throwIfAborted()
      const { waitedMs, received, fault } = await attempt(request, open, host)
      const base = { url: shownUrl(request.url), waitedMs, ...(received ? { status: received.status } : {}) }
      if (fault === undefined) {
        host.forbidden = 0
        attempts.push(base)
        return { ...received!, attempts }
      }
      const next = nextStep(fault, host, request.budget?.pool.windowMs ?? 60_000, pauses)
      attempts.push({ ...base, trouble: fault.trouble, what: fault.what, waitedMs: waitedMs + (next.waitMs ?? 0) })
      if (fault.permanent) throw fault
      if (next.pausesHost) {
        pauses++
        pausedMs += next.waitMs
        // Longer than anybody should wait here: say until when, and let the whole run end.
        if (pausedMs > policy.waitMsMax) throw tooLong(fault, pausedMs, clock.nowMs() + next.waitMs)
        host.pausedUntilMs = Math.max(host.pausedUntilMs, clock.nowMs() + next.waitMs)
        host.pausedAfter = shownTrouble(fault)
        continue
      }
      if (++failures >= policy.attemptsMax) throw exhausted(fault, attempts)
      const waitMs = backoffMs(failures)
      request.onWait?.({
        host: new URL(request.url).host,
        after: shownTrouble(fault),
        waitMs,
        nextTry: { attempt: failures + 1, attemptsMax: policy.attemptsMax },
      })
      await clock.sleep(waitMs, request.signal)
    }
  }

  const backoffMs = (failures: number): number => {
    const most = Math.min(policy.backoffMsMax, policy.backoffMsMin * 2 ** (failures - 1))
    return most / 2 + (most / 2) * random()
  }

  /** Whether the whole host is left alone, and for how long: as it says, and never less than a floor that doubles with each
   *  pause of the request. A venue that says "at once" each time would else be asked for ever. */
  const nextStep = (
    fault: HttpFault,
    host: Host,
    windowMs: number,
    pauses: number,
  ): { pausesHost: boolean; waitMs: number } => {
    const paused = (toldMs: number, jitterMs: number) => {
      const floorMs = policy.pauseMsMin * 2 ** pauses
      return { pausesHost: true, waitMs: Math.max(toldMs, floorMs) + jitterMs }
    }
    const aSecond = Math.min(1000, policy.pauseMsMin)
    switch (fault.trouble) {
      case 'rateLimited':
        return paused(fault.waitMs ?? restOfWindowMs(host, windowMs), aSecond * random())
      case 'banned':
        return paused(fault.waitMs ?? unknownWaitMs * 2, aSecond * (1 + random()))
      case 'forbidden':
        return paused(fault.waitMs ?? policy.forbiddenPauseMs * 2 ** host.forbidden++, aSecond * random())
      default:
        return { pausesHost: false, waitMs: 0 }
    }
  }

  /** Limits start afresh with the host's next window; its clock is known to a second. */
  const restOfWindowMs = (host: Host, windowMs: number): number =>
    windowMs + 1000 - (((host.server.nowMs() % windowMs) + windowMs) % windowMs)

  return {
    get: (request) => run(request, undefined),
    download: (request, open) => run(request, open),
    close: () => transport.close(),
  }
}

/** Reads a body into memory or into a sink, and counts it against what was announced and what is allowed. */
async function receive(
  { url, sizeBytesMax = sizeBytesMaxDefault, whyWrong }: HttpRequest,
  answer: Awaited<ReturnType<Transport['send']>>,
  open: (() => BodySink) | undefined,
) {
  const { status, headers } = answer
  const announced = headers['content-length']
  const most = status === 200 ? sizeBytesMax : errorBytesMax
  const tooLarge = (sizeBytes: number) => {
    answer.discard()
    return new HttpFault({
      trouble: 'tooLarge',
      url,
      status,
      what: `the body has ${sizeBytes} bytes or more, and at most ${most} belong here`,
      permanent: status === 200,
    })
  }
  if (announced !== undefined && Number(announced) > most) throw tooLarge(Number(announced))
  const hash = createHash('sha256')
  const chunks: Uint8Array[] = []
  const sink = open?.()
  let sizeBytes = 0
  // The first bytes of a download are held back until there are enough to tell what it is.
  let begin = sink !== undefined && whyWrong !== undefined ? new Uint8Array(0) : undefined
  const assertForm = (bytes: Uint8Array) => {
    const what = status === 200 ? whyWrong?.(bytes) : undefined
    if (what === undefined) return
    answer.discard()
    throw new HttpFault({ trouble: 'wrongForm', url, status, what })
  }
  const keep = (chunk: Uint8Array) => {
    if (sink === undefined) chunks.push(chunk)
    else sink.write(chunk)
  }
  for await (const chunk of answer.body) {
    sizeBytes += chunk.length
    if (sizeBytes > most) throw tooLarge(sizeBytes)
    hash.update(chunk)
    if (begin === undefined) {
      keep(chunk)
      continue
    }
    begin = Buffer.concat([begin, chunk])
    if (begin.length < beginBytes) continue
    assertForm(begin)
    keep(begin)
    begin = undefined
  }
  if (announced !== undefined && Number(announced) !== sizeBytes) {
    throw new HttpFault({ trouble: 'wrongLength', url, status, what: `${sizeBytes} bytes came of ${announced}` })
  }
  if (begin !== undefined) {
    assertForm(begin)
    if (begin.length > 0) keep(begin)
  }
  const body = Buffer.concat(chunks) as Uint8Array
  if (sink === undefined) assertForm(body)
  sink?.finish()
  return { status, headers, body, sizeBytes, sha256: hash.digest('hex') }
}

function exhausted(fault: HttpFault, tries: readonly Attempt[]): HttpFault {
  return new HttpFault({
    trouble: fault.trouble,
    url: fault.where ?? '',
    what: `${fault.what}, in each of ${tries.length} tries`,
    everyTry: tries.every(({ trouble }) => trouble === fault.trouble),
    ...(fault.status === undefined ? {} : { status: fault.status }),
    todo: fault.todo ?? 'run the same command again: what was fetched is kept',
    cause: fault,
  })
}

function tooLong(fault: HttpFault, waitMs: number, untilMs: number): HttpFault {
  return new HttpFault({
    trouble: fault.trouble,
    url: fault.where ?? '',
    what: `${fault.what}; it wants to be left alone for ${Math.ceil(waitMs / 1000)} s, until ${new Date(untilMs).toISOString()}`,
    ...(fault.status === undefined ? {} : { status: fault.status }),
    todo: 'run the same command again after that: what was fetched is kept',
    permanent: true,
    cause: fault,
  })
}
