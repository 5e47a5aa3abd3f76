import { z } from 'zod'
import { type FileSet, filesArtifact, jsonArtifact } from '../artifact.ts'
import { Fault } from '../fault.ts'
import { encodeTable, openAnyTable } from './parquet.ts'
import { defineTable, f64, tsMs } from './schema.ts'
import { makeTable } from './table.ts'

/** Feature columns of one group, a Parquet file for each symbol: which columns there are depends on the group, and each
 *  file says it itself. A row stands for every bar of the range, NaN where a feature has no value: left out, an older
 *  value would be taken for it. */
export const features = filesArtifact('features')

const fileOf = (symbol: string): string => `${symbol}.parquet`

export function encodeFeatures(
  symbol: string,
  openTsMs: Float64Array,
  columns: Readonly<Record<string, Float64Array>>,
): { name: string; bytes: Uint8Array } {
  const schema = defineTable({
    name: 'features',
    version: 1,
    columns: { openTsMs: tsMs(), ...Object.fromEntries(Object.keys(columns).map((name) => [name, f64()])) },
    sortKey: ['openTsMs'],
  })
  return { name: fileOf(symbol), bytes: encodeTable(makeTable(schema, { openTsMs, ...columns })) }
}

export interface FeatureColumns {
  /** A row is known one interval after this. */
  readonly openTsMs: Float64Array
  readonly columns: Readonly<Record<string, Float64Array>>
}

export const featureSymbols = ({ names }: FileSet): string[] => names.map((name) => name.replace(/\.parquet$/, ''))

/** Which features a group's files have. */
export function featureNames(files: FileSet): string[] {
  const symbol = featureSymbols(files)[0]
  return symbol === undefined ? [] : namesIn(open(files, symbol))
}

/** Some columns of one symbol; undefined where the group has nothing of it. */
export function readFeatures(files: FileSet, symbol: string, names: readonly string[]): FeatureColumns | undefined {
  if (!files.names.includes(fileOf(symbol))) return undefined
  const reader = open(files, symbol)
  const known = namesIn(reader)
  const missing = names.find((name) => !known.includes(name))
  if (missing !== undefined) {
    throw new Fault({
      code: 'failed',
      what: `there is no feature "${missing}" among ${known.join(', ')}`,
      where: symbol,
      todo: 'add the group it belongs to, or leave it out of what the strategy declares',
    })
  }
  const { openTsMs, ...columns } = reader.read({ columns: ['openTsMs', ...names] }).columns
  return { openTsMs: openTsMs as Float64Array, columns: columns as Record<string, Float64Array> }
}

const namesIn = ({ schema }: ReturnType<typeof open>): string[] => Object.keys(schema.columns).slice(1)

function open(files: FileSet, symbol: string) {
  const name = fileOf(symbol)
  return openAnyTable({
    sizeBytes: files.sizeBytes(name),
    readAt: (offset, length) => files.readAt(name, offset, length),
  })
}

const leak = z.object({
  /** The last three are of strategies: lib/backtest/checkStrategy.ts says what they mean. */
  kind: z.enum(['looksAhead', 'warmupTooShort', 'remembers', 'bringsData', 'columnForetells']),
  /** A strategy stands here under its name too. */
  feature: z.string(),
  /** Of the feature, or `strategy`. */
  group: z.string(),
  /** Whose future it was; of a strategy, empty where it cannot be told. */
  symbol: z.string(),
  /** Of a strategy: the declared column or the part of the market whose future it knew, where that can be told. */
  column: z.string().optional(),
  rowKnownAtMs: z.number(),
  cutMs: z.number(),
  /** What was not the same any more, where the row does not say it. */
  what: z.string().optional(),
})
export type FoundLeak = z.infer<typeof leak>

/** Which features or strategies were tried for looking ahead, at how many instants, and what was found. */
export const leaks = jsonArtifact(
  'leaks',
  z.object({ features: z.array(z.string()), cuts: z.number(), leaks: z.array(leak) }),
)
