import { hasSnapshot, readSnapshot, type Snapshot } from '../../snapshots/snapshotFolder.ts'
import type { Ask } from '../engine/engine.ts'
import type { Context } from './context.ts'
import { flag } from './flag.ts'
import type { OpenOptions, World } from './world.ts'

/** What `run`, `plan` and those who ask about a plan have in common: which pipeline, with which config, looked at how. */
export const askFlags = {
  snapshot: flag.text('Freeze to this snapshot where it exists; "pipe run" pins a new name', {
    hint: 'name',
    completes: 'snapshot',
  }),
  from: flag.text("Take over this snapshot's observations and fetch only what it lacks", {
    hint: 'name',
    completes: 'snapshot',
  }),
  pipeline: flag.text('Which pipeline of the project; the first by default', {
    short: 'p',
    hint: 'name',
    completes: 'pipeline',
  }),
  set: flag.texts('Override the config, such as --set universe.size=10', {
    short: 's',
    hint: 'path=value',
    completes: 'setting',
  }),
  allowSurvivorship: flag.adding(
    'set',
    'universe.allowSurvivorship=true',
    'Let a universe of today stand for the past, and stamp that on all that is made of it',
  ),
  force: flag.texts('Execute nodes that match, even if recorded', { short: 'f', hint: 'glob', completes: 'address' }),
  refresh: flag.texts('Ask matching sources again', { hint: 'glob', completes: 'address' }),
  asOf: flag.text('The instant to look from, such as 2024-03-01', { hint: 'instant' }),
  offline: flag.boolean('Fetch nothing; sources must be recorded'),
} as const

export interface AskValues {
  readonly targets: readonly string[]
  readonly snapshot: string | undefined
  readonly from: string | undefined
  readonly pipeline: string | undefined
  readonly set: readonly string[]
  readonly force: readonly string[]
  readonly refresh: readonly string[]
  readonly asOf: string | undefined
  readonly offline: boolean
}

export interface Asked {
  readonly world: World
  readonly targets: readonly string[]
  readonly ask: Ask
  /** The existing snapshot it is frozen to. */
  readonly frozen: Snapshot | undefined
}

/** Opens the world and turns flags into what the engine is asked. Whoever calls it closes the world. */
export async function openAsk(
  context: Context,
  values: AskValues,
  options: Pick<OpenOptions, 'readOnly' | 'workers' | 'inspect'> = {},
): Promise<Asked> {
  const { pipeline, set, asOf, offline } = values
  const world = await context.openWorld({ pipeline, set, asOf, offline, ...options })
  try {
    const { root } = world
    if (world.store.root !== root) context.out.note(`there is no store yet in ${root}: answered as for an empty one`)
    const { snapshot } = values
    const frozen = snapshot !== undefined && hasSnapshot(root, snapshot) ? readSnapshot(root, snapshot) : undefined
    const from = values.from === undefined ? undefined : readSnapshot(root, values.from)
    return {
      world,
      frozen,
      targets: values.targets.length > 0 ? values.targets : await world.engine.targets(),
      ask: {
        // An as-of that was asked for by name wins: a frozen run that it does not fit is then said to be another run.
        asOfMs: asOf === undefined ? (frozen?.manifest.asOfMs ?? from?.manifest.asOfMs ?? world.asOfMs) : world.asOfMs,
        force: values.force,
        refresh: values.refresh,
        offline,
        ...(frozen === undefined ? {} : { frozen }),
        ...(from === undefined ? {} : { from: from.manifest }),
      },
    }
  } catch (error) {
    await world.close()
    throw error
  }
}

/** What a plan has to say besides what would run. */
export function noteWarnings({ out }: Context, warnings: readonly string[]): void {
  for (const warning of warnings) out.note(`${out.errStyle.warn('warning')}   ${warning}`)
}
