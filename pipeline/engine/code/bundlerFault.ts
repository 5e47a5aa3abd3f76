import { relative } from 'node:path'
import type { InputOptions } from 'rolldown'
import { Fault } from '../../../lib/fault.ts'

/** What rolldown says about one error, as far as we use it. */
interface BundlerError {
  readonly code?: string
  readonly message: string
  readonly id?: string
  readonly exporter?: string
  readonly frame?: string
  readonly loc?: { readonly line: number; readonly column: number }
}

/** Options that keep the bundler quiet, except that a package which is not there counts as an error: it would be left
 *  for the run to find out. In installed packages it does not, for there it may be optional. */
export function strictly(isInstalled: (file: string) => boolean): { options: InputOptions; check(): void } {
  const errors: BundlerError[] = []
  return {
    options: {
      onLog(_level, log) {
        if (log.code === 'UNRESOLVED_IMPORT' && !isInstalled(log.id ?? '')) errors.push(log)
      },
    },
    check() {
      if (errors.length > 0) throw Object.assign(new Error('unresolved imports'), { errors })
    },
  }
}

/** An error of the bundler as the user should see it: their file, line and column, and the line itself. */
export function bundlerFault(error: unknown, projectDir: string): unknown {
  if (error instanceof Fault) return error
  const errors = (error as { errors?: readonly BundlerError[] }).errors
  const first = errors?.[0]
  if (first === undefined) return error
  const { code, id, loc, frame, exporter } = first
  const file = id === undefined ? undefined : relative(projectDir, id)
  const sentence = first.message.replace(/^\[\w+\] /, '').split('\n')[0]!
  return new Fault({
    code: 'usage',
    what: frame === undefined ? sentence : `${sentence}\n${frame}`,
    where: file === undefined || loc === undefined ? file : `${file}:${loc.line}:${loc.column + 1}`,
    todo: adviceFor(code, exporter),
    cause: error,
    details: { errors: errors!.map(({ message }) => message) },
  })
}

function adviceFor(code: string | undefined, exporter: string | undefined): string {
  switch (code) {
    case 'UNRESOLVED_IMPORT':
      if (exporter === undefined) return 'check the path of the import'
      return /^[./]/.test(exporter)
        ? 'check the path, with its extension: files are imported as "./name.ts"'
        : `install it with "npm install ${exporter}", or correct the name`
    case 'MISSING_EXPORT':
      return 'export it there, or import a name that is exported; a type is imported with "import type"'
    case 'INVALID_TLA_FORMAT':
      return 'a task cannot await at the top level of a file: await inside run'
    default:
      return 'correct this line'
  }
}
