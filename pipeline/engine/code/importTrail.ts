import { existsSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LookedAt, realPathOf } from './fileMarks.ts'
import type { Package } from './packages.ts'

const extensions = ['.tsx', '.ts', '.mts', '.cts', '.jsx', '.js', '.mjs', '.cjs', '.json']

/** Every place that decided where imports lead, besides the files they led to: paths that were tried in vain, and
 *  links. */
export class ImportTrail implements LookedAt {
  readonly absent = new Set<string>()
  readonly links = new Map<string, string>()
  /** Each package.json of a folder that a path named: it may say which file is meant. */
  readonly manifests = new Set<string>()
  readonly #seen = new Set<string>()

  addPackage({ found, absent }: { readonly found: Package | undefined; readonly absent: readonly string[] }): void {
    for (const path of absent) this.absent.add(path)
    if (found !== undefined) this.addLink(found.dir)
  }

  /** @param specifier a relative or absolute path, or the URL of a file */
  addPath(specifier: string, importer: string): void {
    const path = specifier.startsWith('file:') ? fileURLToPath(specifier) : resolve(dirname(importer), specifier)
    if (this.#seen.has(path)) return
    this.#seen.add(path)
    this.addLink(dirname(path))
    for (const candidate of candidatesFor(path)) {
      if (!existsSync(candidate)) this.absent.add(candidate)
      else if (basename(candidate) === 'package.json') this.manifests.add(candidate)
      else this.addLink(candidate)
    }
  }

  addLink(path: string): void {
    const target = realPathOf(path)
    if (target !== '' && target !== path) this.links.set(path, target)
  }
}

/** The files that an import of this path may mean, and perhaps some more: a needless one costs a build when it comes to
 *  be, a missing one would leave an old build standing. */
function candidatesFor(path: string): string[] {
  const extension = extname(path)
  // TypeScript lets an import name the JavaScript file that would be made of the one that is meant.
  const sources = /^\.[cm]?jsx?$/.test(extension)
    ? extensions.map((other) => path.slice(0, -extension.length) + other)
    : []
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return [path, ...sources]
  const appended = extensions.flatMap((other) => [path + other, join(path, `index${other}`)])
  return [path, ...sources, ...appended, join(path, 'package.json')]
}
