import { existsSync, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { canonicalJson } from '../../cas/canonicalJson.ts'
import { type Digest, digestOf } from '../../cas/digest.ts'
import { readGeneration } from '../../cas/generation.ts'
import { objectPath } from '../../cas/layout.ts'
import { FileLook, type FileMark } from '../engine/code/fileMarks.ts'
import { findProject } from '../engine/code/findProject.ts'
import { readIndexJson, writeIndexFile } from '../engine/code/indexFile.ts'
import { tickpipeDir } from '../engine/code/tickpipePackage.ts'
import type { AskValues } from './ask.ts'
import type { RunVerdict } from './views/verdictBlock.ts'

/** A finished run that executed to its end, remembered together with everything its answer rests on. While none of that
 *  has changed, the same command has the same answer, and neither project nor store has to be opened for it. A memo is
 *  a cache: with none, or a damaged one, the run is walked as always. */
interface Memo {
  readonly format: 2
  readonly verdict: RunVerdict
  readonly rests: RestsOn
}

export interface RestsOn {
  /** The files of the project. */
  readonly files: readonly FileMark[]
  readonly program: string
  readonly root: string
  /** The store's, with what others recorded meanwhile left out of account: see `grewAlone`. */
  readonly generation: string
  /** Present where the as-of is `now` on a grid. */
  readonly asOf?: { readonly ms: number; readonly gridMs: number }
  /** When an absent source is due to be asked again. */
  readonly validUntilMs?: number
  /** Pages that were laid beside the run, and what the targets' outputs consist of: all of it must still be here. */
  readonly pages: readonly (readonly [path: string, sizeBytes: number])[]
  readonly objects: PackedObjects
}

/** Tens of thousands of objects: as a list of paths they would take longer to parse than to look at. */
export interface PackedObjects {
  readonly dir: string
  /** Digests, one behind the other. */
  readonly digests: string
  readonly sizesBytes: readonly number[]
}

export function packObjects(
  dir: string,
  files: Iterable<{ readonly digest: Digest; readonly sizeBytes: number }>,
): PackedObjects {
  const sizes = new Map<Digest, number>()
  for (const { digest, sizeBytes } of files) sizes.set(digest, sizeBytes)
  return { dir, digests: [...sizes.keys()].join(''), sizesBytes: [...sizes.values()] }
}

export interface MemoWorld {
  readonly cwd: string
  readonly globals: { readonly root: string | undefined }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly nowMs: () => number
}

/** The remembered answer to this command, if nothing it rests on has changed. */
export function recallRun(world: MemoWorld, values: AskValues): RunVerdict | undefined {
  const place = memoPlace(world, values)
  if (place === undefined) return undefined
  const memo = readIndexJson(place) as Memo | undefined
  if (memo?.format !== 2) return undefined
  const { rests } = memo
  const nowMs = world.nowMs()
  if (rests.asOf !== undefined && Math.floor(nowMs / rests.asOf.gridMs) * rests.asOf.gridMs !== rests.asOf.ms)
    return undefined
  if (rests.validUntilMs !== undefined && nowMs >= rests.validUntilMs) return undefined
  if (readGeneration(rests.root) !== rests.generation) return undefined
  if (!rests.pages.every(([path, sizeBytes]) => isHere(path, sizeBytes)) || !areHere(rests.objects)) return undefined
  if (rests.program !== programSignature()) return undefined
  const look = new FileLook()
  return rests.files.every((mark) => look.unchanged(mark)) ? memo.verdict : undefined
}

const isHere = (path: string, sizeBytes: number): boolean =>
  statSync(path, { throwIfNoEntry: false })?.size === sizeBytes

const areHere = ({ dir, digests, sizesBytes }: PackedObjects): boolean =>
  sizesBytes.every((sizeBytes, i) => isHere(objectPath(dir, digests.slice(64 * i, 64 * i + 64) as Digest), sizeBytes))

/** Remembers an answer. Only runs that asked for nothing special are worth it. */
export function rememberRun(
  world: MemoWorld,
  values: AskValues,
  verdict: RunVerdict,
  rests: Omit<RestsOn, 'program'>,
): void {
  const place = memoPlace(world, values)
  if (place === undefined) return
  const memo: Memo = {
    format: 2,
    verdict,
    rests: { ...rests, program: programSignature() },
  }
  writeIndexFile(place, JSON.stringify(memo))
}

/** What a project's code may look at. These few differ from one line of a shell to the next and mean nothing to it. */
const fleeting = /^(_|PWD|OLDPWD|SHLVL|COLUMNS|LINES|TERM_.*|WINDOWID|SSH_.*|XDG_SESSION_.*|npm_.*)$/

function environmentDigest(env: MemoWorld['env']): string {
  const kept = Object.entries(env).filter(([name, value]) => value !== undefined && !fleeting.test(name))
  return digestOf(canonicalJson(Object.fromEntries(kept)))
}

/** Where the memo of a command lies; nowhere for commands that want something executed or looked at anew. */
function memoPlace({ cwd, globals, env }: MemoWorld, values: AskValues): string | undefined {
  if (values.force.length > 0 || values.refresh.length > 0 || values.from !== undefined) return undefined
  const { configFile } = findProject(cwd)
  const asked = globals.root ?? env['PIPE_ROOT']
  const given = asked === undefined || asked === '' ? undefined : resolve(cwd, asked)
  // As for the project's bundle: where the store is stands in the config, which is not read here.
  const base = given ?? join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'tickpipe')
  const { targets, snapshot, pipeline, set, asOf, offline } = values
  const question = canonicalJson([
    cwd,
    environmentDigest(env),
    configFile,
    given ?? null,
    targets,
    snapshot ?? null,
    pipeline ?? null,
    set,
    asOf ?? null,
    offline,
  ])
  return join(base, 'index', 'memo', `${digestOf(question).slice(0, 32)}.json`)
}

/** Changes with the running program: its own sources are part of what task code reaches. */
function programSignature(): string {
  const parts: string[] = []
  const visit = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name)
      if (entry.isDirectory()) {
        if (entry.name !== 'types') visit(path)
      } else {
        const { size, mtimeMs } = statSync(path)
        parts.push(`${path} ${size} ${mtimeMs}`)
      }
    }
  }
  for (const folder of ['dist', 'lib', 'cas', 'pipeline/engine']) {
    const path = join(tickpipeDir, folder)
    // Sources that were never built have no dist.
    if (existsSync(path)) visit(path)
  }
  return digestOf(parts.sort().join('\n')).slice(0, 32)
}
