import type { SymbolQuality } from '../../qa/joinReports.ts'
import { formatUtc } from '../../time.ts'
import { cell } from '../csv.ts'
import { metricColumns } from './words.ts'

/** Status and metrics of each symbol and day. */
export const qualityDaysCsv = (quality: readonly SymbolQuality[]): string =>
  csv(
    ['symbol', 'day', 'status', 'knownUtc', ...metricColumns.map(([, metric]) => metric), 'findingsBegun'],
    quality.flatMap(({ symbol, days }) =>
      days.map(({ day, status, knownAtMs, metrics, findings }) => [
        cell(symbol),
        day,
        status,
        formatUtc(knownAtMs),
        ...metricColumns.map(([, metric]) => String(metrics[metric])),
        String(findings.length),
      ]),
    ),
  )

export const qualityFindingsCsv = (quality: readonly SymbolQuality[]): string =>
  csv(
    ['symbol', 'kind', 'fromUtc', 'toUtc', 'knownUtc', 'bars', 'worst'],
    quality.flatMap(({ symbol, findings }) =>
      findings.map(({ kind, fromMs, toMs, knownAtMs, bars, worst }) => [
        cell(symbol),
        kind,
        formatUtc(fromMs),
        formatUtc(toMs),
        formatUtc(knownAtMs),
        String(bars),
        worst === undefined ? '' : String(worst),
      ]),
    ),
  )

export const qualityMasksCsv = (quality: readonly SymbolQuality[]): string =>
  csv(
    ['symbol', 'action', 'fromUtc', 'toUtc', 'because'],
    quality.flatMap(({ symbol, masks }) =>
      masks.map(({ action, fromMs, toMs, because }) => [
        cell(symbol),
        action,
        formatUtc(fromMs),
        formatUtc(toMs),
        because.join(' '),
      ]),
    ),
  )

const csv = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `${[head, ...rows].map((cells) => cells.join(',')).join('\n')}\n`
