import type { Store } from '../cas/store.ts'
import { Fault } from '../lib/fault.ts'
import { readSnapshot, type Snapshot } from './snapshotFolder.ts'
import { verifyCurrentLevel } from './verifyCurrent.ts'
import { verifyDataLevel } from './verifyData.ts'
import type { LevelContext, LevelResult, VerifyOptions } from './verifyLevel.ts'
import { verifyManifestLevel } from './verifyManifest.ts'
import { verifyObjectsLevel } from './verifyObjects.ts'
import { VerifyProgress } from './verifyProgress.ts'
import { verifyRebuildLevel } from './verifyRebuild.ts'
import type { VerifyLevel, VerifyReport } from './verifyReport.ts'

const checks: Readonly<Record<VerifyLevel, (context: LevelContext) => LevelResult | Promise<LevelResult>>> = {
  objects: verifyObjectsLevel,
  manifest: verifyManifestLevel,
  data: verifyDataLevel,
  rebuild: verifyRebuildLevel,
  current: verifyCurrentLevel,
}

/** Checks a snapshot on one level. What is wrong with it comes as findings; a Fault means that it could not be checked
 *  at all: no such snapshot, a newer format, code that is not trusted. */
export async function verifySnapshot(
  store: Store,
  name: string,
  level: VerifyLevel,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  let snapshot: Snapshot
  try {
    snapshot = readSnapshot(store.root, name)
  } catch (error) {
    if (error instanceof Fault && error.code === 'corrupt') return unreadable(name, level, error)
    throw error
  }
  const { id } = snapshot
  const progress = new VerifyProgress(options.progressFile, { id, level, sample: options.sample })
  const result = await checks[level]({ store, snapshot, options, progress })
  if (!result.interrupted) progress.finish()
  return { level, snapshot: name, id, ...result }
}

function unreadable(name: string, level: VerifyLevel, fault: Fault): VerifyReport {
  return {
    level,
    snapshot: name,
    id: undefined,
    findings: [
      {
        severity: 'error',
        kind: 'manifest',
        what: fault.what,
        todo: `import a bundle of ${name}, or pin the run again, after "pipe snapshot rm ${name}"`,
      },
    ],
    counts: { total: 0, checked: 0, notSampled: 0, resumed: 0, evicted: 0 },
    interrupted: false,
  }
}
