import type { ArtifactFile } from '../../../cas/artifact.ts'
import { canonicalJson, parseCanonicalJson } from '../../../cas/canonicalJson.ts'
import type { Digest } from '../../../cas/digest.ts'
import { type Staged, stageBytes } from '../../../cas/staging.ts'
import type { Store } from '../../../cas/store.ts'
import type { ArtifactType, FileSet } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { absentType } from '../../../snapshots/manifest.ts'
import type { OutputFile, Port, Stored } from '../task.ts'
import { issuesText } from '../walk/params.ts'

/** A file of an artifact that was just made: staged, hashed, not yet durable. */
export interface MadeFile {
  readonly name: string
  readonly staged: Staged
  readonly rows?: number
}

/** Reads artifacts for tasks that run in this process: sources and sinks. Pure tasks read theirs in a worker. */
export class Materials {
  private readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  /** What a port hands to `run`; artifacts of absent sources are undefined, and left out of a `many`. */
  async portValue(port: Port, artifacts: readonly Digest[], where: string): Promise<unknown> {
    const inner = 'port' in port && port.port === 'optional' ? port.of : port
    if ('port' in inner && inner.port === 'many') {
      const values: unknown[] = []
      for (const artifact of artifacts)
        if (!this.isAbsent(artifact)) values.push(await this.oneValue(inner.of, artifact))
      return values
    }
    const artifact = artifacts[0]
    if (artifact !== undefined && !this.isAbsent(artifact)) return this.oneValue(inner, artifact)
    if (inner !== port) return undefined
    throw new Fault({
      code: 'failed',
      what: 'a source it needs has nothing to give',
      where,
      todo: 'declare the input optional if that may be',
    })
  }

  isAbsent(artifact: Digest): boolean {
    return this.store.readDescriptor(artifact).type === absentType
  }

  private async oneValue(port: Port, artifact: Digest): Promise<unknown> {
    if ('port' in port && port.port === 'stored') {
      // Tables are decoded by code that is loaded only where a source or sink reads one.
      const value = await this.value(port.of, artifact)
      const stored: Stored<unknown> = { read: () => value, files: this.fileSet(artifact) }
      return stored
    }
    return this.value(port as ArtifactType, artifact)
  }

  private async value(type: ArtifactType, artifact: Digest): Promise<unknown> {
    const files = this.fileSet(artifact)
    if (type.form === 'files') return files
    if (type.form === 'json') {
      const checked = type.schema.safeParse(parseCanonicalJson(new TextDecoder().decode(files.read('value.json'))))
      if (checked.success) return checked.data
      throw new Fault({
        code: 'failed',
        what: `${type.name} does not fit its schema: ${issuesText(checked.error)}`,
        todo: 'run the task that makes it again',
      })
    }
    const { decodeTable } = await import('../../../lib/tables/parquet.ts')
    return decodeTable(type.schema, files.read('table.parquet'))
  }

  private fileSet(artifact: Digest): FileSet {
    const byName = new Map(this.store.readDescriptor(artifact).files.map((file) => [file.name, file]))
    const find = (name: string): ArtifactFile => {
      const file = byName.get(name)
      if (file === undefined)
        throw new Fault({
          code: 'failed',
          what: `the artifact has no file "${name}"`,
          todo: `it has: ${[...byName.keys()].join(', ')}`,
        })
      return file
    }
    return {
      names: [...byName.keys()],
      sizeBytes: (name) => find(name).sizeBytes,
      read: (name) => this.store.readObject(find(name).digest),
      readAt: (name, offset, lengthBytes) =>
        this.store.readObject(find(name).digest).subarray(offset, offset + lengthBytes),
    }
  }
}

/** Checks what a source or sink returned against its declared output, and stages it. */
export async function stageOutput(
  stagingDir: string,
  type: ArtifactType,
  value: unknown,
  where: string,
): Promise<MadeFile[]> {
  if (type.form === 'files') {
    if (!Array.isArray(value)) throw badOutput(where, 'a list of { name, bytes } was expected')
    return (value as readonly OutputFile[]).map(({ name, bytes }) => ({ name, staged: stageBytes(stagingDir, bytes) }))
  }
  if (type.form === 'json') {
    const checked = type.schema.safeParse(value)
    if (!checked.success) throw badOutput(where, issuesText(checked.error))
    return [{ name: 'value.json', staged: stageBytes(stagingDir, canonicalJson(checked.data)) }]
  }
  const [{ encodeTable }, { assertSorted }] = await Promise.all([
    import('../../../lib/tables/parquet.ts'),
    import('../../../lib/tables/order.ts'),
  ])
  const table = value as Table
  assertSorted(table)
  return [{ name: 'table.parquet', staged: stageBytes(stagingDir, encodeTable(table)), rows: table.rowCount }]
}

const badOutput = (where: string, why: string): Fault =>
  new Fault({
    code: 'failed',
    what: `what run returned does not fit its declared output: ${why}`,
    where,
    todo: 'correct the task, or its output type',
  })
