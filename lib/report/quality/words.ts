import type { SymbolQuality } from '../../qa/joinReports.ts'
import { type Finding, type FindingKind, maskingKinds, type QaDay } from '../../tables/qa.ts'
import { DAY_MS } from '../../time.ts'
import { count, percent, ratio } from '../format.ts'

/** In the order in which they are told and painted: the worst come last. */
export const statuses = ['ok', 'tagged', 'absent', 'quarantined', 'rejected'] as const satisfies QaDay['status'][]

/** Classes of the style sheet. */
export const statusColors = {
  tagged: 'fourth',
  quarantined: 'third',
  rejected: 'down',
  absent: 'gone',
  ok: 'there',
} as const

const policyWords = {
  reject: 'no new orders while a finding lasts, and what is left of a day with too many bad bars is lost',
  quarantine: 'no new orders while it lasts; positions stay and funding goes on',
  tag: 'findings are noted, and nothing is kept away',
} as const

export const policiesOf = (quality: readonly SymbolQuality[]): string => {
  const policies = [...new Set(quality.flatMap((symbol) => symbol.policies))]
  return `The policy is ${policies.map((policy) => `${policy}: ${policyWords[policy]}`).join('; ')}.`
}

export const kindWords: Readonly<Record<FindingKind, string>> = {
  gap: 'bars are missing, though the symbol had traded before',
  outage: 'flat bars without a trade, for too long to be quiet',
  unsound: 'bars that contradict themselves',
  stale: 'no trade for longer than allowed',
  indexDeviation: 'the mark is further from the index than allowed',
  lostTrades: 'the numbers of the trades have holes',
  badDay: 'too many bad bars: the rest of the day is lost',
  returnOutlier: 'a return many times the usual of the day before',
  volumeOutlier: 'a volume many times the usual of the day before',
  sourcesDiffer: 'two sources of the same bars do not agree',
}

export const isMasking = (kind: FindingKind): boolean => (maskingKinds as readonly string[]).includes(kind)

/** The largest measure of a stretch, in the unit of its kind. */
export function worstText({ kind, worst }: Pick<Finding, 'kind' | 'worst'>): string {
  if (worst === undefined || !Number.isFinite(worst)) return ''
  // Minutes count it up to a day.
  if (kind === 'stale')
    return worst >= DAY_MS ? 'a day or more without a trade' : `${ratio(worst / 60_000, 0)} min without a trade`
  if (kind === 'indexDeviation') return `${percent(worst, 2)} off`
  if (kind === 'lostTrades') return `${count(worst)} trades in a bar`
  return `${ratio(worst, 1)} × usual`
}

/** `2 d 3 h`, `45 min`: at most two units, and exact where these say all. */
export function lengthText(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  const parts = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor(minutes / 60) % 24, 'h'],
    [minutes % 60, 'min'],
  ] as const
  const told = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`)
  return told.join(' ') || '0 min'
}

/** What is told of each day, in this order: heading and metric. */
export const metricColumns = [
  ['Expected', 'expectedBars'],
  ['Present', 'presentBars'],
  ['Missing', 'missingBars'],
  ['Quiet', 'quietBars'],
  ['Outage', 'outageBars'],
  ['Unsound', 'unsoundBars'],
  ['Stale', 'staleBars'],
  ['Off index', 'deviatingBars'],
  ['Lost trades', 'lostTrades'],
  ['Differing', 'differingBars'],
  ['Outliers', 'outlierBars'],
  ['Masked', 'maskedBars'],
  ['Volume, USDT', 'quoteVolume'],
] as const satisfies readonly (readonly [string, keyof QaDay['metrics']])[]
