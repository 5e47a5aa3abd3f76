import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { hasSnapshot, listSnapshots } from '../../snapshots/snapshotFolder.ts'
import type { VerifyOptions } from '../../snapshots/verifyLevel.ts'
import {
  type Finding,
  outcomeOf,
  type VerifyLevel,
  type VerifyReport,
  verifyLevels,
} from '../../snapshots/verifyReport.ts'
import { defineCommand } from './command.ts'
import type { Context, Store } from './context.ts'
import { arg, flag } from './flag.ts'
import { countText, percentText } from './human.ts'
import { renderVerify } from './renderVerify.ts'
import { cutText } from './textWidth.ts'
import { visible } from './visible.ts'
import type { Root } from './world.ts'

export const verify = defineCommand({
  name: 'verify',
  summary: 'Check that stored bytes are what their names say, and that they can be made again',
  about:
    'Levels: objects (every byte hashed again), manifest (ids, wiring, records), data (artifacts decoded), rebuild (every pure node executed again from its stored code and compared), current (what today\'s code and config would make). Without a snapshot all of the store is checked, and every snapshot. Damaged objects are moved to quarantine; "pipe run" makes again what can be made. The code of an imported snapshot runs only after --trust-code.',
  args: { snapshot: arg.maybe('Which snapshot; the whole store without one', { completes: 'snapshot' }) },
  flags: {
    level: flag.someOf('What to check', verifyLevels, ['objects', 'manifest', 'data']),
    sample: flag.share('Check this share only, another one each day'),
    trustCode: flag.boolean('Run the code of a snapshot that somebody else made'),
    resume: flag.boolean('Go on where an interrupted verify stopped'),
    workers: flag.integer('Threads; as many as cores by default', { short: 'w', min: 1, max: 256 }),
  },
  examples: [
    { line: 'pipe verify', says: 'the whole store' },
    { line: 'pipe verify demo --level rebuild', says: 'execute everything again and compare' },
    { line: 'pipe verify demo --sample 5%', says: "a twentieth, today's" },
    { line: 'pipe verify theirs --level rebuild --trust-code', says: 'an imported one' },
  ],
  json: '{"outcome", "reports": [{"level", "snapshot", "id", "findings": [{"severity", "kind", "node"?, "digest"?, "what", "todo"?}], "counts": {"total", "checked", "notSampled", "resumed", "evicted"}, "interrupted"}]}; the snapshot "" is the store itself',
  async run(context, values) {
    const { store, root, close } = await openToVerify(context)
    const stop = new AbortController()
    const stopListening = context.signals.onStop(() => stop.abort())
    const watch = new Watch(context)
    const { makeHands } = await import('./verifyHands.ts')
    const hands = makeHands(context, store, values.workers)
    try {
      const options: VerifyOptions = {
        ...hands,
        ...(values.workers === undefined ? {} : { workers: values.workers }),
        // The day is the seed: a check every day sees all of the store in the long run.
        ...(values.sample === undefined ? {} : { sample: { share: values.sample, seed: today(context) } }),
        trustCode: values.trustCode,
        signal: stop.signal,
        onProgress: watch.update,
      }
      const reports: VerifyReport[] = []
      if (!store.readOnly) mkdirSync(join(root, 'index'), { recursive: true })
      const progressIn = (file: string): { progressFile?: string } => {
        if (store.readOnly) return {}
        const progressFile = join(root, 'index', file)
        if (!values.resume) rmSync(progressFile, { force: true })
        return { progressFile }
      }
      const wholeStore = values.snapshot === undefined
      if (wholeStore && values.level.includes('objects')) {
        reports.push(await verifyStore(store, { ...options, ...progressIn('verify-objects') }))
      }
      const { verifySnapshot } = await import('../../snapshots/verify.ts')
      const { snapshots, strays } =
        values.snapshot === undefined ? snapshotsIn(root) : { snapshots: [values.snapshot], strays: [] }
      if (strays.length > 0) reports.push(strayReport(strays))
      for (const name of snapshots) {
        for (const level of values.level) {
          // The store's own check has hashed every object already.
          if (stop.signal.aborted || (wholeStore && level === 'objects')) continue
          const progress = progressIn(`verify-${name}-${level}.jsonl`)
          reports.push(await verifySnapshot(store, name, level, { ...options, ...progress }))
        }
      }
      watch.close()
      const outcome = stop.signal.aborted ? 'interrupted' : outcomeOf(reports)
      context.out.print(renderVerify(reports, outcome, context.out.style))
      context.out.printJson({ outcome, reports })
      return outcome
    } finally {
      watch.close()
      stopListening()
      await hands.close()
      await close()
    }
  },
})

/** Checking needs no right to write; quarantine and resuming do. */
async function openToVerify(context: Context): Promise<Root> {
  try {
    return await context.openRoot()
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'noStore') throw error
    // Where there is no store at all, this says so.
    const opened = await context.openRoot({ readOnly: true })
    context.out.note(
      'this store cannot be written: what is damaged stays where it is, and an interrupted verify begins anew',
    )
    return opened
  }
}

/** Folders among the snapshots that are none, such as `a b` or an `S1` that is empty, keep none of the others from
 *  being checked. */
function snapshotsIn(root: string): { snapshots: string[]; strays: string[] } {
  const snapshots: string[] = []
  const strays: string[] = []
  for (const name of listSnapshots(root)) (isSnapshot(root, name) ? snapshots : strays).push(name)
  return { snapshots, strays }
}

function isSnapshot(root: string, name: string): boolean {
  try {
    return hasSnapshot(root, name)
  } catch (error) {
    if (error instanceof Fault) return false
    throw error
  }
}

function strayReport(strays: readonly string[]): VerifyReport {
  const findings = strays.map(
    (name): Finding => ({
      severity: 'warning',
      kind: 'odd file',
      what: `snapshots/${name}: this folder is no snapshot`,
      todo: 'move it elsewhere, or remove it',
    }),
  )
  const counts = { total: strays.length, checked: strays.length, notSampled: 0, resumed: 0, evicted: 0 }
  return { level: 'manifest', snapshot: '', id: undefined, findings, counts, interrupted: false }
}

/** Every object of the store, whatever it belongs to, and the record files. */
async function verifyStore(store: Store, options: VerifyOptions): Promise<VerifyReport> {
  const { verifyEverything } = await import('./keeping.ts')
  return verifyEverything(store, options)
}

const today = (context: Context): string => new Date(context.nowMs()).toISOString().slice(0, 10)

// As a run does into a pipe: a log that stands still for longer looks hung.
const lineEveryMs = 10_000

/** One line that says how far it is, drawn anew on a terminal; into a pipe another one every some seconds. */
export class Watch {
  private readonly context: Pick<Context, 'terminal' | 'out' | 'nowMs'>
  private lastMs: number
  private drawn = false

  constructor(context: Pick<Context, 'terminal' | 'out' | 'nowMs'>) {
    this.context = context
    this.lastMs = context.terminal ? 0 : context.nowMs()
  }

  readonly update = (progress: { level: VerifyLevel; done: number; total: number; node?: string }): void => {
    const { terminal, out } = this.context
    const nowMs = this.context.nowMs()
    if (out.quiet || out.json || nowMs - this.lastMs < (terminal ? 100 : lineEveryMs)) return
    this.lastMs = nowMs
    const { level, done, total, node } = progress
    const line = `${level}: ${countText(done)} of ${countText(total)}, ${percentText(done, total)}${node === undefined ? '' : `  ${visible(node)}`}`
    if (!terminal) {
      out.note(`progress  ${line}`)
      return
    }
    terminal.write(`\r${cutText(line, terminal.columns - 1)}\x1b[K`)
    this.drawn = true
  }

  close(): void {
    if (this.drawn) this.context.terminal?.write('\r\x1b[K')
    this.drawn = false
  }
}
