import { Fault } from '../lib/fault.ts'
import { canonicalJson, parseCanonicalJson } from './canonicalJson.ts'
import { type Digest, digestOf, isDigest } from './digest.ts'

export interface ArtifactFile {
  readonly name: string
  readonly digest: Digest
  readonly sizeBytes: number
  readonly rows?: number
}

/** What an artifact is: its type and its files, sorted by name. The canonical JSON of this value is an object of its
 *  own, and that object's digest is the artifact's id. */
export interface ArtifactDescriptor {
  readonly format: 1
  readonly type: string
  readonly files: readonly ArtifactFile[]
}

export interface DescribedArtifact {
  readonly id: Digest
  readonly bytes: Uint8Array
  readonly descriptor: ArtifactDescriptor
}

/** Bounds for what a stranger's descriptor may ask of us. Ours stay far below. */
export const descriptorLimits = { files: 200_000, sizeBytes: 64 * 2 ** 20, nameBytes: 1024, stepBytes: 240 } as const

const typePattern = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/

export function describeArtifact(type: string, files: readonly ArtifactFile[]): DescribedArtifact {
  const sorted = files
    .map(({ name, digest, sizeBytes, rows }) =>
      rows === undefined ? { name, digest, sizeBytes } : { name, digest, sizeBytes, rows },
    )
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const descriptor: ArtifactDescriptor = { format: 1, type, files: sorted }
  const problem = descriptorProblem(descriptor)
  if (problem !== undefined) {
    throw new Fault({ code: 'usage', what: `this cannot be an artifact: ${problem}`, where: type })
  }
  const bytes = Buffer.from(canonicalJson(descriptor))
  return { id: digestOf(bytes), bytes, descriptor }
}

/** Reads a descriptor, trusting nothing: it may come from an import, or from a disk that lies. */
export function parseDescriptor(bytes: Uint8Array): ArtifactDescriptor {
  if (bytes.length > descriptorLimits.sizeBytes) throw notADescriptor('it is far too large')
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  let value: unknown
  try {
    value = parseCanonicalJson(text)
  } catch (cause) {
    throw notADescriptor('it is not JSON', cause)
  }
  const problem = descriptorProblem(value)
  if (problem !== undefined) throw notADescriptor(problem)
  const descriptor = value as ArtifactDescriptor
  // Two spellings of one value would be two ids for one artifact. Compared as bytes: bad UTF-8 reads like a
  // replacement character.
  if (!Buffer.from(canonicalJson(descriptor)).equals(bytes)) throw notADescriptor('it is not in canonical form')
  return descriptor
}

function notADescriptor(why: string, cause?: unknown): Fault {
  return new Fault({ code: 'corrupt', what: `these bytes are not an artifact's descriptor: ${why}`, cause })
}

function descriptorProblem(value: unknown): string | undefined {
  if (!hasExactly(value, ['files', 'format', 'type'])) return 'the fields format, type and files are expected'
  const { format, type, files } = value
  if (format !== 1) return `its format ${String(format)} is not known here`
  if (typeof type !== 'string' || !typePattern.test(type)) return 'its type is not a plain name'
  if (!Array.isArray(files)) return 'its files are not a list'
  if (files.length > descriptorLimits.files) return `it lists more than ${descriptorLimits.files} files`
  let before: string | undefined
  for (const file of files as unknown[]) {
    const problem = fileProblem(file)
    if (problem !== undefined) return problem
    const { name } = file as ArtifactFile
    if (before !== undefined && before >= name) return `its files are not sorted by distinct names, at "${name}"`
    before = name
  }
  return nameCollision((files as ArtifactFile[]).map((file) => file.name))
}

function fileProblem(file: unknown): string | undefined {
  const fields = ['digest', 'name', 'sizeBytes']
  if (!hasExactly(file, fields) && !hasExactly(file, ['digest', 'name', 'rows', 'sizeBytes'])) {
    return 'a file has other fields than name, digest, sizeBytes and rows'
  }
  const { name, digest, sizeBytes, rows } = file
  if (typeof name !== 'string') return 'a file has no name'
  const problem = nameProblem(name)
  if (problem !== undefined) return `the file name ${JSON.stringify(name.slice(0, 120))} ${problem}`
  if (!isDigest(digest)) return `the file "${name}" has no proper digest`
  if (!isCount(sizeBytes)) return `the file "${name}" has no proper size`
  if ('rows' in file && !isCount(rows)) return `the file "${name}" has no proper row count`
  return undefined
}

// Device names that Windows gives a meaning in every folder, with any extension.
const windowsDevice = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i
// Control characters, and what Windows or a shell-made checksum list gives a meaning. The slash separates steps.
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is the point
const forbiddenCharacter = /[\u0000-\u001f\u007f-\u009f\\<>:"|?*\u2028\u2029\ufeff\p{Surrogate}\p{Bidi_Control}]/u

/** Letters, digits, hyphens and underscores with single dots between them: no folder, nothing at an edge. */
const plainName = /^[\w-]+(?:\.[\w-]+)*$/
const plainNameMax = 100

/** Why a name may not be laid out on somebody's disk, or undefined where it may. Names are relative paths that mean
 *  the same file on every filesystem we may meet. */
export function nameProblem(name: string): string | undefined {
  // Nearly every name is of this kind, and a run looks at those of ten thousands of artifacts.
  if (name.length <= plainNameMax && plainName.test(name) && !windowsDevice.test(name)) return undefined
  if (name === '') return 'is empty'
  if (Buffer.byteLength(name) > descriptorLimits.nameBytes) return 'is too long'
  if (forbiddenCharacter.test(name)) return 'has a character that not every filesystem takes'
  if (name.normalize('NFC') !== name) return 'is not in Unicode normal form C'
  for (const step of name.split('/')) {
    if (step === '') return 'is absolute, or has an empty step'
    if (step === '.' || step === '..') return 'steps out of its folder'
    if (Buffer.byteLength(step) > descriptorLimits.stepBytes) return 'has a step that is too long'
    if (/[. ]$/.test(step) || step.startsWith(' ')) return 'has a step with a dot or space at its edge'
    if (windowsDevice.test(step)) return 'has a step that Windows takes for a device'
  }
  return undefined
}

/** Two names that a case-folding filesystem takes for one, or a file that another needs as a folder. */
export function nameCollision(names: readonly string[]): string | undefined {
  if (names.length === 1) return undefined
  const folded = new Map<string, string>()
  for (const name of names) {
    const key = foldCase(name)
    const other = folded.get(key)
    if (other !== undefined) return `"${other}" and "${name}" are one file where case does not count`
    folded.set(key, name)
  }
  for (const name of names) {
    const steps = foldCase(name).split('/')
    for (let i = 1; i < steps.length; i++) {
      const folder = folded.get(steps.slice(0, i).join('/'))
      if (folder !== undefined) return `"${folder}" is a file, and a folder of "${name}"`
    }
  }
  return folderCollision(names)
}

/** `A/x` and `a/y` are two folders here and one elsewhere. */
function folderCollision(names: readonly string[]): string | undefined {
  const spellings = new Map<string, string>()
  for (const name of names) {
    for (let end = name.indexOf('/'); end !== -1; end = name.indexOf('/', end + 1)) {
      const folder = name.slice(0, end)
      const other = spellings.get(foldCase(folder))
      if (other !== undefined && other !== folder) {
        return `the folders "${other}" and "${folder}" are one where case does not count`
      }
      spellings.set(foldCase(folder), folder)
    }
  }
  return undefined
}

// Upper then lower brings together what either alone keeps apart (the sharp s, the long s, the final sigma).
function foldCase(name: string): string {
  return name.toUpperCase().toLowerCase().normalize('NFC')
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

function hasExactly(value: unknown, sortedKeys: readonly string[]): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const keys = Object.keys(value).sort()
  return keys.length === sortedKeys.length && keys.every((key, i) => key === sortedKeys[i])
}
