import type { z } from 'zod'
import type { ArtifactType, FileSet, FilesArtifact, TableArtifact } from '../../lib/artifact.ts'
import type { StartOver } from '../../lib/tables/batches.ts'

/** A value or the promise of one. */
type Awaitable<T> = T | Promise<T>

// ---- ports: what a task reads

/** Every artifact of a fan-out, in the order its items came. */
export interface ManyPort<P extends OnePort = OnePort> {
  readonly port: 'many'
  readonly of: P
}

/** Read when asked for, not before: for inputs that do not fit in memory all at once. */
export interface StoredPort<A extends ArtifactType = ArtifactType> {
  readonly port: 'stored'
  readonly of: A
}

/** May be left unwired, or come from a source that had nothing. */
export interface OptionalPort<P extends OnePort | ManyPort = OnePort | ManyPort> {
  readonly port: 'optional'
  readonly of: P
}

export type OnePort = ArtifactType | StoredPort
export type Port = OnePort | ManyPort | OptionalPort
export type Ports = Readonly<Record<string, Port>>

export const many = <const P extends OnePort>(of: P): ManyPort<P> => ({ port: 'many', of })
export const stored = <const A extends ArtifactType>(of: A): StoredPort<A> => ({ port: 'stored', of })
export const optional = <const P extends OnePort | ManyPort>(of: P): OptionalPort<P> => ({ port: 'optional', of })

/** An artifact that is read on demand. */
export interface Stored<Value> {
  /** The whole decoded value. */
  read(): Value
  /** The files underneath, for reading in pieces. */
  readonly files: FileSet
}

/** What an artifact type holds, for the compiler. */
export type ValueOf<A> = A extends { readonly valueType?: infer V } ? Exclude<V, undefined> : never

export type PortValue<P> =
  P extends OptionalPort<infer Q>
    ? PortValue<Q> | undefined
    : P extends ManyPort<infer Q>
      ? readonly PortValue<Q>[]
      : P extends StoredPort<infer A>
        ? Stored<ValueOf<A>>
        : ValueOf<P>

export type PortValues<I extends Ports> = { readonly [K in keyof I]: PortValue<I[K]> }

/** A slot for code: a strategy, a cost model. It is bundled and hashed on its own, so that changing it re-runs only
 *  what takes it. */
export interface CodePort<Value = unknown> {
  readonly port: 'code'
  readonly valueType?: Value
}
export type CodePorts = Readonly<Record<string, CodePort>>
export type CodeValues<C extends CodePorts> = { readonly [K in keyof C]: ValueOf<C[K]> }
export const codePort = <Value>(): CodePort<Value> => ({ port: 'code' })

// ---- what a task writes

/** One file of a `files` output. */
export interface OutputFile {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What `run` returns for an output type. A table may come in batches, each sorted after the one before it; a text that
 *  their generator returns is kept in the table's file as its notes. */
export type OutputOf<A extends ArtifactType> = A extends FilesArtifact
  ? readonly OutputFile[]
  : A extends TableArtifact
    ? ValueOf<A> | Iterable<ValueOf<A> | StartOver>
    : ValueOf<A>

/** A source's way to say: the outside world has nothing here (a 404). It is recorded as an observation. */
export interface Absent {
  readonly absent: true
  readonly reason: string
  /** After how long it is worth asking again; never, when left out. */
  readonly recheckAfterMs?: number
}
export const absent = (reason: string, recheckAfterMs?: number): Absent => ({
  absent: true,
  reason,
  ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }),
})

/** Why a source asks for nothing just now. */
export interface SourceWait {
  /** The host, or whatever is to answer. */
  readonly on: string
  /** What went wrong: `503`. */
  readonly after: string
  readonly waitMs: number
  /** The try that follows, and how many there are at most; absent where none is used up. */
  readonly attempt?: number
  readonly attemptsMax?: number
}

/** Thrown by a source when trying again cannot help (a 400, a wrong name). Anything else is retried. */
export class PermanentError extends Error {
  override readonly name = 'PermanentError'
  readonly permanent = true
}

// ---- contexts: all that a run may touch besides its inputs

export interface PureContext {
  /** 64 bits in hex from (task name, params.seed, stream name): feed it to lib/rng. Never depends on the key. */
  seed(stream: string): string
  log(message: string): void
  /** Says how far in market time the task has come. One that said so once and then falls silent for long is stopped, and
   *  the message names this instant. Absent where nobody watches. */
  reached?(tsMs: number): void
}

export interface SourceContext {
  /** Aborted when the run is to stop: at once where nothing was received of late, and else some seconds later. */
  readonly signal: AbortSignal
  /** The run's as-of instant. Only a task that declares `usesAsOf` may read it; it is then part of the key. */
  readonly asOfMs: number
  readonly attempt: number
  log(message: string): void
  /** Facts about how it went (statuses, waits, urls): provenance, in no id. */
  note(fact: Readonly<Record<string, unknown>>): void
  progress(done: { readonly bytes?: number; readonly requests?: number }): void
  /** Says that it waits before it asks again, as the wait begins. Absent where nobody watches. */
  waiting?(wait: SourceWait): void
  /** Streams a file into the store while hashing it; the artifact then holds it beside what `run` returns. */
  openFile(name: string): { write(chunk: Uint8Array): void; finish(): void }
}

export interface SinkContext {
  readonly signal: AbortSignal
  /** Equal for every try of the same push: hand it to the receiver. */
  readonly idempotencyKey: string
  log(message: string): void
}

// ---- the task

export interface Limits {
  /** What one execution may need at most; the scheduler admits no more than fits. */
  readonly memoryMb?: number
  /** How long one execution may take; an hour for pure tasks unless the project says otherwise. */
  readonly timeoutMs?: number
  /** Sources of one group share a concurrency limit of the config, such as `{ binance: 4 }`. */
  readonly group?: string
  /** How often a source is tried in all. */
  readonly attempts?: number
  /** Run in a child process that can be killed for memory or time: for code we did not write. */
  readonly isolate?: boolean
}

interface TaskBase<Name extends string, P extends z.ZodType, O extends ArtifactType> {
  readonly name: Name
  readonly doc?: string
  readonly params: P
  readonly output: O
  readonly limits?: Limits
}

/**
 * What nodes over the same inputs have in common, such as a market under a thousand parameter sets. A worker makes it once
 * and hands it to each of them as `prepared`, in place of the inputs it is made of. So that no node can be told by it which
 * nodes ran before, it is plain data (objects, lists, typed arrays, texts, numbers) and follows from nothing but these
 * inputs and the facts.
 */
export interface Preparation {
  readonly inputs: readonly string[]
  /** All that it depends on besides its inputs. It must be JSON: nodes with equal text share what is made. */
  facts(params: never, code: never): unknown
  make(inputs: never, facts: never): unknown
}

export interface PureTask<
  Name extends string = string,
  P extends z.ZodType = z.ZodType,
  I extends Ports = Ports,
  C extends CodePorts = CodePorts,
  O extends ArtifactType = ArtifactType,
> extends TaskBase<Name, P, O> {
  readonly kind: 'pure'
  readonly inputs: I
  readonly code?: C
  readonly prepare?: Preparation
  run(inputs: PortValues<I> & CodeValues<C>, params: z.output<P>, context: PureContext): Awaitable<OutputOf<O>>
}

/** A pure task as it is written where some inputs are prepared. */
interface PreparingTask<
  Name extends string,
  P extends z.ZodType,
  I extends Ports,
  C extends CodePorts,
  O extends ArtifactType,
  K extends keyof I,
  Facts,
  Value,
> extends Omit<PureTask<Name, P, I, C, O>, 'prepare' | 'run'> {
  readonly prepare: {
    readonly inputs: readonly K[]
    facts(params: z.output<P>, code: CodeValues<C>): Facts
    make(inputs: Pick<PortValues<I>, K>, facts: Facts): Value
  }
  run(
    inputs: Omit<PortValues<I>, K> & CodeValues<C> & { readonly prepared: Value },
    params: z.output<P>,
    context: PureContext,
  ): Awaitable<OutputOf<O>>
}

export interface SourceTask<
  Name extends string = string,
  P extends z.ZodType = z.ZodType,
  I extends Ports = Ports,
  O extends ArtifactType = ArtifactType,
> extends TaskBase<Name, P, O> {
  readonly kind: 'source'
  /** The only code identity a source has: bump it to fetch everything again. */
  readonly version: number
  /** True when the answer depends on the as-of instant, which is then part of the key. */
  readonly usesAsOf?: boolean
  readonly inputs?: I
  run(inputs: PortValues<I>, params: z.output<P>, context: SourceContext): Promise<OutputOf<O> | Absent>
}

export interface SinkTask<
  Name extends string = string,
  P extends z.ZodType = z.ZodType,
  I extends Ports = Ports,
  O extends ArtifactType = ArtifactType,
> extends TaskBase<Name, P, O> {
  readonly kind: 'sink'
  readonly version: number
  readonly inputs: I
  /** What it returns is the receipt, kept beside the key. */
  run(inputs: PortValues<I>, params: z.output<P>, context: SinkContext): Promise<OutputOf<O>>
}

export type Task = PureTask | SourceTask | SinkTask

/** Ties name, kind, params, inputs, output and `run` together. It returns what it was given: a task is a value. (The
 *  overload for pure tasks stands last: the compiler's messages are about the last one.) */
export function defineTask<
  const Name extends string,
  P extends z.ZodType,
  O extends ArtifactType,
  const I extends Ports = Readonly<Record<never, never>>,
>(task: SourceTask<Name, P, I, O>): SourceTask<Name, P, I, O>
export function defineTask<
  const Name extends string,
  P extends z.ZodType,
  const I extends Ports,
  O extends ArtifactType,
>(task: SinkTask<Name, P, I, O>): SinkTask<Name, P, I, O>
export function defineTask<
  const Name extends string,
  P extends z.ZodType,
  const I extends Ports,
  O extends ArtifactType,
  const K extends keyof I & string,
  Facts,
  Value,
  const C extends CodePorts = Readonly<Record<never, never>>,
>(task: PreparingTask<Name, P, I, C, O, K, Facts, Value>): PureTask<Name, P, I, C, O>
export function defineTask<
  const Name extends string,
  P extends z.ZodType,
  const I extends Ports,
  O extends ArtifactType,
  const C extends CodePorts = Readonly<Record<never, never>>,
>(task: PureTask<Name, P, I, C, O>): PureTask<Name, P, I, C, O>
export function defineTask<T>(task: T): T {
  return task
}

export type { ArtifactType, FileSet, FilesArtifact, TableArtifact }
