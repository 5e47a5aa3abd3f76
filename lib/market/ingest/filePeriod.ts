import { DAY_MS, dayStart, monthStart, nextMonth, type TsMs } from '../../time.ts'

/** The month or the day that the name of an archive's file tells, be it of the zip, its checksum or what is in it. */
export function periodOf(file: string): { fromTsMs: TsMs; toTsMs: TsMs } | undefined {
  const name = /-(\d{4}-\d{2}(?:-\d{2})?)\.zip(?:[./]|$)/.exec(file)?.[1]
  if (name === undefined) return undefined
  if (name.length === 7) return { fromTsMs: monthStart(name), toTsMs: monthStart(nextMonth(name)) }
  return { fromTsMs: dayStart(name), toTsMs: dayStart(name) + DAY_MS }
}
