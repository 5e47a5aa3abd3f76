import type { z } from 'zod'
import type { ArtifactType, JsonArtifact } from '../../lib/artifact.ts'
import type {
  CodePort,
  CodePorts,
  ManyPort,
  OptionalPort,
  Ports,
  PureTask,
  SinkTask,
  SourceTask,
  StoredPort,
  ValueOf,
} from './task.ts'

/** A node placed in the graph, as the code that builds the graph sees it. The type parameter lets the compiler check
 *  the wiring. */
export interface NodeHandle<A extends ArtifactType = ArtifactType> {
  readonly handle: 'node'
  readonly address: string
  readonly output: A
}

/** All nodes of a fan-out, in the order of its items; how many is known once the artifact it rests on is. */
export interface Collection<A extends ArtifactType = ArtifactType> {
  readonly handle: 'collection'
  readonly id: string
  readonly output?: A // only for the compiler
}

type ArtifactOf<P> =
  P extends OptionalPort<infer Q>
    ? ArtifactOf<Q>
    : P extends ManyPort<infer Q>
      ? ArtifactOf<Q>
      : P extends StoredPort<infer A>
        ? A
        : P extends ArtifactType
          ? P
          : never

/** What may be wired to a port. */
type WireOf<P> =
  P extends OptionalPort<infer Q>
    ? WireOf<Q> | undefined
    : P extends ManyPort
      ? Collection<ArtifactOf<P>> | readonly (NodeHandle<ArtifactOf<P>> | Collection<ArtifactOf<P>>)[]
      : NodeHandle<ArtifactOf<P>>

type OptionalKeys<I extends Ports> = { [K in keyof I]: I[K] extends OptionalPort ? K : never }[keyof I]
type Wires<I extends Ports> = { readonly [K in Exclude<keyof I, OptionalKeys<I>>]: WireOf<I[K]> } & {
  readonly [K in OptionalKeys<I>]?: WireOf<I[K]>
}
type CodeWires<C extends CodePorts> = { readonly [K in keyof C]: C[K] extends CodePort ? ValueOf<C[K]> : never }

/** Tasks without ports ask for nothing. The compiler infers an open index signature where a `run` takes its inputs
 *  apart in depth; that is no port either. */
type WhenAny<Keys, Then> = [Keys] extends [never] ? unknown : string extends Keys ? unknown : Then

/** How a task is placed. `at` becomes the bracketed part of the address: `klines[BTCUSDT,1m]`. */
export type Placement<P extends z.ZodType, I extends Ports, C extends CodePorts> = {
  readonly at?: readonly (string | number)[]
} & (Record<never, never> extends z.input<P> ? { readonly params?: z.input<P> } : { readonly params: z.input<P> }) &
  WhenAny<
    keyof I,
    Exclude<keyof I, OptionalKeys<I>> extends never ? { readonly inputs?: Wires<I> } : { readonly inputs: Wires<I> }
  > &
  WhenAny<keyof C, { readonly code: CodeWires<C> }>

type PlacementArgs<P extends z.ZodType, I extends Ports, C extends CodePorts> =
  Record<never, never> extends Placement<P, I, C> ? [placement?: Placement<P, I, C>] : [placement: Placement<P, I, C>]

/** What `each` may return for one item. */
export type Grown<A extends ArtifactType> = NodeHandle<A> | Collection<A> | readonly (NodeHandle<A> | Collection<A>)[]

/** Handed to a pipeline's build function. */
export interface Graph {
  /** Places a source. */
  add<N extends string, P extends z.ZodType, const I extends Ports, O extends ArtifactType>(
    task: SourceTask<N, P, I, O>,
    ...placement: PlacementArgs<P, I, Record<never, never>>
  ): NodeHandle<O>
  /** Places a sink. */
  add<N extends string, P extends z.ZodType, const I extends Ports, O extends ArtifactType>(
    task: SinkTask<N, P, I, O>,
    ...placement: PlacementArgs<P, I, Record<never, never>>
  ): NodeHandle<O>
  /** Places a pure task. */
  add<N extends string, P extends z.ZodType, const I extends Ports, const C extends CodePorts, O extends ArtifactType>(
    task: PureTask<N, P, I, C, O>,
    ...placement: PlacementArgs<P, I, C>
  ): NodeHandle<O>

  /** Grows the graph once `artifact` is known: `items` reads the list out of its value, `grow` places nodes for each.
   *  May be nested, and thousands wide. */
  each<Value, Item, A extends ArtifactType>(
    artifact: NodeHandle<JsonArtifact<Value>>,
    items: (value: Value) => readonly Item[],
    grow: (item: Item, index: number) => Grown<A>,
  ): Collection<A>

  /** A node by its address, placed before or after: for wiring across files. */
  ref<A extends ArtifactType>(output: A, address: string): NodeHandle<A>

  /** Names what `pipe run <name>` makes. */
  target(name: string, ...what: readonly (NodeHandle | Collection)[]): void

  /** Names a target that another config would have: who asks for it is told what to set. */
  absentTarget(name: string, todo: string): void
}

/** A pipeline is a value: its name, the schema of its config, and how the graph follows from a config. */
export interface Pipeline<Name extends string = string, S extends z.ZodType = z.ZodType> {
  readonly name: Name
  readonly doc?: string
  readonly config: S
  build(graph: Graph, config: z.output<S>): void
}

export function definePipeline<const Name extends string, S extends z.ZodType>(
  name: Name,
  config: S,
  build: (graph: Graph, config: z.output<S>) => void,
): Pipeline<Name, S> {
  return { name, config, build }
}

/** A pipeline together with the config a project gives it. */
export interface ConfiguredPipeline {
  readonly pipeline: Pipeline
  readonly config: unknown
}

/** The config is checked by the compiler here and by zod when it is used. */
export const withConfig = <S extends z.ZodType>(
  pipeline: Pipeline<string, S>,
  config: z.input<S>,
): ConfiguredPipeline => ({ pipeline: pipeline as unknown as Pipeline, config })

/** The default export of `pipe.config.ts`. */
export interface Project {
  /** Where the store lives, unless `--root` or `PIPE_ROOT` says otherwise; relative to the config file. */
  readonly root?: string
  /** The first is the default of every command. */
  readonly pipelines: readonly ConfiguredPipeline[]
  /** How many sources of a group run at once. */
  readonly limits?: Readonly<Record<string, number>>
  /** What the pure tasks that run at one time may need together; three quarters of the machine's memory by default. */
  readonly memoryMb?: number
  /** How long a pure task may take that does not say it itself; an hour by default. */
  readonly timeoutMs?: number
  /** How long a backtest, or whatever else says how far in market time it has come, may stand still; two minutes by
   *  default. */
  readonly silenceMs?: number
  /** `now` is floored to this when no --as-of is given; a day by default. */
  readonly asOfGridMs?: number
  /** Packages laid out as they are instead of inlined; those with .wasm or .node files always are. */
  readonly closures?: readonly string[]
}

export const defineProject = (project: Project): Project => project
