import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/** Dependencies point one way: pipeline/cli -> pipeline/graphs -> tasks -> lib. Read from the source files themselves. */
const top = fileURLToPath(new URL('..', import.meta.url))

interface Rule {
  readonly of: RegExp
  readonly mayImport: readonly RegExp[]
}

/** The first rule whose `of` fits a file says what it may import inside the repository. */
const rules: readonly Rule[] = [
  { of: /^lib\//, mayImport: [/^lib\//] },
  { of: /^cas\//, mayImport: [/^cas\//, /^lib\/fault\.ts$/] },
  { of: /^snapshots\//, mayImport: [/^snapshots\//, /^cas\//, /^lib\/fault\.ts$/] },
  { of: /^tasks\//, mayImport: [/^lib\//, /^pipeline\/engine\/task\.ts$/] },
  {
    of: /^pipeline\/graphs\//,
    mayImport: [/^pipeline\/graphs\//, /^tasks\//, /^lib\//, /^pipeline\/engine\/(task|graph)\.ts$/],
  },
  { of: /^pipeline\/engine\//, mayImport: [/^pipeline\/engine\//, /^cas\//, /^snapshots\//, /^lib\//] },
  {
    of: /^pipeline\/index\.ts$/,
    mayImport: [/^pipeline\/engine\/(task|graph)\.ts$/, /^pipeline\/graphs\/(dataset|usdm)\.ts$/, /^lib\//],
  },
  { of: /^pipeline\/cli\//, mayImport: [/^pipeline\//, /^cas\//, /^snapshots\//, /^lib\//] },
]

/** Pure library code sees no disk, no network, no clock and no chance. The parts that talk to venues do. */
const isOutward = (file: string): boolean =>
  /^lib\/(http|venues)\//.test(file) || /^lib\/sim\/(server\.ts$|server\/)/.test(file)
const outward = /\b(fetch|setTimeout|setInterval)\(|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bperformance\.now\(/
const outwardModules = /^node:(fs|net|http|https|tls|dgram|dns|child_process|worker_threads|os|cluster)(\/|$)/

/** Last digits of these differ between versions of the runtime: `lib/math.ts` has its own. */
const unsteady =
  /\bMath\.(pow|exp|expm1|log|log2|log10|log1p|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|cbrt|hypot)\b/

interface Source {
  readonly file: string
  readonly code: string
  readonly imports: readonly string[]
}

const sources: readonly Source[] = ['lib', 'cas', 'snapshots', 'tasks', 'pipeline'].flatMap((folder) =>
  read(join(top, folder)),
)

function read(folder: string): Source[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): Source[] => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return read(path)
    if (!entry.name.endsWith('.ts')) return []
    const code = readFileSync(path, 'utf8')
      .replace(/\/\*[\s\S]*?\*\//g, '')
      .replace(/(^|\s)\/\/.*$/gm, '$1')
    const specifiers = [
      ...code.matchAll(
        /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'|\bimport\('([^']+)'\)|(?:^|\n)import\s+'([^']+)'/g,
      ),
    ]
    return [
      {
        file: relative(top, path).split(sep).join('/'),
        code,
        imports: specifiers
          .map(([, from, dynamic, bare]) => (from ?? dynamic ?? bare)!)
          .map((specifier) =>
            specifier.startsWith('.')
              ? relative(top, join(dirname(path), specifier))
                  .split(sep)
                  .join('/')
              : specifier,
          ),
      },
    ]
  })
}

const isInside = (specifier: string): boolean => /^(lib|cas|snapshots|tasks|pipeline|tests)\//.test(specifier)

describe('imports', () => {
  test('there is something to check', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(300)
  })

  test('every folder imports only what its rule allows', () => {
    const wrong = sources.flatMap(({ file, imports }) => {
      const rule = rules.find(({ of }) => of.test(file))
      if (rule === undefined) return [`${file} has no rule`]
      return imports
        .filter((target) => isInside(target) && !rule.mayImport.some((allowed) => allowed.test(target)))
        .map((target) => `${file} -> ${target}`)
    })
    expect(wrong).toEqual([])
  })

  test('a task never imports another task, for its code would become part of its identity', () => {
    const wrong = sources
      .filter(({ file }) => file.startsWith('tasks/'))
      .flatMap(({ file, imports }) =>
        imports.filter((target) => target.startsWith('tasks/')).map((target) => `${file} -> ${target}`),
      )
    expect(wrong).toEqual([])
  })

  test('the store is opened in one place only', () => {
    const opening = sources
      .filter(({ file, code }) => file.startsWith('pipeline/') && /\bopenStore\(/.test(code))
      .map(({ file }) => file)
    expect(opening).toEqual(['pipeline/cli/world.ts'])
  })

  test('library code sees no disk, network, clock or chance', () => {
    const wrong = sources
      .filter(({ file }) => file.startsWith('lib/') && !isOutward(file))
      .flatMap(({ file, code, imports }) => [
        ...imports.filter((target) => outwardModules.test(target)).map((target) => `${file} -> ${target}`),
        ...(outward.test(code) ? [`${file}: ${outward.exec(code)![0]}`] : []),
      ])
    expect(wrong).toEqual([])
  })

  test('what outputs depend on uses no function whose last digit depends on the runtime', () => {
    const wrong = sources
      .filter(({ file }) => /^(lib|tasks)\//.test(file) && file !== 'lib/math.ts')
      .flatMap(({ file, code }) => (unsteady.test(code) ? [`${file}: ${unsteady.exec(code)![0]}`] : []))
    expect(wrong).toEqual([])
  })

  test('no file imports itself in a ring; what is loaded on demand closes none', () => {
    const graph = new Map(
      sources.map(({ file, code, imports }) => {
        const once = imports.filter(
          (target) => isInside(target) && !isTypeOnly(code, target) && !isOnDemand(code, target),
        )
        return [file, once]
      }),
    )
    expect(ringIn(graph)).toBeUndefined()
  })
})

/** A type import is gone at run time and closes no ring. */
const isTypeOnly = (code: string, target: string): boolean => {
  const name = target.split('/').at(-1)!.replaceAll('.', '\\.')
  const all = [...code.matchAll(new RegExp(`(import|export)\\s+(type\\s)?[^'"\`;]*?from\\s+'[^']*${name}'`, 'g'))]
  return (
    all.length > 0 &&
    all.every(([text, , type]) => type !== undefined || /\{\s*(type\s+\w+(\s+as\s+\w+)?\s*,?\s*)+\}/.test(text))
  )
}

const isOnDemand = (code: string, target: string): boolean => {
  const name = target.split('/').at(-1)!.replaceAll('.', '\\.')
  return !new RegExp(`from\\s+'[^']*${name}'`).test(code)
}

function ringIn(graph: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' -> ')
    if (done.has(file)) return undefined
    for (const next of graph.get(file) ?? []) {
      const ring = visit(next, [...path, file])
      if (ring !== undefined) return ring
    }
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const ring = visit(file, [])
    if (ring !== undefined) return ring
  }
  return undefined
}
