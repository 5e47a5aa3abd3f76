import { Fault } from '../../lib/fault.ts'
import { defaultEvents, defaultWorld } from '../../lib/sim/defaultWorld.ts'
import { formatUtc } from '../../lib/time.ts'
import { type HostName, hostNames, hostVariables } from '../../lib/venues/hosts.ts'
import { defineCommand } from './command.ts'
import type { Context } from './context.ts'
import { flag } from './flag.ts'
import { durationText, plural, sizeText } from './human.ts'
import { parseInstant } from './instant.ts'
import type { FromServer } from './sim/serverThread.ts'

export const simServe = defineCommand({
  name: 'sim serve',
  summary: 'Serve the embedded exchange over real sockets, until Ctrl-C',
  about:
    'The address answers as the venue does: /fapi and /futures/data, /api/v3, the archive bucket, and its listing at the root. Its market is made from a seed and a fixed present, so the same questions always have the same answers; weights and bans run in real time. With the variables it prints, "source: binance" asks it instead of the venue. Faults on demand: kind[=share|*times][:pattern], the pattern being a regular expression on path and query.',
  args: {},
  flags: {
    port: flag.integerOr('Where to listen; 0 takes any free port', 0, { min: 0, max: 65_535 }),
    hosts: flag.boolean("An address for each of the venue's hosts: weight budgets are kept by host"),
    host: flag.text('On which address; this machine alone by default', { hint: 'address' }),
    seed: flag.text('The seed of the market; the one of "source: sim" by default', { hint: 'seed' }),
    now: flag.text('Its present; that of "source: sim" by default', { hint: 'instant' }),
    faults: flag.texts('What goes wrong, or a .json file of rules', { short: 'f', hint: 'fault', completes: 'file' }),
    faultSeed: flag.integerOr('Which requests a share strikes', 0, { min: 0 }),
  },
  examples: [
    { line: 'pipe sim serve', says: 'the market of "source: sim", on any free port' },
    { line: 'pipe sim serve --port 8080 --seed 7 --now 2026-06-01T00:00Z', says: 'another market, in June' },
    {
      line: "pipe sim serve -f serverError=0.05 -f 'rateLimited*3:^/fapi' -f 'missingRows:BTCUSDT-1h'",
      says: 'a bad day',
    },
  ],
  json: 'One object a line: {"kind": "serving", "url", "seed", "now", "env": {name: url}, "faults"}, then {"kind": "request", "method", "url", "status", "sizeBytes", "tookMs", "wire"?} for each, and last {"kind": "stopped", "requests", "refused"}',
  jsonLines: true,
  async run(context, values) {
    const { out } = context
    const [{ parseFaults }, { startServerThread }] = await Promise.all([
      import('./sim/faultSpec.ts'),
      import('./sim/serverThread.ts'),
    ])
    const market = { seed: seedOf(values.seed), nowTsMs: presentOf(values.now) }
    const faults = { seed: values.faultSeed, rules: parseFaults(values.faults, context.cwd) }
    const host = values.host ?? '127.0.0.1'
    let fault: Fault | undefined
    const tally = { requests: 0, refused: 0 }
    const server = startServerThread(
      { ...market, port: values.port, host, faults, hasHosts: values.hosts },
      (message) => {
        if (message.kind === 'failed') fault = notServed(message.message, `${host}:${values.port}`)
        else if (message.kind === 'serving') tellAddresses(context, message.urls, { ...market, faults: faults.rules })
        else {
          tally.requests++
          if (message.status === 429 || message.status === 418) tally.refused++
          tellRequest(context, message)
        }
      },
    )
    const stopListening = context.signals.onStop(() => server.stop())
    try {
      await server.ended
    } finally {
      stopListening()
    }
    if (fault !== undefined) throw fault
    out.printJsonLine({ kind: 'stopped', ...tally })
    out.note(`stopped after ${plural(tally.requests, 'request')}, ${tally.refused} of them refused`)
    return 'ok'
  },
})

/** Digits are a number, as in a config: the seed "25" of a text is another one. */
const seedOf = (text: string | undefined): number | string =>
  text === undefined ? defaultWorld.seed : /^\d{1,15}$/.test(text) ? Number(text) : text

function presentOf(text: string | undefined): number {
  if (text === undefined) return defaultEvents.nowTsMs
  const nowTsMs = parseInstant(text, '--now')
  if (nowTsMs > defaultEvents.startTsMs) return nowTsMs
  throw new Fault({
    code: 'usage',
    what: `the market begins at ${formatUtc(defaultEvents.startTsMs)}, and has no past before`,
    where: '--now',
    todo: 'name a later instant',
  })
}

const notServed = (why: string, where: string): Fault =>
  new Fault({
    code: why === 'EADDRINUSE' ? 'busy' : 'usage',
    what: why === 'EADDRINUSE' ? 'something listens there already' : `it cannot be served: ${why}`,
    where,
    todo: 'name another --port, or none for any that is free',
  })

function tellAddresses(
  { out }: Context,
  urls: Readonly<Record<HostName, string>>,
  about: { readonly seed: number | string; readonly nowTsMs: number; readonly faults: readonly unknown[] },
): void {
  const env = Object.fromEntries(hostNames.map((host) => [hostVariables[host], urls[host]]))
  const now = formatUtc(about.nowTsMs)
  const faults = about.faults.length === 0 ? '' : `, ${plural(about.faults.length, 'fault rule')}`
  out.print(
    [
      `${out.style.good('serving')}  ${out.style.bold(urls.usdm)}  seed ${about.seed}, its present ${now}${faults}`,
      ...Object.entries(env).map(([name, value]) => `export ${name}=${value}`),
      out.style.dim(
        `archives in a browser or with curl: ${urls.archive}/?prefix=data/futures/um/monthly/  Ctrl-C ends it`,
      ),
    ].join('\n'),
  )
  out.printJsonLine({ kind: 'serving', url: urls.usdm, seed: about.seed, now, env, faults: about.faults })
}

function tellRequest({ out, nowMs }: Context, message: Extract<FromServer, { kind: 'request' }>): void {
  out.printJsonLine(message)
  const { status, method, url, sizeBytes, tookMs, wire } = message
  const time = new Date(nowMs()).toISOString().slice(11, 19)
  const paint = status < 400 && wire === undefined ? out.errStyle.good : out.errStyle.warn
  const how = wire === undefined ? '' : `, ${wire}`
  out.note(
    `${time}  ${paint(String(status))}  ${method} ${url}  ${sizeText(sizeBytes)} in ${durationText(tookMs)}${how}`,
  )
}
