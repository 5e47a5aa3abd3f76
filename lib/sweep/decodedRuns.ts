import type { FileSet } from '../artifact.ts'
import { type BacktestRun, decodeBacktest } from '../market/runs/backtestFiles.ts'

/** One at a time, each when it is asked for: a sweep's runs together may be more than fits in memory. */
export function* decodedRuns(stored: Iterable<Pick<FileSet, 'read'>>): Generator<BacktestRun> {
  for (const files of stored) yield decodeBacktest(files)
}
