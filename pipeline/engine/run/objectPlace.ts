import type { Digest } from '../../../cas/digest.ts'
import { objectPath } from '../../../cas/layout.ts'
import type { Store } from '../../../cas/store.ts'
import { type Place, unreadableObject } from '../executor/movedFile.ts'

/** Where workers find an object of the store. */
export function placeOf(store: Store, digest: Digest): Place {
  const path = store.locate(digest)
  if (path !== undefined) return { digest, path, finalPath: objectPath(store.objectsDir, digest) }
  throw unreadableObject(digest, 'is gone from the store')
}
