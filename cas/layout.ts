import { join } from 'node:path'
import { type Digest, isDigest } from './digest.ts'

/** Where everything lies under a root. FORMAT.md says what each part holds. */
export interface Layout {
  readonly root: string
  readonly formatFile: string
  readonly objects: string
  readonly records: string
  readonly leases: string
  readonly staging: string
  readonly trash: string
  readonly quarantine: string
  readonly index: string
}

export function layoutOf(root: string): Layout {
  return {
    root,
    formatFile: join(root, 'format'),
    objects: join(root, 'objects'),
    records: join(root, 'records'),
    leases: join(root, 'leases'),
    staging: join(root, 'staging'),
    trash: join(root, 'trash'),
    quarantine: join(root, 'quarantine'),
    index: join(root, 'index'),
  }
}

export function objectPath(objectsDir: string, digest: Digest): string {
  return `${objectsDir}/${digest.slice(0, 2)}/${digest.slice(2)}`
}

/** The digest an object's file stands for, or undefined for a file that is no object. */
export function digestOfObjectFile(shard: string, fileName: string): Digest | undefined {
  const text = shard + fileName
  return isDigest(text) ? text : undefined
}
