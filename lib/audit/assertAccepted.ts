import { Fault } from '../fault.ts'
import { formatUtc, type TsMs } from '../time.ts'
import { type Finding, isStructural, type Policy } from './finding.ts'

/** What a table is about, as far as its params say. */
type Judged = {
  readonly policy: Policy
  readonly symbol: string
  readonly interval?: string
  readonly fromTsMs: TsMs
  readonly toTsMs: TsMs
}

/** Under `reject` no structural defect gets into a table: the first one ends the run, and says where it is. */
export function assertAccepted(findings: readonly Finding[], judged: Judged): void {
  if (judged.policy !== 'reject') return
  const structural = findings.filter(({ kind }) => isStructural(kind))
  const first = structural[0]
  if (first === undefined) return
  const { kind, what, file, line, column, byteOffset, fromTsMs, toTsMs } = first
  const place = [
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(column === undefined ? [] : [`column ${column}`]),
    ...(byteOffset === undefined ? [] : [`byte ${byteOffset}`]),
    ...(fromTsMs === undefined ? [] : [spanText(fromTsMs, toTsMs)]),
  ].join(', ')
  const { symbol, interval } = judged
  const partition = `${symbol}${interval === undefined ? '' : ` ${interval}`} ${spanText(judged.fromTsMs, judged.toTsMs)}`
  const others = structural.length > 1 ? `, and ${structural.length - 1} more` : ''
  throw new Fault({
    code: 'failed',
    what: `${partition} is rejected. ${kind}: ${what}${place === '' ? '' : ` (${place})`}${others}`,
    ...(file === undefined ? {} : { where: file }),
    todo: 'fetch it again with --refresh, or set "policy" to "quarantine" to leave such rows out, or to "tag" to keep them',
    details: { findings: structural.slice(0, 20) },
  })
}

const spanText = (fromTsMs: TsMs, toTsMs: TsMs | undefined): string =>
  toTsMs === undefined ? formatUtc(fromTsMs) : `${formatUtc(fromTsMs)} to ${formatUtc(toTsMs)}`
