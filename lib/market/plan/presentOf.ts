import type { FileSet } from '../../artifact.ts'
import { floorTo, MINUTE_MS, type TsMs } from '../../time.ts'

/** The instant everything is planned as of: the earlier of the run's as-of and the venue's clock, to the minute. */
export function presentOf(files: FileSet): TsMs {
  const json = (name: string): Readonly<Record<string, unknown>> =>
    files.names.includes(name) ? JSON.parse(new TextDecoder().decode(files.read(name))) : {}
  const asOfTsMs = Number(json('asOf.json')['asOfTsMs'])
  const serverTsMs = json('time.json')['serverTime']
  return floorTo(typeof serverTsMs === 'number' ? Math.min(asOfTsMs, serverTsMs) : asOfTsMs, MINUTE_MS)
}
