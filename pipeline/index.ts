/** All that a project imports as `tickpipe`. */

/** The zod that tickpipe itself uses, so that a project needs nothing besides tickpipe. */
export { z } from 'zod'
export type { FileSet, FilesArtifact, JsonArtifact, TableArtifact } from '../lib/artifact.ts'
export { filesArtifact, jsonArtifact, tableArtifact } from '../lib/artifact.ts'
export { type Duration, duration } from '../lib/backtest/duration.ts'
export type { Strategy, StrategyContext } from '../lib/backtest/strategy.ts'
export { defineStrategy } from '../lib/backtest/strategy.ts'
export { Fault } from '../lib/fault.ts'
/** The language features are written in. */
export * as column from '../lib/features/column.ts'
export type { Feature, FeatureGroup } from '../lib/features/feature.ts'
export { featureGroup } from '../lib/features/feature.ts'
/** What a source needs and nobody else may know: named in a config by its environment variable. */
export { Secret, secret } from '../lib/secret.ts'
export type { Column, ColumnKind, Columns, TableSchema } from '../lib/tables/schema.ts'
export {
  bool,
  decimal,
  defineTable,
  f64,
  i32,
  i64,
  nullable,
  pickColumns,
  tsMs,
  tsUs,
  utf8,
  wideDecimal,
} from '../lib/tables/schema.ts'
export type { Table, TableOf } from '../lib/tables/table.ts'
export { concatTables, makeTable, sliceTable } from '../lib/tables/table.ts'
export type { BigInts } from '../lib/tables/wideInts.ts'
export { bigAt, bigIntsOf, bigsToFloat64 } from '../lib/tables/wideInts.ts'
export type { Collection, ConfiguredPipeline, Graph, NodeHandle, Pipeline, Project } from './engine/graph.ts'
export { definePipeline, defineProject, withConfig } from './engine/graph.ts'
export type {
  Absent,
  ArtifactType,
  CodePort,
  Limits,
  OutputFile,
  PureContext,
  PureTask,
  SinkContext,
  SinkTask,
  SourceContext,
  SourceTask,
  Stored,
  Task,
  ValueOf,
} from './engine/task.ts'
export { absent, codePort, defineTask, many, optional, PermanentError, stored } from './engine/task.ts'
/** The pipelines that come with the program; `usdmPipeline` takes a project's own strategies and features. */
export { dataset } from './graphs/dataset.ts'
export { type UsdmParts, usdm, usdmPipeline } from './graphs/usdm.ts'
