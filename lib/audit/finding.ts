import { z } from 'zod'
import { jsonArtifact } from '../artifact.ts'

/** What is done about rows that cannot be right. One word everywhere: in the config, in params, in reports, of raw rows as of
 *  minutes. `reject`: the run fails. `quarantine`: the rows are left out, the whole file where it is another one than it
 *  should be, or the stretch is masked, and the finding says which. `tag`: they are kept, and the finding says which. */
export const policy = z.enum(['reject', 'quarantine', 'tag'])
export type Policy = z.output<typeof policy>

/** Every defect the auditor knows by name, and whether it may cost rows. Statistical oddities never do. */
export const findingKinds = {
  unreadableFile: 'structural',
  checksumMismatch: 'structural',
  wrongName: 'structural',
  schemaDrift: 'structural',
  badCell: 'structural',
  conflictingRows: 'structural',
  offGrid: 'structural',
  outsidePeriod: 'structural',
  impossibleRow: 'structural',
  wrongCloseTime: 'structural',
  wrongSymbol: 'structural',
  shiftedClock: 'structural',
  duplicateRows: 'notable',
  outOfOrder: 'notable',
  missingRows: 'notable',
  flatRun: 'notable',
  frozenPrice: 'notable',
  unexpectedHeader: 'notable',
  missingHeader: 'notable',
  unexpectedTimeUnit: 'notable',
  mixedTimeUnits: 'notable',
  movedLabels: 'notable',
  byteOrderMark: 'notable',
  carriageReturns: 'notable',
  noFinalNewline: 'notable',
  revisedRows: 'notable',
  missingIds: 'notable',
  wrongTurnover: 'notable',
  priceSpike: 'statistical',
  rateBeyondCap: 'statistical',
} as const
export type FindingKind = keyof typeof findingKinds
const kindNames = Object.keys(findingKinds) as [FindingKind, ...FindingKind[]]

export const severities = ['PASS', 'WARN', 'FAIL', 'QUARANTINE'] as const
export type Severity = (typeof severities)[number]

export const finding = z.object({
  kind: z.enum(kindNames),
  severity: z.enum(['WARN', 'FAIL', 'QUARANTINE']),
  /** One sentence for people. */
  what: z.string(),
  /** The file it was seen in, and where in it. */
  file: z.string().optional(),
  line: z.number().int().optional(),
  column: z.string().optional(),
  byteOffset: z.number().int().optional(),
  /** The stretch of time it is about: from its first instant up to, and not including, its last. */
  fromTsMs: z.number().optional(),
  toTsMs: z.number().optional(),
  /** Rows it is about. */
  rows: z.number().int().optional(),
})
export type Finding = z.output<typeof finding>

/** The audit of one partition. */
export const auditReport = z.object({
  artifactType: z.string(),
  /** As in the address of the table it is about. */
  partition: z.string(),
  verdict: z.enum(severities),
  rows: z.number().int(),
  findings: z.array(finding),
})
export type AuditReport = z.output<typeof auditReport>
export const audit = jsonArtifact('audit', auditReport)

export const isStructural = (kind: FindingKind): boolean => findingKinds[kind] === 'structural'

/** Structural defects are as grave as the policy takes them; everything else is a warning. */
export function severityOf(kind: FindingKind, chosen: Policy): Finding['severity'] {
  if (!isStructural(kind) || chosen === 'tag') return 'WARN'
  return chosen === 'reject' ? 'FAIL' : 'QUARANTINE'
}

/** The gravest severity of all; `FAIL` stands above `QUARANTINE`, for it leaves no data at all. */
export function verdictOf(findings: readonly Finding[]): Severity {
  const order: readonly Severity[] = ['PASS', 'WARN', 'QUARANTINE', 'FAIL']
  return order[findings.reduce((worst, { severity }) => Math.max(worst, order.indexOf(severity)), 0)]!
}

/** The audit of a partition out of what was found in it. */
export const reportOf = (
  artifactType: string,
  partition: string,
  { rows, findings }: { readonly rows: number; readonly findings: readonly Finding[] },
): AuditReport => ({ artifactType, partition, verdict: verdictOf(findings), rows, findings: [...findings] })

/** A file of rubbish has as many defects as lines; so many are told one by one. */
export const findingsListedMax = 50
