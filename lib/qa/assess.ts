import type { Policy } from '../audit/finding.ts'
import type { Finding, FindingKind, Mask, QaDay, QaReport } from '../tables/qa.ts'
import { maskingKinds } from '../tables/qa.ts'
import { DAY_MS, dayOf, floorTo } from '../time.ts'
import { type DenseMinutes, presentAt } from './denseMinutes.ts'
import { multiplesOfUsual } from './outliers.ts'

export interface QaLimits {
  readonly policy: Policy
  readonly stalenessMaxMs: number
  readonly indexDeviationMax: number
  /** A return, or a volume, of so many times the usual size is tagged. */
  readonly outlierMultiple: number
  /** Under `reject`, a day is lost from the bar on with which its bad bars exceed this share of it. */
  readonly badShareMax: number
}

/**
 * The quality of the bars that open in [fromMs, toMs), out of a dense grid that begins a warm-up earlier. Every condition
 * is one of a single bar and is known at its close; a stretch of bars with it is a finding. So whatever comes later can
 * lengthen a finding, and never move its beginning.
 */
export function assessQuality(minutes: DenseMinutes, fromMs: number, toMs: number, limits: QaLimits): QaReport {
  const conditions = conditionsOf(minutes, limits)
  const stretches = new Map<FindingKind, Finding[]>()
  for (const { kind, holds, worst } of conditions) stretches.set(kind, stretchesOf(minutes, kind, holds, worst))
  if (limits.policy === 'reject') stretches.set('badDay', badDays(minutes, conditions, limits.badShareMax))
  const all = [...stretches.values()].flat().sort((a, b) => a.fromMs - b.fromMs || (a.kind < b.kind ? -1 : 1))
  const masks = limits.policy === 'tag' ? [] : masksOf(all, fromMs, toMs)
  const days: QaDay[] = []
  for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) {
    days.push(dayQuality(minutes, conditions, dayMs, all, masks))
  }
  return {
    symbol: minutes.symbol,
    policy: limits.policy,
    intervalMs: minutes.intervalMs,
    fromMs,
    toMs,
    days,
    masks,
    carried: all.filter((finding) => finding.fromMs < fromMs && finding.toMs > fromMs),
  }
}

interface Condition {
  readonly kind: FindingKind
  readonly holds: Uint8Array
  readonly worst?: Float64Array
}

function conditionsOf(minutes: DenseMinutes, limits: QaLimits): Condition[] {
  const { rows, startTsMs, intervalMs, columns: c } = minutes
  const where = (of: (i: number) => boolean) => {
    const holds = new Uint8Array(rows)
    for (let i = 0; i < rows; i++) if (of(i)) holds[i] = 1
    return holds
  }
  const isThere = (i: number) => presentAt(minutes, i)
  // Before its first bar a symbol is not listed yet; that is no gap.
  const first = c.close.findIndex((close) => !Number.isNaN(close))
  const returns = c.close.map((close, i) => (i === 0 ? Number.NaN : close / c.close[i - 1]! - 1))
  const returnMultiple = multiplesOfUsual(returns, startTsMs, intervalMs)
  const volumeMultiple = multiplesOfUsual(c.quoteVolume, startTsMs, intervalMs)
  return [
    { kind: 'gap', holds: where((i) => first >= 0 && i > first && !isThere(i)) },
    { kind: 'outage', holds: where((i) => minutes.isOutage[i] === 1) },
    { kind: 'unsound', holds: where((i) => isThere(i) && isUnsound(minutes, i, limits)) },
    { kind: 'stale', holds: where((i) => c.stalenessMs[i]! > limits.stalenessMaxMs), worst: c.stalenessMs },
    {
      kind: 'indexDeviation',
      holds: where((i) => c.indexDeviation[i]! > limits.indexDeviationMax),
      worst: c.indexDeviation,
    },
    { kind: 'lostTrades', holds: where((i) => c.lostTrades[i]! > 0), worst: c.lostTrades },
    { kind: 'returnOutlier', holds: where((i) => returnMultiple[i]! > limits.outlierMultiple), worst: returnMultiple },
    {
      kind: 'volumeOutlier',
      holds: where((i) => volumeMultiple[i]! > limits.outlierMultiple * 2),
      worst: volumeMultiple,
    },
    { kind: 'sourcesDiffer', holds: where((i) => minutes.differs[i] === 1) },
  ]
}

/** Not ok for no reason that has a kind of its own: the bar contradicts itself. */
function isUnsound({ dataOk, columns: c }: DenseMinutes, i: number, limits: QaLimits): boolean {
  if (dataOk[i] === 1) return false
  const isExplained =
    c.stalenessMs[i]! > limits.stalenessMaxMs || c.indexDeviation[i]! > limits.indexDeviationMax || c.lostTrades[i]! > 0
  return !isExplained
}

function stretchesOf(
  { rows, startTsMs, intervalMs }: DenseMinutes,
  kind: FindingKind,
  holds: Uint8Array,
  measure: Float64Array | undefined,
): Finding[] {
  const found: Finding[] = []
  for (let i = 0; i < rows; ) {
    if (holds[i] === 0) {
      i++
      continue
    }
    let end = i
    let worst = Number.NEGATIVE_INFINITY
    for (; end < rows && holds[end] === 1; end++) worst = Math.max(worst, measure?.[end] ?? worst)
    found.push({
      kind,
      fromMs: startTsMs + i * intervalMs,
      toMs: startTsMs + end * intervalMs,
      knownAtMs: startTsMs + (i + 1) * intervalMs,
      bars: end - i,
      ...(measure === undefined ? {} : { worst }),
    })
    i = end
  }
  return found
}

const isMasking = (kind: FindingKind): boolean => (maskingKinds as readonly string[]).includes(kind)

/** From the bar on that makes it one, a day with too many bad bars is lost to its end. */
function badDays(minutes: DenseMinutes, conditions: readonly Condition[], badShareMax: number): Finding[] {
  const { rows, startTsMs, intervalMs } = minutes
  const masking = conditions.filter(({ kind }) => isMasking(kind))
  const barsMax = (badShareMax * DAY_MS) / intervalMs
  const found: Finding[] = []
  let dayMs = Number.NaN
  let bad = 0
  for (let i = 0; i < rows; i++) {
    const openMs = startTsMs + i * intervalMs
    if (floorTo(openMs, DAY_MS) !== dayMs) {
      dayMs = floorTo(openMs, DAY_MS)
      bad = 0
    }
    if (!masking.some(({ holds }) => holds[i] === 1)) continue
    bad++
    if (bad <= barsMax || bad - 1 > barsMax) continue
    found.push({ kind: 'badDay', fromMs: openMs, toMs: dayMs + DAY_MS, knownAtMs: openMs + intervalMs, bars: bad })
  }
  return found
}

/** What is masked and why: overlapping stretches are one. A stretch that began before the range masks from its start. */
function masksOf(findings: readonly Finding[], fromMs: number, toMs: number): Mask[] {
  const masking = findings.filter(({ kind }) => isMasking(kind))
  const spans = masking
    .map((finding) => ({
      fromMs: Math.max(finding.knownAtMs, fromMs),
      // That a stretch is over is known when the first good bar has closed, one bar later.
      toMs: Math.min(
        finding.kind === 'badDay' ? finding.toMs : finding.toMs + (finding.knownAtMs - finding.fromMs),
        toMs,
      ),
      kind: finding.kind,
    }))
    .filter((span) => span.fromMs < span.toMs)
  const result: { fromMs: number; toMs: number; action: Mask['action']; because: FindingKind[] }[] = []
  for (const action of ['quarantine', 'reject'] as const) {
    const own = spans
      .filter(({ kind }) => (kind === 'badDay') === (action === 'reject'))
      .sort((a, b) => a.fromMs - b.fromMs || a.toMs - b.toMs)
    for (const { fromMs: spanFromMs, toMs: spanToMs, kind } of own) {
      const last = result.at(-1)
      if (last?.action === action && spanFromMs <= last.toMs) {
        last.toMs = Math.max(last.toMs, spanToMs)
        if (!last.because.includes(kind)) last.because.push(kind)
      } else result.push({ fromMs: spanFromMs, toMs: spanToMs, action, because: [kind] })
    }
  }
  for (const { because } of result) because.sort()
  return result.sort((a, b) => a.fromMs - b.fromMs || (a.action < b.action ? -1 : 1))
}

function dayQuality(
  minutes: DenseMinutes,
  conditions: readonly Condition[],
  dayMs: number,
  findings: readonly Finding[],
  masks: readonly Mask[],
): QaDay {
  const { startTsMs, intervalMs, columns } = minutes
  const from = (dayMs - startTsMs) / intervalMs
  const to = from + DAY_MS / intervalMs
  const endMs = dayMs + DAY_MS
  const countOf = (...kinds: FindingKind[]) => {
    const holds = new Uint8Array(to - from)
    for (const one of conditions) {
      if (!kinds.includes(one.kind)) continue
      for (let i = from; i < to; i++) if (one.holds[i] === 1) holds[i - from] = 1
    }
    let bars = 0
    for (let i = 0; i < holds.length; i++) bars += holds[i]!
    return bars
  }
  const near = masks.filter((mask) => mask.fromMs <= endMs && mask.toMs > dayMs)
  let presentBars = 0
  let quietBars = 0
  let quoteVolume = 0
  let lostTrades = 0
  let maskedBars = 0
  for (let i = from; i < to; i++) {
    const closeMs = startTsMs + (i + 1) * intervalMs
    // The instant after a bar's close is when one could act on it.
    if (near.some((mask) => closeMs >= mask.fromMs && closeMs < mask.toMs)) maskedBars++
    if (!presentAt(minutes, i)) continue
    presentBars++
    quoteVolume += columns.quoteVolume[i]!
    lostTrades += columns.lostTrades[i]!
    if (columns.count[i] === 0 && minutes.isOutage[i] === 0) quietBars++
  }
  const missingBars = countOf('gap')
  const touches = (one: { fromMs: number; toMs: number }) => one.fromMs < endMs && one.toMs > dayMs
  const own = findings.filter((finding) => finding.fromMs >= dayMs && finding.fromMs < endMs)
  const dayMasks = masks.filter(touches)
  const statusOfMasks = dayMasks.some(({ action }) => action === 'reject') ? 'rejected' : 'quarantined'
  const statusOfFindings = findings.some(touches) ? 'tagged' : 'ok'
  const status = presentBars === 0 ? 'absent' : dayMasks.length > 0 ? statusOfMasks : statusOfFindings
  return {
    day: dayOf(dayMs),
    knownAtMs: endMs,
    status,
    metrics: {
      expectedBars: presentBars + missingBars,
      presentBars,
      missingBars,
      quietBars,
      outageBars: countOf('outage'),
      unsoundBars: countOf('unsound'),
      staleBars: countOf('stale'),
      deviatingBars: countOf('indexDeviation'),
      lostTrades,
      differingBars: countOf('sourcesDiffer'),
      outlierBars: countOf('returnOutlier', 'volumeOutlier'),
      maskedBars,
      quoteVolume,
    },
    findings: own,
  }
}
