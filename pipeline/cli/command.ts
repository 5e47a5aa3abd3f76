import type { FaultCode } from '../../lib/fault.ts'
import type { Context } from './context.ts'
import type { Arg, Flag } from './flag.ts'

/** What a command is: a value. Parsing, types and help all come from it. One file holds one command, or the few that
 *  share a noun. */
export interface Command<F extends Flags = Flags, A extends Args = Args> {
  /** One word, or two: `snapshot ls`. */
  readonly name: string
  /** What it does, in one line, as a command to the program. */
  readonly summary: string
  /** A paragraph or two for `--help`. */
  readonly about?: string
  /** Positional arguments in the order they are written. */
  readonly args: A
  readonly flags: F
  /** At least one; printed in `--help`. */
  readonly examples: readonly Example[]
  /** The shape of what `--json` prints; it stays as it is. */
  readonly json: string
  /** It prints a stream: with --json each thing is one line, the fault that ends it too. */
  readonly jsonLines?: boolean
  /** Not listed in help, not completed. */
  readonly hidden?: boolean
  /** How it ended, by name; nothing means `ok`. */
  run(context: Context, values: Values<F> & ArgValues<A>): Promise<Status | undefined>
}

interface Example {
  readonly line: string
  readonly says: string
}

export type Status = 'ok' | FaultCode
export type Flags = Readonly<Record<string, Flag<unknown>>>
export type Args = Readonly<Record<string, Arg<unknown>>>
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }
export type ArgValues<A extends Args> = { readonly [K in keyof A]: A[K] extends Arg<infer T> ? T : never }

/** Ties flags, arguments and `run` together for the compiler. It forgets the exact types on the way out, since the
 *  dispatcher only ever hands back what `parseCommandLine` made from the same flags. */
export function defineCommand<const F extends Flags, const A extends Args>(command: Command<F, A>): Command {
  return command as unknown as Command
}
