import { Fault } from '../../lib/fault.ts'
import { didYouMean, nearMatch } from '../../lib/nearMatch.ts'
import type { Command } from './command.ts'

/** Every command by name, each in a file that is loaded only when it is asked for: `pipe run` with nothing to do should
 *  not pay for `pipe graph`. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init.ts')).init,
  run: async () => (await import('./run.ts')).run,
  plan: async () => (await import('./plan.ts')).plan,
  sync: async () => (await import('./sync.ts')).sync,
  status: async () => (await import('./status.ts')).status,
  why: async () => (await import('./why.ts')).why,
  graph: async () => (await import('./graph.ts')).graph,
  ls: async () => (await import('./ls.ts')).ls,
  show: async () => (await import('./show.ts')).show,
  cat: async () => (await import('./cat.ts')).cat,
  query: async () => (await import('./query.ts')).query,
  schema: async () => (await import('./schema.ts')).schema,
  runs: async () => (await import('./runs.ts')).runs,
  replay: async () => (await import('./replay.ts')).replay,
  diff: async () => (await import('./diff.ts')).diff,
  doctor: async () => (await import('./doctor.ts')).doctor,
  'snapshot ls': async () => (await import('./snapshotNames.ts')).snapshotLs,
  'snapshot show': async () => (await import('./snapshotNames.ts')).snapshotShow,
  'snapshot rm': async () => (await import('./snapshotNames.ts')).snapshotRm,
  'snapshot export': async () => (await import('./snapshotBundles.ts')).snapshotExport,
  'snapshot import': async () => (await import('./snapshotBundles.ts')).snapshotImport,
  'snapshot checkout': async () => (await import('./snapshotBundles.ts')).snapshotCheckout,
  'check-lookahead': async () => (await import('./checkLookahead.ts')).checkLookahead,
  'sim describe': async () => (await import('./simDescribe.ts')).simDescribe,
  'sim serve': async () => (await import('./simServe.ts')).simServe,
  verify: async () => (await import('./verify.ts')).verify,
  gc: async () => (await import('./gc.ts')).gc,
  'why-alive': async () => (await import('./whyAlive.ts')).whyAlive,
  resolve: async () => (await import('./resolve.ts')).resolve,
  completion: async () => (await import('./completion.ts')).completion,
  __complete: async () => (await import('./complete.ts')).complete,
}

export const commandNames: readonly string[] = Object.keys(loaders)

/** The commands whose names begin with this word. */
export const commandsWithin = (name: string): string[] => commandNames.filter((known) => known.startsWith(`${name} `))

/** @param rest what stands behind the name: the second word of a group may be misspelt */
export async function loadCommand(name: string, rest: readonly string[] = []): Promise<Command> {
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined
  if (load) return load()

  const within = commandsWithin(name).map((known) => known.slice(name.length + 1))
  if (within.length > 0) {
    const word = rest.find((candidate) => !candidate.startsWith('-')) ?? ''
    throw new Fault({
      code: 'usage',
      what: `there is no command "${name} ${word}"${didYouMean(word, within)}`,
      todo: `"pipe ${name}" has: ${within.join(', ')}`,
    })
  }
  const near = nearMatch(name, shownNames())
  throw new Fault({
    code: 'usage',
    what: `there is no command "${name}"`,
    todo: near === undefined ? 'see "pipe --help"' : `did you mean "pipe ${near}"? See "pipe --help"`,
  })
}

const shownNames = (): string[] => commandNames.filter((name) => !name.startsWith('__'))

export const loadAll = (): Promise<Command[]> => Promise.all(shownNames().map((name) => loadCommand(name)))
