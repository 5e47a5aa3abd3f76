import type { FileSet } from '../../artifact.ts'
import type { BacktestResult } from '../../backtest/engine.ts'
import { type EquityCurve, pickRows } from '../../backtest/equityCurve.ts'
import { mean } from '../../stats/moments.ts'
import { encodeTable } from '../../tables/parquet.ts'
import { DAY_MS } from '../../time.ts'
import {
  type BacktestRun,
  type Digits,
  digitsOf,
  equityRows,
  jsonBytes,
  type NamedBytes,
  type RunRequest,
  readEquity,
  readJson,
} from './backtestFiles.ts'

/**
 * One of many runs that are compared: whole days of its account, and what it came to. Everything a sweep says of a point
 * follows from these to the last digit; the hours between and the story of each order are made again by running the point
 * by itself.
 */
export interface TrialRun {
  readonly request: RunRequest
  readonly result: TrialResult
}

export interface TrialResult extends Omit<BacktestResult, 'fills' | 'equity'> {
  /** Its first row, its last, and the last at or before each midnight. */
  readonly equity: EquityCurve
  /** Over every row the run had. */
  readonly meanEquityCash: number
  /** Fills and parts of fills. */
  readonly fillCount: number
}

export function trialOf({ request, result }: BacktestRun): TrialRun {
  const { fills, equity, ...rest } = result
  let fillCount = 0
  for (let row = 0; row < fills.rows; row++) if (fills.qty[row] !== 0) fillCount++
  return { request, result: { ...rest, equity: wholeDays(equity), meanEquityCash: mean(equity.equity), fillCount } }
}

export function encodeTrial({ request, result }: TrialRun): NamedBytes[] {
  const digits = digitsOf(result)
  const { equity, ...rest } = result
  return [
    { name: 'days.parquet', bytes: encodeTable(equityRows(equity, digits)) },
    { name: 'run.json', bytes: jsonBytes({ digits, request, result: rest }) },
  ]
}

export function decodeTrial(files: Pick<FileSet, 'read'>): TrialRun {
  const head = readJson(files.read('run.json')) as {
    digits: Digits
    request: RunRequest
    result: Omit<TrialResult, 'equity'>
  }
  const perSymbol = head.result.perSymbol.map((s) => ({ ...s, markPx: s.markPx ?? Number.NaN }))
  const equity = readEquity(files.read('days.parquet'), head.digits)
  return { request: head.request, result: { ...head.result, perSymbol, equity } }
}

/** One at a time, each when it is asked for: a sweep has thousands. */
export function* decodedTrials(stored: Iterable<Pick<FileSet, 'read'>>): Generator<TrialRun> {
  for (const files of stored) yield decodeTrial(files)
}

function wholeDays(curve: EquityCurve): EquityCurve {
  const rows: number[] = []
  for (let row = 0; row < curve.rows; row++) {
    const endsDay = row + 1 === curve.rows || dayAfter(curve.tsMs[row]!) < dayAfter(curve.tsMs[row + 1]!)
    if (row === 0 || endsDay) rows.push(row)
  }
  return pickRows(curve, rows)
}

/** Number of the first midnight at or after an instant. */
const dayAfter = (tsMs: number): number => Math.ceil(tsMs / DAY_MS)
