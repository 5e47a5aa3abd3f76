import { parseDescriptor } from '../../../cas/artifact.ts'
import { type Digest, isDigest } from '../../../cas/digest.ts'
import type { Store } from '../../../cas/store.ts'
import { Fault } from '../../../lib/fault.ts'
import type { NodeState } from '../walk/walk.ts'

/** The object whose bytes an execution could not trust, or did not find. */
export function distrustedObject(error: unknown): Digest | undefined {
  if (!(error instanceof Fault) || (error.code !== 'corrupt' && error.code !== 'unverifiable')) return undefined
  const { digest } = error.details
  return isDigest(digest) ? digest : undefined
}

/** Whether an object's bytes are what its name says. Looking moves a damaged one to quarantine, so that a rebuilt one
 *  can take its place. */
export function isTrusted(store: Store, digest: Digest): boolean {
  return readTrusted(store, digest) !== undefined
}

/** The nodes whose bytes have to be made again before this one can read them. All it reads is hashed again, and not
 *  only what was noticed: damage seldom comes alone. */
export function lostInputs(store: Store, state: NodeState): NodeState[] {
  const inputs = new Set(state.inputs.flatMap((input) => input.states))
  return [...inputs].filter((inner) => !isWholeArtifact(store, inner.artifact!))
}

/** Of the finished nodes those whose artifact no snapshot may rest on: the descriptor, hashed again, is not what it is
 *  named, or a file is gone. What was lost may be what nobody read, for its name was enough for whoever rests on it. */
export function unpinnable(store: Store, states: Iterable<NodeState>): NodeState[] {
  return [...states].filter(({ artifact, failed, node: { task } }) => {
    if (artifact === undefined || failed || task.kind === 'sink') return false
    if (!isTrusted(store, artifact)) return true
    const presence = store.artifactPresence(artifact)
    // The files of a pure node may have been given up on purpose.
    return presence !== 'present' && (presence !== 'evicted' || task.kind === 'source')
  })
}

function isWholeArtifact(store: Store, artifact: Digest): boolean {
  const bytes = readTrusted(store, artifact)
  if (bytes === undefined) return false
  // No short cut at the first: every damaged file has to leave its place.
  return parseDescriptor(bytes).files.filter((file) => !isTrusted(store, file.digest)).length === 0
}

function readTrusted(store: Store, digest: Digest): Uint8Array | undefined {
  try {
    return store.readObject(digest)
  } catch (error) {
    if (error instanceof Fault) return undefined
    throw error
  }
}
