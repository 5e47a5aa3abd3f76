import type { Digest } from '../../../cas/digest.ts'

/** How a job is shown to a debugger. */
export interface Inspection {
  /** Where it stands still first: the module of the strategy, or of the task where it takes none. */
  readonly pauseIn: { readonly code: Digest; readonly module: string }
  /** By code and module: the source map that leads a debugger to the file as it was written. */
  readonly sourceMaps: Readonly<Record<Digest, Readonly<Record<string, string>>>>
}
