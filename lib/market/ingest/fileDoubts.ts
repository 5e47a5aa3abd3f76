import { createHash } from 'node:crypto'
import type { FileSet } from '../../artifact.ts'
import { type Finding, type FindingKind, type Policy, severityOf } from '../../audit/finding.ts'
import { Fault } from '../../fault.ts'
import { parseChecksum } from '../../venues/checksumFile.ts'
import { openSingleFileZip } from '../../zip.ts'

const pieceSizeBytes = 1 << 20

/** Findings that say of a file, and not of rows in it, that it is another one than it should be, or a damaged one. However
 *  well its rows read, they may be another symbol's. */
const wholeFileKinds: ReadonlySet<FindingKind> = new Set([
  'unreadableFile',
  'checksumMismatch',
  'wrongName',
  'schemaDrift',
  'shiftedClock',
])

export const isWholeFileKind = (kind: FindingKind): boolean => wholeFileKinds.has(kind)

/** Whether nothing of a file is taken: whoever may have the rows instead is asked, as for a file that is not there. What
 *  cannot be read no policy keeps. */
export const isLeftOut = (findings: readonly Finding[], policy: Policy): boolean =>
  findings.some(({ kind }) => kind === 'unreadableFile' || (policy === 'quarantine' && isWholeFileKind(kind)))

type Say = (kind: FindingKind, what: string, more?: Partial<Finding>) => void

/** Findings about one file, as they are told. */
export function findingsAbout(file: string, policy: Policy): { findings: Finding[]; say: Say } {
  const findings: Finding[] = []
  return {
    findings,
    say: (kind, what, more = {}) => findings.push({ kind, severity: severityOf(kind, policy), what, file, ...more }),
  }
}

/** Compares a zip with the checksum that lies beside it, where one does, and with the name of what it holds, where that can be read. */
export function sayDoubts(files: FileSet, name: string, member: string | undefined, say: Say): void {
  if (member !== undefined && member !== name.replace(/\.zip$/, '.csv')) say('wrongName', `the zip holds ${member}`)
  const beside = `${name}.CHECKSUM`
  if (!files.names.includes(beside)) return
  const stated = parseChecksum(files.read(beside))
  const found = sha256Of(files, name)
  if (stated === undefined) say('checksumMismatch', 'its checksum file is no checksum', { file: beside })
  else if (stated.sha256 !== found)
    say('checksumMismatch', `it hashes to ${found} and its checksum file says ${stated.sha256}`)
  else if (stated.name !== name) say('wrongName', `its checksum file speaks of ${stated.name}`)
}

/** What is wrong with the zips of an artifact as files, without a look at their rows. */
export function archiveDoubts(files: FileSet, policy: Policy): Finding[] {
  return files.names
    .filter((name) => name.endsWith('.zip'))
    .flatMap((name) => {
      const { findings, say } = findingsAbout(name, policy)
      try {
        sayDoubts(files, name, openZip(files, name).name, say)
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        say('unreadableFile', error.what)
        sayDoubts(files, name, undefined, say)
      }
      return findings
    })
}

/** A zip that is read piece by piece from where it lies. */
export const openZip = (files: FileSet, name: string, sizeBytesMax?: number) =>
  openSingleFileZip(
    { sizeBytes: files.sizeBytes(name), readAt: (offset, lengthBytes) => files.readAt(name, offset, lengthBytes) },
    name,
    sizeBytesMax,
  )

function sha256Of(files: FileSet, name: string): string {
  const hash = createHash('sha256')
  const sizeBytes = files.sizeBytes(name)
  for (let at = 0; at < sizeBytes; at += pieceSizeBytes)
    hash.update(files.readAt(name, at, Math.min(pieceSizeBytes, sizeBytes - at)))
  return hash.digest('hex')
}
