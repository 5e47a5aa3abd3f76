import { posix, relative, sep } from 'node:path'
import type { OutputChunk, Plugin } from 'rolldown'
import { Fault } from '../../../lib/fault.ts'
import { bundlerFault, strictly } from './bundlerFault.ts'
import { type AnalysedModule, analyseModule, dynamicPrefix, type Refusal, runtimeId } from './canonicalModule.ts'
import { type CodeInfo, codeInfoFormat, type ModuleInfo, symbolsOf } from './codeInfo.ts'
import { type CodeBundle, codeFormat } from './codeObject.ts'
import type { EditedText } from './editedText.ts'
import { importOrder } from './importOrder.ts'
import { makeLineMap, pointAt, readMappings } from './lineMap.ts'
import { nameModules, type Package } from './packages.ts'
import { columnBeforeMarks, markPureCalls, readTopLevel } from './pureCalls.ts'
import { type ImportResolver, isInstalled, isPath, type Resolved } from './resolveImports.ts'
import { isMarkedFree } from './sideEffects.ts'
import type { Node } from './syntax.ts'
import { isTickpipeFile } from './tickpipePackage.ts'

/** What the entry of a code object re-exports, and under which names. */
export interface EntryExport {
  readonly file: string
  /** Names in the file to names of the entry. */
  readonly names: Readonly<Record<string, string>>
}

export interface BuiltCode {
  /** Packages are named but not hashed yet. */
  readonly bundle: Omit<CodeBundle, 'packages'>
  readonly closures: readonly ClosureImport[]
  readonly info: Omit<CodeInfo, 'packages'>
  /** Every file that was read: the result depends on no other. */
  readonly files: readonly string[]
}

export interface ClosureImport {
  readonly package: Package
  readonly id: string
  readonly specifier: string
}

const entryId = 'tickpipe:entry'
const virtualEntry = '\0tickpipe:entry'

/** A module as the bundler was given it. */
interface Transformed {
  readonly code: string
  /** Whether its top level does something, so that it matters when it runs. */
  readonly hasEffects: boolean
}

/** Modules that were already brought into form: most of what tasks reach, they have in common. */
export type Analyses = Map<string, AnalysedModule>

/** Bundles what the exports reach, module by module, and brings each module into its canonical form.
 *
 *  @param effects the modules known to be imported for their effects; those the build comes upon are added */
export async function buildCode(
  exports: readonly EntryExport[],
  resolver: ImportResolver,
  analyses: Analyses,
  effects: Set<string> = new Set(),
): Promise<BuiltCode> {
  const { rolldown } = await import('rolldown')
  const { parseSync } = await import('rolldown/utils')
  const strict = strictly(isInstalled)
  const closures = new Map<string, ClosureImport>()
  const known = effects.size
  const transformed = new Map<string, Transformed>()
  const plugin = codePlugin(entrySource(exports), resolver, closures, effects, transformed, (code, file) => {
    const { errors, module, program } = parseSync(file, code)
    if (errors.length > 0) return undefined
    const bare = module.staticImports.filter(({ start, entries }) => {
      return entries.length === 0 && /^import\s*["']/.test(code.slice(start, start + 200))
    })
    return { program: program as unknown as Node, bare: bare.map(({ moduleRequest }) => moduleRequest.value) }
  })
  let chunks: OutputChunk[]
  let files: string[]
  try {
    const build = await rolldown({
      input: entryId,
      cwd: resolver.projectDir,
      platform: 'node',
      ...strict.options,
      // Compiler options of a tsconfig would enter the identity, and a packed install has another than the repository.
      tsconfig: false,
      // A constant stays where it is declared, so that the file that changed is the file that is named.
      optimization: { inlineConst: false },
      treeshake: {
        // Undefined leaves it to what the top level of the module does. What is not bundled is there when it is used.
        moduleSideEffects: (id, isExternal) =>
          effects.has(id) || (isExternal || isMarkedFree(id, resolver.packages) ? false : undefined),
        propertyReadSideEffects: false,
        unknownGlobalSideEffects: false,
      },
      plugins: [plugin],
    })
    const { output } = await build.generate({
      format: 'cjs',
      preserveModules: true,
      exports: 'named',
      minify: false,
      comments: false,
      sourcemap: 'hidden',
    })
    files = (await build.watchFiles).filter((file) => !file.startsWith('\0'))
    await build.close()
    strict.check()
    chunks = output.filter((chunk) => chunk.type === 'chunk')
  } catch (error) {
    throw bundlerFault(error, resolver.projectDir)
  }
  // A module whose importer came later than itself was already taken for one without effects.
  if (effects.size > known) return buildCode(exports, resolver, analyses, effects)
  return assemble(chunks, files, resolver, closures, analyses, transformed, (code) => {
    const { program, comments } = parseSync('module.js', code, { sourceType: 'script' })
    return { program: program as unknown as Node, comments }
  })
}

function entrySource(exports: readonly EntryExport[]): string {
  return exports
    .map(({ file, names }) => {
      const list = Object.entries(names).map(([from, to]) => `${JSON.stringify(from)} as ${to}`)
      return `export { ${list.join(', ')} } from ${JSON.stringify(file)}\n`
    })
    .join('')
}

function codePlugin(
  entry: string,
  resolver: ImportResolver,
  closures: Map<string, ClosureImport>,
  effects: Set<string>,
  transformed: Map<string, Transformed>,
  parse: (code: string, file: string) => { program: Node; bare: readonly string[] } | undefined,
): Plugin {
  return {
    name: 'tickpipe-code',
    resolveId: {
      filter: { id: /^[^\0]/ },
      async handler(specifier, importer, options) {
        if (specifier === entryId) return virtualEntry
        if (importer === undefined) return null
        if (isPath(specifier)) {
          resolver.notePath(specifier, importer)
          return null
        }
        const resolved = await resolver.resolve(specifier, importer, async () => {
          const found = await this.resolve(specifier, importer, { ...options, skipSelf: true })
          return found === null || found.external ? undefined : found.id
        })
        if (resolved === undefined) return null
        if (resolved.kind === 'closure') closures.set(resolved.id, resolved)
        return toBundler(resolved)
      },
    },
    resolveDynamicImport(specifier) {
      return typeof specifier === 'string' ? { id: dynamicPrefix + specifier, external: true } : null
    },
    load: { filter: { id: /^\0tickpipe:entry$/ }, handler: () => entry },
    transform: {
      filter: { id: /\.([cm]?[jt]s|[jt]sx)$/ },
      async handler(code, file) {
        const isFree = isMarkedFree(file, resolver.packages)
        const isOurs = isTickpipeFile(file)
        if (isFree && !isOurs) return null
        const parsed = parse(code, file)
        if (parsed === undefined) return null // the bundler says what is wrong with it
        for (const specifier of parsed.bare) {
          const found = await this.resolve(specifier, file)
          if (found !== null) effects.add(found.id)
        }
        const topLevel = readTopLevel(parsed.program, isOurs)
        const marked = markPureCalls(code, topLevel)
        transformed.set(file, { hasEffects: topLevel.hasEffects && !isFree, code: marked })
        return { code: marked, map: null }
      },
    },
  }
}

const toBundler = (resolved: Resolved) =>
  resolved.kind === 'file' ? { id: resolved.file } : { id: resolved.id, external: true }

function assemble(
  chunks: readonly OutputChunk[],
  files: readonly string[],
  resolver: ImportResolver,
  closures: ReadonlyMap<string, ClosureImport>,
  analyses: Analyses,
  transformed: ReadonlyMap<string, Transformed>,
  parse: (code: string) => { program: Node; comments: readonly { start: number; end: number }[] },
): BuiltCode {
  const { packages, projectDir } = resolver
  const fileOf = new Map(chunks.map((chunk) => [chunk.fileName, chunk.facadeModuleId ?? chunk.moduleIds[0]!]))
  const real = [...fileOf.values()].filter((file) => !file.startsWith('\0'))
  const ids = nameModules(real, packages, projectDir)
  for (const file of fileOf.values()) if (file.startsWith('\0')) ids.set(file, virtualId(file))
  const closureIds = shortClosureIds(closures)

  const analysed = new Map<string, { module: AnalysedModule; chunk: OutputChunk; file: string }>()
  for (const chunk of chunks) {
    const file = fileOf.get(chunk.fileName)!
    const resolve = (specifier: string) => {
      const target = fileOf.get(posix.join(posix.dirname(chunk.fileName), specifier))
      return target === undefined ? (closureIds.get(specifier) ?? specifier) : ids.get(target)!
    }
    const imported = chunk.imports.map((name) => ids.get(fileOf.get(name) ?? '') ?? closureIds.get(name) ?? name)
    const key = [chunk.fileName, ...imported, chunk.code].join('\n')
    const module = analyses.get(key) ?? analyseModule(chunk.code, parse(chunk.code), resolve)
    analyses.set(key, module)
    if (module.refusals.length > 0)
      throw refusal(
        module.refusals[0]!,
        chunk,
        transformed.get(file)?.code,
        sourceName(file, packages, projectDir).file,
      )
    analysed.set(ids.get(file)!, { module, chunk, file })
  }

  const order = importOrder(
    entryId,
    (id) => analysed.get(id)?.module.imports.map((entry) => entry.id) ?? [],
    (id) => transformed.get(analysed.get(id)?.file ?? '')?.hasEffects ?? false,
  )
  const reached = [...order.keys()].filter((id) => analysed.has(id)).sort()
  const { symbols, roots } = symbolsOf(new Map(reached.map((id) => [id, analysed.get(id)!.module])), entryId)
  const modules = reached.map((id) => {
    const { module, chunk, file } = analysed.get(id)!
    const pieces = printModule(module, order.get(id)!)
    const code = pieces.map(({ text }) => text).join('\n')
    const withLines = !file.startsWith('\0') && !isThirdParty(file, packages)
    const info: ModuleInfo = {
      id,
      ...sourceName(file, packages, projectDir),
      symbols: symbols.get(id)!,
      ...(withLines ? { lines: makeLineMap(pieces, '\n', readMappings(chunk.map?.mappings ?? '', chunk.code)) } : {}),
    }
    return { id, code, info }
  })
  const outside = new Set([...order.values()].flat().filter((id) => !analysed.has(id)))
  return {
    bundle: {
      format: codeFormat,
      entry: entryId,
      modules: modules.map(({ id, code }) => ({ id, code })),
      builtins: [...outside].filter((id) => id.startsWith('node:')).sort(),
    },
    closures: [...closures.values()]
      .map((closure) => ({ ...closure, id: closureIds.get(closure.id)! }))
      .filter(({ id }) => outside.has(id)),
    info: { format: codeInfoFormat, roots, modules: modules.map(({ info }) => info) },
    files,
  }
}

/** The canonical text of a module, in pieces that know where they came from. */
function printModule({ imports, statements, exports }: AnalysedModule, order: readonly string[]): EditedText[] {
  const written = (text: string): EditedText => ({ text, kept: [] })
  const sorted = order.map((id) => imports.find((entry) => entry.id === id)!)
  return [
    ...exports.filter(({ isEarly }) => isEarly).map(({ code }) => code),
    ...sorted.map(({ id, local }) => {
      const call = `require(${JSON.stringify(id)});`
      return written(local === undefined ? call : `const ${local} = ${call}`)
    }),
    ...sorted.flatMap(({ interop }) => interop ?? []),
    ...statements.map(({ code }) => code),
    ...exports.filter(({ isEarly }) => !isEarly).map(({ code }) => code),
  ]
}

/** Besides its runtime the bundler has helpers for syntax that it writes anew, each a module of its own. Which release
 *  of it they came with says nothing: their code does. */
function virtualId(file: string): string {
  if (file === virtualEntry) return entryId
  return file.startsWith('\0rolldown/runtime') ? runtimeId : `rolldown/${file.slice(1).replace(/@\d[^/]*/, '')}`
}

/** The version appears in the code only where two versions of a package are imported: elsewhere `packages` says it. */
function shortClosureIds(closures: ReadonlyMap<string, ClosureImport>): Map<string, string> {
  const versions = new Map<string, Set<string>>()
  for (const { package: owner } of closures.values()) {
    versions.set(owner.name, (versions.get(owner.name) ?? new Set()).add(owner.version))
  }
  return new Map(
    [...closures].map(([id, { specifier, package: owner }]) => [
      id,
      versions.get(owner.name)!.size === 1 ? `npm:${specifier}` : id,
    ]),
  )
}

const isThirdParty = (file: string, packages: ImportResolver['packages']) =>
  isInstalled(file) && packages.of(file)?.name !== 'tickpipe'

function sourceName(file: string, packages: ImportResolver['packages'], projectDir: string) {
  if (file.startsWith('\0')) return { file: file.slice(1) }
  const owner = packages.of(file)
  const inProject = relative(projectDir, file)
  if (!isInstalled(file) && !inProject.startsWith('..')) return { file: inProject.split(sep).join('/') }
  if (owner === undefined) return { file }
  const inPackage = relative(owner.dir, file).split(sep).join('/')
  return { file: `${isInstalled(file) ? 'node_modules/' : ''}${owner.name}/${inPackage}`, version: owner.version }
}

function refusal({ what, offset }: Refusal, chunk: OutputChunk, marked: string | undefined, file: string): Fault {
  const point = pointAt(readMappings(chunk.map?.mappings ?? '', chunk.code), offset)
  const column = point && columnBeforeMarks(marked?.split('\n')[point.line - 1] ?? '', point.column)
  const why = {
    'import()': 'what it loads cannot be part of the code identity',
    'import.meta': 'it says where the code lies, and a result may not depend on that',
    __filename: 'it says where the code lies, and a result may not depend on that (import.meta becomes it too)',
  }[what]
  return new Fault({
    code: 'usage',
    what: `a task reaches ${what}: ${why}`,
    where: point === undefined ? file : `${file}:${point.line}:${column! + 1}`,
    todo: what === 'import()' ? 'import it at the top of the file' : 'hand the task what it needs as an input',
  })
}
