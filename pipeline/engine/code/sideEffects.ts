import { relative, sep } from 'node:path'
import type { Packages } from './packages.ts'
import { isInstalled } from './resolveImports.ts'
import { isTickpipeFile } from './tickpipePackage.ts'

/** Whether a module is left out where nothing of its own is used, whatever its top level does: so say packages about
 *  themselves, with `sideEffects` in their package.json, and all of tickpipe. A module of the project is kept. */
export function isMarkedFree(file: string, packages: Packages): boolean {
  if (isTickpipeFile(file)) return true
  if (!isInstalled(file)) return false
  const owner = packages.of(file)
  const marked = owner?.manifest['sideEffects']
  if (marked === false) return true
  if (owner === undefined || !Array.isArray(marked)) return false
  const path = relative(owner.dir, file).split(sep).join('/')
  return !marked.some((pattern) => typeof pattern === 'string' && globOf(pattern).test(path))
}

/** As bundlers read it: a pattern without a slash means files of any folder. */
function globOf(pattern: string): RegExp {
  const path = pattern.replace(/^\.?\//, '')
  const source = (pattern.includes('/') ? path : `**/${path}`).replace(
    /\*\*\/|\*\*|\*|\?|\{[^{}]*\}|[.+^$()|[\]\\{}]/g,
    (part) => {
      if (part === '**/') return '(?:.*/)?'
      if (part === '**') return '.*'
      if (part === '*') return '[^/]*'
      if (part === '?') return '[^/]'
      if (part.length > 1) return `(?:${part.slice(1, -1).split(',').map(escaped).join('|')})`
      return `\\${part}`
    },
  )
  return new RegExp(`^${source}$`)
}

const escaped = (text: string) => text.replace(/[.+^$()|[\]\\{}?]/g, '\\$&').replaceAll('*', '[^/]*')
