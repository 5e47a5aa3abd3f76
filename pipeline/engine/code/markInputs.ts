import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { FileLook, FileMark } from './fileMarks.ts'
import type { ImportResolver } from './resolveImports.ts'
import { tickpipeDir } from './tickpipePackage.ts'

/** Marks everything that a build depends on: its files, all that resolving their imports looked at, what each
 *  package.json says about them, and the builder.
 *
 *  @param sinceMs when the build began to read files */
export function markInputs(
  look: FileLook,
  files: readonly string[],
  { packages, lookedAt }: ImportResolver,
  sinceMs: number,
): FileMark[] | undefined {
  for (const file of files) packages.noteScopes(file)
  const read = new Set([...files, ...packages.manifests, ...lookedAt.manifests, ...builderFiles()])
  const absent = new Set([...lookedAt.absent, ...packages.absentManifests])
  return look.markAll(read, { absent, links: lookedAt.links }, sinceMs)
}

/** What makes bundles and code objects: another version of it may make others of the same sources. */
function builderFiles(): string[] {
  const sources = join(tickpipeDir, 'pipeline', 'engine', 'code')
  return [
    join(tickpipeDir, 'package.json'),
    createRequire(import.meta.url).resolve('rolldown/package.json'),
    ...readdirSync(sources).map((name) => join(sources, name)),
  ]
}
