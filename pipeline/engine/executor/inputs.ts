import { canonicalJson, parseCanonicalJson } from '../../../cas/canonicalJson.ts'
import type { ArtifactType, TableArtifact } from '../../../lib/artifact.ts'
import { Fault } from '../../../lib/fault.ts'
import type { Table } from '../../../lib/tables/table.ts'
import type { Guard } from '../guard/guard.ts'
import type { Port, Ports, Preparation } from '../task.ts'
import { codec, type TaskExports } from './driver.ts'
import { ArtifactFiles } from './inputFiles.ts'
import type { Job, JobArtifact, JobInput } from './job.ts'
import type { KeptInputs } from './keptInputs.ts'
import { readPlaced } from './movedFile.ts'
import { type Plain, plainCopy } from './plainData.ts'

type PlainTable = Pick<Table, 'rowCount'> & { readonly columns: Plain }

/** One node's side of a preparation. */
interface Preparing {
  readonly ports: Ports
  readonly inputs: Job['inputs']
  readonly params: unknown
  readonly code: Readonly<Record<string, unknown>>
  /** Told what is being done, so that an error can say what it is about. */
  readonly reading: (name: string) => void
  readonly making: () => void
}

const absent: JobInput = { kind: 'absent' }

/** Turns the artifacts of one job into what the task's ports promise. Runs armed, since decoders are bundle code. */
export class InputReader {
  readonly #exports: TaskExports
  readonly #guard: Guard
  readonly #kept: KeptInputs
  readonly #codeDigest: string
  readonly #open: ArtifactFiles[] = []
  /** Set when stored bytes were not what their name says. The job has failed then, whatever its task makes of the
   *  error. */
  damage: Fault | undefined

  constructor(exports: TaskExports, guard: Guard, kept: KeptInputs, codeDigest: string) {
    this.#exports = exports
    this.#guard = guard
    this.#kept = kept
    this.#codeDigest = codeDigest
  }

  read(port: Port, input: JobInput): unknown {
    if ('form' in port) return this.#value(port, one(input))
    if (port.port === 'optional') return input.kind === 'absent' ? undefined : this.read(port.of, input)
    if (port.port === 'many') {
      if (input.kind !== 'many') throw new Error('it takes many artifacts and was wired to something else')
      return Object.freeze(input.artifacts.map((artifact) => this.read(port.of, { kind: 'one', artifact })))
    }
    const artifact = one(input)
    const { of: type } = port
    return Object.freeze({ read: () => this.#value(type, artifact), files: this.#files(artifact) })
  }

  /** What a task prepares of some of its inputs: as it was kept, or made and kept for the nodes that read the same. */
  prepare(preparation: Preparation, { ports, inputs, params, code, reading, making }: Preparing): unknown {
    making()
    const factsJson = canonicalJson(preparation.facts(params as never, code as never))
    const given = preparation.inputs.map((name) => ({ name, input: inputs[name] ?? absent }))
    const key = canonicalJson([this.#codeDigest, factsJson, given.map(({ input }) => idsOf(input))])
    const known = this.#guard.suspend(() => this.#kept.find(key))
    if (known !== undefined) return known
    const values: Record<string, unknown> = {}
    const isKept = given.every(({ input }) => artifactsOf(input).every(({ readAgain }) => readAgain === true))
    for (const { name, input } of given) {
      reading(name)
      // What is made of them is kept in their place.
      values[name] = this.read(ports[name]!, isKept ? readOnce(input) : input)
    }
    making()
    const made = plainCopy(
      preparation.make(values as never, parseCanonicalJson(factsJson) as never),
      'what was prepared',
    )
    if (!isKept) return made
    return this.#guard.suspend(() => this.#kept.keep(key, made))
  }

  /** Closes what stayed open for reading in pieces. */
  close(): void {
    if (this.#open.length === 0) return
    this.#guard.suspend(() => {
      for (const files of this.#open) files.close()
    })
  }

  #value(type: ArtifactType, artifact: JobArtifact): unknown {
    if (artifact.type !== type.name) throw new Error(`it takes a ${type.name} and was wired to a ${artifact.type}`)
    if (type.form === 'files') return this.#files(artifact)
    if (type.form === 'json') return type.schema.parse(parseCanonicalJson(this.#text(artifact)))
    return this.#table(type, artifact)
  }

  #text(artifact: JobArtifact): string {
    const known = this.#guard.suspend(() => this.#kept.findText(artifact.id))
    if (known !== undefined) return known
    const bytes = this.#bytes(artifact, 'value.json')
    return this.#guard.suspend(() => {
      const text = new TextDecoder().decode(bytes)
      if (artifact.readAgain === true) this.#kept.keepText(artifact.id, text)
      return text
    })
  }

  #table({ schema }: TableArtifact, artifact: JobArtifact): Table {
    // Two ports may pick different columns of one artifact.
    const key = `${this.#codeDigest} ${artifact.id} ${Object.keys(schema.columns).join()}`
    const known = this.#guard.suspend(() => this.#kept.find(key))
    if (known !== undefined) return { schema, ...(known as PlainTable) } as Table
    const table = codec(this.#exports, 'decodeTable')(schema, this.#bytes(artifact, 'table.parquet'))
    if (artifact.readAgain !== true) return table
    const { rowCount, columns } = table
    // The schema belongs to this instance of the code.
    const plain = this.#guard.suspend(() => this.#kept.keep(key, { rowCount, columns: columns as Plain }))
    return { schema, ...(plain as PlainTable) } as Table
  }

  #files(artifact: JobArtifact) {
    const files = new ArtifactFiles(artifact, (read) => this.#outside(read))
    this.#open.push(files)
    return files.set
  }

  #bytes(artifact: JobArtifact, name: string): Uint8Array {
    const file = artifact.files.find((file) => file.name === name)
    if (file === undefined) throw new Error(`the ${artifact.type} artifact has no file ${name}`)
    return this.#outside(() => readPlaced(file))
  }

  #outside<T>(read: () => T): T {
    try {
      return this.#guard.suspend(read)
    } catch (error) {
      if (error instanceof Fault && error.code === 'corrupt') this.damage ??= error
      throw error
    }
  }
}

const artifactsOf = (input: JobInput): readonly JobArtifact[] => {
  if (input.kind === 'absent') return []
  return input.kind === 'one' ? [input.artifact] : input.artifacts
}

function readOnce(input: JobInput): JobInput {
  if (input.kind === 'absent') return input
  const once = (artifact: JobArtifact): JobArtifact => ({ ...artifact, readAgain: false })
  return input.kind === 'one'
    ? { kind: 'one', artifact: once(input.artifact) }
    : { kind: 'many', artifacts: input.artifacts.map(once) }
}

/** An input that is not there is something else than one that is empty. */
const idsOf = (input: JobInput): readonly string[] | null =>
  input.kind === 'absent' ? null : artifactsOf(input).map(({ id }) => id)

function one(input: JobInput): JobArtifact {
  if (input.kind !== 'one')
    throw new Error(`it takes one artifact and was wired to ${input.kind === 'many' ? 'many' : 'none'}`)
  return input.artifact
}
