import process from 'node:process'
import { packageIn } from './packageIn.ts'

/** A folder from which Polars can be loaded. On Node 20 npm leaves its binary out unless that is asked for by name. */
export function polarsIn(folder: string): string | undefined {
  const system = `${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`
  return packageIn(folder, 'nodejs-polars', `nodejs-polars-${system}`)
}
