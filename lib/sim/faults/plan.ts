import { createRng } from '../../rng.ts'

/** What a rule does to the requests it matches. */
export type FaultKind = AnswerFault | WireFault | ArchiveFault | RowFault

/** Another answer in place of the right one. */
export type AnswerFault =
  | 'rateLimited' // 429
  | 'banned' // 418, with the end of the ban in the text
  | 'restricted' // 451
  | 'forbidden' // 403, HTML
  | 'backendTimeout' // 408
  | 'serverError' // 500, 502, 503, 504 in turn
  | 'codeWith200' // {code,msg} with status 200
  | 'htmlWith200'

/** The right answer, badly carried. */
export type WireFault =
  | 'reset' // the connection ends before a byte is sent
  | 'resetInBody'
  | 'truncated' // a clean end before the promised length
  | 'slow'

/** The bucket itself is wrong. */
export type ArchiveFault =
  | 'wrongChecksum' // the .CHECKSUM file names other bytes
  | 'republished' // the first `times` downloads (1) lack the last three rows, later ones are right
  | 'missingFile' // neither there nor listed
  | 'staleListing' // files of the last 45 days are there and not listed

/** Defective rows under a right checksum, in archives and, where it makes sense, in REST arrays. */
export type RowFault =
  | 'duplicateRows'
  | 'reorderRows'
  | 'missingRows'
  | 'offGridRow'
  | 'headerFlip' // a header where there is none, none where there is one
  | 'unitFlip' // milliseconds for microseconds and the reverse
  | 'labelFlip' // metrics named by the other end of their five minutes

export type FaultRule = {
  /** A regular expression on path and query, e.g. `^/fapi/v1/klines.*symbol=BTCUSDT`. */
  readonly match: string
  readonly kind: FaultKind
  /** Only the first so many matching requests. For rows, listings and files: every request, unless said. */
  readonly times?: number
  /** Leaves so many matching requests alone first. */
  readonly after?: number
  /** Chance of each matching request; for archive and row faults of each matching file. */
  readonly probability?: number
  /** Seconds in the Retry-After header of rateLimited and banned; without it there is none, as on futures. */
  readonly retryAfterSeconds?: number
}

/** Faults on demand. The same plan and the same requests in the same order give the same faults. */
export type FaultPlan = { readonly seed?: number | string; readonly rules: readonly FaultRule[] }

const answerFaults: readonly AnswerFault[] = [
  'rateLimited',
  'banned',
  'restricted',
  'forbidden',
  'backendTimeout',
  'serverError',
  'codeWith200',
  'htmlWith200',
]
const wireFaults: readonly WireFault[] = ['reset', 'resetInBody', 'truncated', 'slow']
const archiveFaults: readonly ArchiveFault[] = ['wrongChecksum', 'republished', 'missingFile', 'staleListing']
const rowFaults: readonly RowFault[] = [
  'duplicateRows',
  'reorderRows',
  'missingRows',
  'offGridRow',
  'headerFlip',
  'unitFlip',
  'labelFlip',
]

export const faultKinds: readonly FaultKind[] = [...answerFaults, ...wireFaults, ...archiveFaults, ...rowFaults]
const strikingFaults: readonly FaultKind[] = [...answerFaults, ...wireFaults]

export type FaultState = {
  /** The first answer or wire fault that strikes this request. Counts the request. */
  strike(url: string): { kind: AnswerFault | WireFault; rule: FaultRule; count: number } | undefined
  /** Whether a lasting fault of this kind holds for a path. Counts nothing. */
  holds(kind: ArchiveFault | RowFault, path: string): FaultRule | undefined
}

export function createFaultState(plan: FaultPlan): FaultState {
  const rules = plan.rules.map((rule) => ({ rule, pattern: new RegExp(rule.match), count: 0 }))
  const seed = plan.seed ?? 0
  return {
    strike(url) {
      for (let i = 0; i < rules.length; i++) {
        const one = rules[i]!
        const { rule } = one
        if (!strikingFaults.includes(rule.kind)) continue
        if (!one.pattern.test(url)) continue
        const count = one.count++ - (rule.after ?? 0)
        if (count < 0 || count >= (rule.times ?? Number.MAX_SAFE_INTEGER)) continue
        if (createRng(seed, 'fault', i, count).uniform() >= (rule.probability ?? 1)) continue
        return { kind: rule.kind as AnswerFault | WireFault, rule, count }
      }
      return undefined
    },
    holds(kind, path) {
      const at = rules.findIndex(
        ({ rule, pattern }, i) =>
          rule.kind === kind &&
          pattern.test(path) &&
          createRng(seed, 'lasting fault', i, path).uniform() < (rule.probability ?? 1),
      )
      return at < 0 ? undefined : rules[at]!.rule
    },
  }
}
