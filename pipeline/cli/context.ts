import type { Manifest } from '../../snapshots/manifest.ts'
import type { Out } from './out.ts'
import type { Globals } from './parse.ts'
import type { Signals, Terminal } from './terminal.ts'
import type { OpenOptions, Root, World } from './world.ts'

/** What a command is handed besides its values: all it may touch of the outside world. */
export interface Context {
  readonly out: Out
  readonly globals: Globals
  /** Absolute. */
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** As it was written, for logs and provenance. */
  readonly commandLine: readonly string[]
  readonly nowMs: () => number
  /** Standard error, where it is a terminal that can be drawn on. */
  readonly terminal: Terminal | undefined
  /** Opens store, project and engine for this command; whoever opens closes. */
  openWorld(options?: OpenOptions): Promise<World>
  /** Opens the store alone, for commands that need no project. */
  openRoot(options?: { readonly create?: boolean; readonly readOnly?: boolean }): Promise<Root>
  readonly signals: Signals
}

export type Store = World['store']
export type Digest = Manifest['nodes'][number]['artifact']
