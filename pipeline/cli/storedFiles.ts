import { parseCanonicalJson } from '../../cas/canonicalJson.ts'
import type { FileSet } from '../../lib/artifact.ts'
import { Fault } from '../../lib/fault.ts'
import { ArtifactFiles } from '../engine/executor/inputFiles.ts'
import type { Digest, Store } from './context.ts'
import { shortId } from './human.ts'

/** Stored artifacts for a command that works on their contents: each file is opened when it is read, and hashed before
 *  its first byte is believed. */
export class StoredFiles {
  readonly #store: Store
  readonly #open: ArtifactFiles[] = []

  constructor(store: Store) {
    this.#store = store
  }

  typeOf(artifact: Digest): string {
    return this.#store.readDescriptor(artifact).type
  }

  files(artifact: Digest): FileSet {
    const { type, files } = this.#store.readDescriptor(artifact)
    const placed = files.map(({ name, digest, sizeBytes }) => {
      const path = this.#store.locate(digest)
      if (path === undefined) throw this.#gone(artifact, type)
      return { name, digest, sizeBytes, path, finalPath: path }
    })
    const opened = new ArtifactFiles({ id: artifact, type, files: placed }, (read) => read())
    this.#open.push(opened)
    return opened.set
  }

  /** The value of a JSON artifact, not yet checked for its shape. */
  json(artifact: Digest): unknown {
    return parseCanonicalJson(Buffer.from(this.files(artifact).read('value.json')).toString())
  }

  close(): void {
    for (const opened of this.#open.splice(0)) opened.close()
  }

  #gone(artifact: Digest, type: string): Fault {
    const isEvicted = this.#store.artifactPresence(artifact) === 'evicted'
    return new Fault({
      code: isEvicted ? 'unverifiable' : 'corrupt',
      what: isEvicted
        ? `the bytes of the ${type} ${shortId(artifact)} were evicted`
        : `the bytes of the ${type} ${shortId(artifact)} are gone, and nothing says that they were evicted`,
      todo: 'name what it was made for as a target, which brings it back: pipe run <target>',
    })
  }
}
