import type { Digest } from '../../cas/digest.ts'
import { short } from '../../cas/digest.ts'
import { objectPath } from '../../cas/layout.ts'
import type { Store } from '../../cas/store.ts'
import { Fault } from '../../lib/fault.ts'
import type { Place } from './movedFile.ts'

/** Where workers find an object of the store. */
export function placeOf(store: Store, digest: Digest): Place {
  const path = store.locate(digest)
  if (path !== undefined) return { path, finalPath: objectPath(store.objectsDir, digest) }
  throw new Fault({
    code: 'corrupt',
    what: `the object ${short(digest)} is gone from the store`,
    todo: 'run it again; "pipe verify" lists what else is missing',
  })
}
