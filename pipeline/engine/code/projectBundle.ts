import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Plugin } from 'rolldown'
import { bundlerFault, strictly } from './bundlerFault.ts'
import { type ModuleRecord, registerExports } from './origins.ts'
import type { Package } from './packages.ts'
import { type ImportResolver, isInstalled, isPath } from './resolveImports.ts'
import { isTickpipeFile } from './tickpipePackage.ts'

export interface ProjectBundle {
  readonly code: string
  readonly mappings: string
  readonly sources: readonly string[]
  readonly files: readonly string[]
  /** Packages that it imports as they are. */
  readonly closures: readonly Package[]
}

/** Everything the config leads to in one ES module, except built-ins and packages with WASM or native code. */
export async function bundleProject(configFile: string, resolver: ImportResolver): Promise<ProjectBundle> {
  const { rolldown } = await import('rolldown')
  const { parseSync } = await import('rolldown/utils')
  const strict = strictly(isInstalled)
  const closures = new Map<string, Package>()
  try {
    const build = await rolldown({
      input: configFile,
      cwd: resolver.projectDir,
      platform: 'node',
      ...strict.options,
      tsconfig: false,
      plugins: [projectPlugin(resolver, closures, (code, file) => parseSync(file, code))],
    })
    const { output } = await build.generate({
      format: 'es',
      codeSplitting: false,
      minify: false,
      comments: false,
      sourcemap: 'hidden',
    })
    const files = (await build.watchFiles).filter((file) => !file.startsWith('\0'))
    await build.close()
    strict.check()
    const { code, map } = output[0]
    return { code, mappings: map?.mappings ?? '', sources: map?.sources ?? [], files, closures: [...closures.values()] }
  } catch (error) {
    throw bundlerFault(error, resolver.projectDir)
  }
}

interface Parsed {
  readonly module: ModuleRecord
  readonly errors: readonly unknown[]
}

function projectPlugin(
  resolver: ImportResolver,
  closures: Map<string, Package>,
  parse: (code: string, file: string) => Parsed,
): Plugin {
  return {
    name: 'tickpipe-project',
    resolveId: {
      filter: { id: /^[^\0]/ },
      async handler(specifier, importer, options) {
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
        if (resolved.kind === 'builtin') return { id: resolved.id, external: true }
        if (resolved.kind === 'closure') {
          closures.set(resolved.package.dir, resolved.package)
          return { id: pathToFileURL(resolved.file).href, external: true }
        }
        return { id: resolved.file }
      },
    },
    transform: {
      filter: { id: /\.([cm]?ts|tsx|[cm]?js|jsx)$/ },
      handler(code, file) {
        const isOurs = isTickpipeFile(file)
        if (isInstalled(file) && !isOurs) return null
        const { module, errors } = parse(code, file)
        if (errors.length > 0) return null // the bundler says what is wrong, and shows the line as it was written
        const text = withOwnMeta(code, file, module)
        const registered = registerExports(text, file, parse(text, file).module)
        // Of tickpipe's own modules only those come along whose exports are used, registration or not.
        return { code: registered, map: null, ...(isOurs ? { moduleSideEffects: false } : {}) }
      },
    },
  }
}

/** In the bundle `import.meta` would be the bundle's. */
function withOwnMeta(code: string, file: string, { importMetas }: ModuleRecord): string {
  const meta = JSON.stringify({ url: pathToFileURL(file).href, filename: file, dirname: dirname(file) })
  let text = code
  for (const { start, end } of [...importMetas].reverse()) text = `${text.slice(0, start)}(${meta})${text.slice(end)}`
  return text
}
