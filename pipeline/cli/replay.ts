import { resolve } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { didYouMean } from '../../lib/nearMatch.ts'
import type { ReplaySummary } from '../../lib/tables/events.ts'
import { dayOf, dayStart, isDay } from '../../lib/time.ts'
import type { Manifest } from '../../snapshots/manifest.ts'
import { readSnapshot } from '../../snapshots/snapshotFolder.ts'
import { askFlags } from './ask.ts'
import { defineCommand } from './command.ts'
import type { Context, Store } from './context.ts'
import { arg, flag } from './flag.ts'
import { countText, durationText, plural, sizeText } from './human.ts'
import { makeTargets } from './makeTargets.ts'
import type { StoredReplay } from './replay/storedReplay.ts'
import type { Style } from './style.ts'
import { padEnd, padStart } from './textWidth.ts'

export const replay = defineCommand({
  name: 'replay',
  summary: 'Tell of the event stream of a replay, or write it out',
  about:
    'With --snapshot the replay is taken from there, and no project is needed; without one the target is made first. The stream itself is stored nowhere: --out makes it again from the stored tables, a day at a time, and each day is compared with the digest the replay recorded before any of its events is written. At one instant the order is: mark, funding (on the position held before), liquidation, universe and quality verdicts, trades, bar close, strategy, bar open (for fills only), and then venue sequence, source, row. Liquidations and decisions are made by a backtest and are not in the stream.',
  args: {
    what: arg.maybe('The replay, as a target or address; the target "replay" by default', { completes: 'target' }),
  },
  flags: {
    snapshot: flag.text('Take it from this snapshot', { hint: 'name', completes: 'snapshot' }),
    out: flag.text('Write the events to a file .parquet or .jsonl, or as lines to standard output with -', {
      short: 'o',
      hint: 'file',
      completes: 'file',
    }),
    overwrite: flag.boolean('Replace the file if it is there'),
    from: flag.text('Only from this day on', { hint: 'day' }),
    to: flag.text('Only before this day', { hint: 'day' }),
    symbols: flag.texts('Only events of these symbols; the digests are still those of all', { hint: 'symbol' }),
    pipeline: askFlags.pipeline,
    set: askFlags.set,
    asOf: askFlags.asOf,
    offline: askFlags.offline,
    workers: flag.integer('Worker threads for pure tasks; as many as cores by default', {
      short: 'w',
      min: 1,
      max: 256,
    }),
  },
  examples: [
    { line: 'pipe replay --snapshot demo', says: 'the digest of the stream, and what it consists of' },
    { line: 'pipe replay --snapshot demo --out events.parquet', says: 'all of it, for DuckDB or Polars' },
    {
      line: 'pipe replay --snapshot demo --out - --symbols BTCUSDT --from 2026-06-01 | head',
      says: 'what one symbol did, as lines of JSON',
    },
  ],
  json: '{"address", "from", "fromMs", "toMs", "intervalMs", "symbols", "events", "digest", "byClass": {class: count}, "days": [{"day", "events", "digest", "chain"}], "written"?: {"path", "fromMs", "toMs", "days", "events", "sizeBytes", "interrupted"}}; with --out - only events are on standard output, one a line: {"tsMs", "rank", "class", "source", "sequence"?, …}',
  async run(context, values) {
    const { findReplay } = await import('./replay/storedReplay.ts')
    const opened = await openReplay(context, values)
    try {
      const { store, manifest, label } = opened
      const found = findReplay(store, manifest, label, values.what)
      const { summary, address } = found
      const isLines = values.out === '-'
      const about = { address, from: label, ...summary }
      const chosen = chooseEvents(summary, values)
      const written =
        values.out === undefined
          ? undefined
          : await writeEvents(context, store, found, chosen, { path: values.out, overwrite: values.overwrite })
      const text = renderReplay(about, written, isLines ? context.out.errStyle : context.out.style)
      if (isLines) context.out.note(text)
      else {
        context.out.print(text)
        context.out.printJson(written === undefined ? about : { ...about, written })
      }
      return written?.interrupted === true ? 'interrupted' : 'ok'
    } finally {
      await opened.close()
    }
  },
})

interface OpenedReplay {
  readonly store: Store
  readonly manifest: Manifest
  readonly label: string
  close(): Promise<void>
}

interface ReplayValues {
  readonly what: string | undefined
  readonly snapshot: string | undefined
  readonly pipeline: string | undefined
  readonly set: readonly string[]
  readonly asOf: string | undefined
  readonly offline: boolean
  readonly workers: number | undefined
}

async function openReplay(context: Context, values: ReplayValues): Promise<OpenedReplay> {
  if (values.snapshot !== undefined) {
    const { store, root, close } = await context.openRoot({ readOnly: true })
    try {
      const { manifest } = readSnapshot(root, values.snapshot)
      return { store, manifest, label: `snapshot ${values.snapshot}`, close }
    } catch (error) {
      await close()
      throw error
    }
  }
  const target = values.what ?? 'replay'
  const ask = { ...values, targets: [target], snapshot: undefined, from: undefined, force: [], refresh: [] }
  const { world, finished } = await makeTargets(context, ask, async () => ({ targets: [target], keepGoing: false }))
  if (finished.status === 'ok' && finished.manifest !== undefined) {
    return {
      store: world.store,
      manifest: finished.manifest,
      label: `run ${finished.runId}`,
      close: () => world.close(),
    }
  }
  await world.close()
  throw new Fault({
    code: finished.status === 'ok' ? 'failed' : finished.status,
    what: `the replay was not made: ${finished.failures[0]?.failure.message ?? `the run ended as ${finished.outcome}`}`,
    where: finished.failures[0]?.address,
    todo: `run it to see all of it: pipe run ${target}`,
  })
}

interface Chosen {
  readonly fromMs: number
  readonly toMs: number
  /** Everybody, where none was named. */
  readonly symbols: ReadonlySet<string> | undefined
}

function chooseEvents(
  { fromMs, toMs, symbols }: ReplaySummary,
  asked: { readonly from: string | undefined; readonly to: string | undefined; readonly symbols: readonly string[] },
): Chosen {
  const wanted = asked.symbols.flatMap((text) => text.split(','))
  const unknown = wanted.find((symbol) => !symbols.includes(symbol))
  if (unknown !== undefined) {
    throw new Fault({
      code: 'usage',
      what: `the replay has no symbol "${unknown}"${didYouMean(unknown, symbols)}`,
      where: '--symbols',
      todo: `its symbols: ${symbols.join(', ')}`,
    })
  }
  const range = { fromMs: dayOr(asked.from, '--from', fromMs), toMs: dayOr(asked.to, '--to', toMs) }
  if (range.fromMs >= range.toMs || range.fromMs < fromMs || range.toMs > toMs) {
    throw new Fault({
      code: 'usage',
      what: `the replay has no days from ${dayOf(range.fromMs)} to before ${dayOf(range.toMs)}`,
      where: '--from, --to',
      todo: `it goes from ${dayOf(fromMs)} to before ${dayOf(toMs)}`,
    })
  }
  return { ...range, symbols: wanted.length === 0 ? undefined : new Set(wanted) }
}

function dayOr(text: string | undefined, where: string, otherwiseMs: number): number {
  if (text === undefined) return otherwiseMs
  if (isDay(text)) return dayStart(text)
  throw new Fault({ code: 'usage', what: `"${text}" is not a day`, where, todo: 'write it like 2026-03-01, in UTC' })
}

interface Written {
  readonly path: string
  readonly fromMs: number
  readonly toMs: number
  readonly days: number
  readonly events: number
  readonly sizeBytes: number
  readonly interrupted: boolean
  /** Whoever read standard output wanted no more. */
  readonly cutShort: boolean
}

async function writeEvents(
  context: Context,
  store: Store,
  found: StoredReplay,
  { fromMs, toMs, symbols }: Chosen,
  asked: { readonly path: string; readonly overwrite: boolean },
): Promise<Written> {
  const [{ followReplay }, { openEventWriter }, { eventRows }, { onlyOf }] = await Promise.all([
    import('./replay/storedReplay.ts'),
    import('./replay/eventWriters.ts'),
    import('../../lib/replay/eventRows.ts'),
    import('./replay/onlyOf.ts'),
  ])
  const path = asked.path === '-' ? '-' : resolve(context.cwd, asked.path)
  const writer = openEventWriter(path, asked.overwrite, context.out)
  let stopped = false
  const stopListening = context.signals.onStop(() => {
    stopped = true
  })
  let days = 0
  let events = 0
  let cutShort = false
  let finished = false
  try {
    stream: for (const day of followReplay(store, found, { fromMs, toMs })) {
      for (const rows of eventRows(day)) {
        const kept = symbols === undefined ? rows : onlyOf(rows, symbols)
        await writer.write(kept)
        events += kept.rowCount
        // Signals are heard between blocks.
        await new Promise(setImmediate)
        cutShort = writer.closed === true
        if (stopped || cutShort) break stream
      }
      days++
    }
    if (stopped) return { path, fromMs, toMs, days, events, sizeBytes: 0, interrupted: true, cutShort }
    finished = true
    return { path, fromMs, toMs, days, events, ...writer.finish(), interrupted: false, cutShort }
  } finally {
    stopListening()
    if (!finished) writer.abort()
  }
}

/** What is told of a replay, for people. */
export function renderReplay(
  replay: ReplaySummary & { readonly address: string; readonly from: string },
  written: Written | undefined,
  style: Style,
): string {
  const classes = Object.entries(replay.byClass)
  const width = Math.max(0, ...classes.map(([name]) => name.length))
  const digits = Math.max(0, ...classes.map(([, count]) => countText(count).length))
  const fields: [string, string][] = [
    ['replay', `${replay.address}  ${style.dim(`of ${replay.from}`)}`],
    [
      'range',
      `${dayOf(replay.fromMs)} to before ${dayOf(replay.toMs)}, ${plural(replay.days.length, 'day')}, bars of ${durationText(replay.intervalMs)}`,
    ],
    ['symbols', `${countText(replay.symbols.length)}: ${replay.symbols.join(', ')}`],
    [
      'events',
      [
        countText(replay.events),
        ...classes.map(([name, count]) => `${padEnd(name, width)}  ${padStart(countText(count), digits)}`),
      ].join('\n'),
    ],
    ['digest', style.bold(replay.digest)],
  ]
  if (written !== undefined) {
    fields.push(['written', writtenText(written)])
  }
  return fields
    .map(([name, text]) => `${style.dim(padEnd(name, 7))}  ${text.replaceAll('\n', `\n${' '.repeat(9)}`)}`)
    .join('\n')
}

function writtenText({ events, days, path, sizeBytes, interrupted, cutShort }: Written): string {
  // A day that was begun and not finished is no day.
  if (cutShort) return `about ${plural(events, 'event')}, and no more: the reader closed standard output`
  const what = `${plural(events, 'event')} of ${plural(days, 'day')}`
  if (interrupted) return `nothing: it was stopped after ${what}`
  return `${what}, ${path === '-' ? 'to standard output' : `${path}  ${sizeText(sizeBytes)}`}`
}
