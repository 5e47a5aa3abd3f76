import type { z } from 'zod'
import type { TableSchema } from './tables/schema.ts'
import type { TableOf } from './tables/table.ts'

/** The shape of an artifact: what a task declares as its output and another names as its input. Tasks meet only here,
 *  so that the code of a producer never becomes part of a consumer. */
export type ArtifactType<Value = unknown, Name extends string = string> =
  | TableArtifact<Value, Name>
  | JsonArtifact<Value, Name>
  | FilesArtifact<Value, Name>

/** Rows of a declared schema, kept as one Parquet file `table.parquet`. */
export interface TableArtifact<Value = unknown, Name extends string = string, S extends TableSchema = TableSchema> {
  readonly form: 'table'
  readonly name: Name
  readonly schema: S
  readonly valueType?: Value // only for the compiler; never set
}

/** A value checked by zod, kept as canonical JSON in one file `value.json`. */
export interface JsonArtifact<Value = unknown, Name extends string = string> {
  readonly form: 'json'
  readonly name: Name
  readonly schema: z.ZodType<Value>
  readonly valueType?: Value
}

/** Raw bytes under names, exactly as they came. */
export interface FilesArtifact<Value = FileSet, Name extends string = string> {
  readonly form: 'files'
  readonly name: Name
  readonly valueType?: Value
}

/** What a task sees of a `files` input. Reading is synchronous: a pure task has nothing else to wait for. */
export interface FileSet {
  readonly names: readonly string[]
  sizeBytes(name: string): number
  read(name: string): Uint8Array
  /** A slice of a file, for formats that are read in pieces. */
  readAt(name: string, offset: number, lengthBytes: number): Uint8Array
}

export function tableArtifact<S extends TableSchema>(schema: S): TableArtifact<TableOf<S>, S['name'], S> {
  return { form: 'table', name: schema.name, schema }
}

export function jsonArtifact<const Name extends string, Value>(
  name: Name,
  schema: z.ZodType<Value>,
): JsonArtifact<Value, Name> {
  return { form: 'json', name, schema }
}

export function filesArtifact<const Name extends string>(name: Name): FilesArtifact<FileSet, Name> {
  return { form: 'files', name }
}
