import type { FileSet } from '../../artifact.ts'
import type { Policy } from '../../audit/finding.ts'
import type { BacktestConfig } from '../../backtest/config.ts'
import type { BacktestResult } from '../../backtest/engine.ts'
import type { EquityCurve } from '../../backtest/equityCurve.ts'
import { fillFlags, orderKinds, outcomes, reasons } from '../../backtest/orders.ts'
import { pow10 } from '../../backtest/scaled.ts'
import { decodeTable, encodeTable } from '../../tables/parquet.ts'
import { bool, decimal, defineTable, f64, i32, nullable, tsMs, utf8 } from '../../tables/schema.ts'
import { makeTable } from '../../tables/table.ts'

/** What a run was asked to do: a result means nothing without it. */
export interface RunRequest {
  readonly strategy: { readonly name: string; readonly params: unknown }
  /** Of the bars: '1m' … '4h'. */
  readonly interval: string
  /** Decisions were taken in [fromMs, toMs). */
  readonly fromMs: number
  readonly toMs: number
  /** Every execution assumption, defaults written out. */
  readonly execution: BacktestConfig
  /** What the run was made on, for the report: absent where the engine was called without the task. */
  readonly data?: DataStamp
}

/** The data behind a run, as far as a reader of its numbers must know it. */
export interface DataStamp {
  /** The one order of all that happened: its digest stands for every bar, settlement and verdict. Absent where no replay
   *  was wired. */
  readonly eventStream?: {
    readonly digest: string
    readonly events: number
    readonly fromMs: number
    readonly toMs: number
  }
  readonly universe: {
    /** `listed`: the symbols were named one by one. */
    readonly mode: 'listed' | 'historical' | 'live'
    /** True where today's survivors stand for the past. */
    readonly hasSurvivorship: boolean
    /** Members without a single bar: left out. */
    readonly withoutBars: readonly string[]
    /** Symbols that ended inside the range: positions were closed at the last mark that had trades. */
    readonly delisted: readonly { readonly symbol: string; readonly tsMs: number }[]
  }
  /** Absent where no verdicts were wired. Quarantined time is summed over the symbols. */
  readonly quality?: { readonly policy: Policy; readonly quarantinedMs: number }
  /** Bars left out because their prices cannot be right. */
  readonly unsoundBars: number
  /** Feature columns the strategy read. */
  readonly columns: readonly string[]
  /** Those of them without a value in the first day, and when any symbol had one: null for never. */
  readonly lateColumns?: readonly { readonly column: string; readonly fromMs: number | null }[]
}

export interface BacktestRun {
  readonly request: RunRequest
  readonly result: BacktestResult
}

/** Digits behind the point of the three kinds of whole numbers a run counts in. */
export interface Digits {
  readonly cash: number
  readonly px: number
  readonly qty: number
}

const equityColumns = [
  'equity',
  'cash',
  'gross',
  'net',
  'pricePnl',
  'slippage',
  'fees',
  'funding',
  'liquidationFees',
] as const

export const equityTable = (digits: Digits) => {
  const usdt = (doc: string) => decimal(digits.cash, 18, { unit: 'USDT', doc })
  return defineTable({
    name: 'equity',
    version: 1,
    doc: 'The account over time, in exact decimals. Parts are cumulative: capital plus all parts is the equity of the row.',
    columns: {
      tsMs: tsMs({ doc: 'after the marks, settlements and liquidations of this instant, before its fills' }),
      equity: usdt('cash + net, and capital + all parts: both to the last digit'),
      cash: usdt('capital less what was bought, plus what was sold; fees and funding included'),
      gross: usdt('sum of |positions| at mark'),
      net: usdt('sum of positions at mark, shorts below zero'),
      pricePnl: usdt('part: of the prices alone, as if all had been filled at its reference'),
      slippage: usdt('part: what fills cost against their references'),
      fees: usdt('part: of maker and taker, below zero as costs are'),
      funding: usdt('part: settlements, above zero where we received more than we paid'),
      liquidationFees: usdt('part: below zero as costs are'),
      traded: f64({ unit: 'USDT', doc: 'turned over since the start, at fill prices' }),
    },
    sortKey: ['tsMs'],
  })
}

export const fillsTable = (digits: Digits) => {
  const px = (doc: string) => nullable(decimal(digits.px, 18, { unit: 'quote', doc }))
  const qty = (doc: string) => decimal(digits.qty, 18, { unit: 'base', doc })
  const usdt = (doc: string) => decimal(digits.cash, 18, { unit: 'USDT', doc })
  return defineTable({
    name: 'fills',
    version: 1,
    doc: "Every order's story, in the order in which things happened.",
    columns: {
      row: i32({ doc: 'from 0, in the order in which things happened' }),
      tsMs: tsMs({ doc: 'when it was booked, and from when the strategy could know' }),
      symbol: utf8(),
      orderId: i32({ doc: 'one order may have several rows: the last one is not "partial"' }),
      kind: utf8({ doc: orderKinds.join(', ') }),
      outcome: utf8({ doc: outcomes.join(', ') }),
      reason: utf8({ doc: `why it ended so: ${reasons.join(', ')}` }),
      flags: i32({
        doc: `a sum: ${Object.entries(fillFlags)
          .map(([name, bit]) => `${bit} ${name}`)
          .join(', ')}`,
      }),
      isMaker: bool({ doc: 'it rested in the book, and pays the fee of that' }),
      decisionTsMs: tsMs({ doc: 'when the strategy decided' }),
      activeTsMs: tsMs({ doc: 'decision + latency: the venue has it from then on' }),
      barOpenTsMs: nullable(tsMs({ doc: 'the bar that filled it; null without a fill, and for forced exits' })),
      wantedQty: qty('of the whole order, below zero to sell'),
      qty: qty('filled by this row, below zero for a sale; 0 where nothing was'),
      positionQty: qty('held after this row'),
      limitPx: px('of a limit order'),
      stopPx: px('of a stop order'),
      referencePx: px('what slippage is measured against; null without a fill'),
      fillPx: px('what was paid or got; null without a fill'),
      fee: usdt('below zero as costs are'),
      slippage: usdt('(referencePx - fillPx) × qty, below zero as costs are'),
      volumeShare: f64({ doc: 'of what the filling bar traded; null where no bar filled it' }),
    },
    sortKey: ['row'],
  })
}

export interface NamedBytes {
  readonly name: string
  readonly bytes: Uint8Array
}

export function encodeBacktest({ request, result }: BacktestRun): NamedBytes[] {
  const digits = digitsOf(result)
  const { equity, fills, ...rest } = result
  const head = { digits, request, result: rest }
  return [
    { name: 'equity.parquet', bytes: encodeTable(equityRows(equity, digits)) },
    { name: 'fills.parquet', bytes: encodeTable(fillRows(result, digits)) },
    { name: 'run.json', bytes: jsonBytes(head) },
  ]
}

export function decodeBacktest(files: Pick<FileSet, 'read'>): BacktestRun {
  const head = readJson(files.read('run.json')) as {
    digits: Digits
    request: RunRequest
    result: Omit<BacktestResult, 'equity' | 'fills'>
  }
  const perSymbol = head.result.perSymbol.map((s) => ({ ...s, markPx: s.markPx ?? Number.NaN }))
  const rest = { ...head.result, perSymbol }
  return {
    request: head.request,
    result: {
      ...rest,
      equity: readEquity(files.read('equity.parquet'), head.digits),
      fills: readFills(files.read('fills.parquet'), head.digits, rest),
    },
  }
}

/** A price that never was is NaN in memory, and null in JSON. */
export const jsonBytes = (head: object): Uint8Array => new TextEncoder().encode(`${JSON.stringify(head)}\n`)

export const readJson = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes))

/** Prices and quantities of several instruments share a column: the finest of them sets its digits. */
export function digitsOf({ cashDecimals, instruments }: Pick<BacktestResult, 'cashDecimals' | 'instruments'>): Digits {
  const most = (digits: readonly number[]) => digits.reduce((a, b) => Math.max(a, b), 0)
  return {
    cash: cashDecimals,
    px: most(instruments.map(({ pxDecimals }) => pxDecimals)),
    qty: most(instruments.map(({ qtyDecimals }) => qtyDecimals)),
  }
}

export function equityRows(equity: EquityCurve, digits: Digits) {
  const usdt = (name: (typeof equityColumns)[number]) => BigInt64Array.from(equity[name], BigInt)
  return makeTable(equityTable(digits), {
    tsMs: equity.tsMs,
    equity: usdt('equity'),
    cash: usdt('cash'),
    gross: usdt('gross'),
    net: usdt('net'),
    pricePnl: usdt('pricePnl'),
    slippage: usdt('slippage'),
    fees: usdt('fees'),
    funding: usdt('funding'),
    liquidationFees: usdt('liquidationFees'),
    traded: equity.traded.map((cash) => cash / pow10(digits.cash)),
  })
}

export function readEquity(bytes: Uint8Array, digits: Digits): EquityCurve {
  const { columns, rowCount } = decodeTable(equityTable(digits), bytes)
  const cash = (name: (typeof equityColumns)[number]) => Float64Array.from(columns[name], Number)
  return {
    rows: rowCount,
    tsMs: columns.tsMs,
    equity: cash('equity'),
    cash: cash('cash'),
    gross: cash('gross'),
    net: cash('net'),
    pricePnl: cash('pricePnl'),
    slippage: cash('slippage'),
    fees: cash('fees'),
    funding: cash('funding'),
    liquidationFees: cash('liquidationFees'),
    traded: columns.traded.map((usdt) => Math.round(usdt * pow10(digits.cash))),
  }
}

function fillRows({ fills, symbols, instruments }: BacktestResult, digits: Digits) {
  const qty = (units: Float64Array) =>
    BigInt64Array.from(units, (q, row) => BigInt(q) * power(digits.qty - instruments[fills.symbol[row]!]!.qtyDecimals))
  const px = (units: Float64Array) => ({
    values: BigInt64Array.from(units, (p, row) =>
      Number.isNaN(p) ? 0n : BigInt(p) * power(digits.px - instruments[fills.symbol[row]!]!.pxDecimals),
    ),
    valid: present(units),
  })
  const names = (codes: ArrayLike<number>, all: readonly string[]) => Array.from(codes, (code) => all[code]!)
  return makeTable(fillsTable(digits), {
    row: Int32Array.from({ length: fills.rows }, (_, row) => row),
    tsMs: fills.tsMs,
    symbol: names(fills.symbol, symbols),
    orderId: fills.orderId,
    kind: names(fills.kind, orderKinds),
    outcome: names(fills.outcome, outcomes),
    reason: names(fills.reason, reasons),
    flags: Int32Array.from(fills.flags),
    isMaker: fills.isMaker,
    decisionTsMs: fills.decisionTsMs,
    activeTsMs: fills.activeTsMs,
    barOpenTsMs: {
      values: fills.barOpenTsMs.map((ts) => (Number.isNaN(ts) ? 0 : ts)),
      valid: present(fills.barOpenTsMs),
    },
    wantedQty: qty(fills.wantedQty),
    qty: qty(fills.qty),
    positionQty: qty(fills.positionQty),
    limitPx: px(fills.limitPx),
    stopPx: px(fills.stopPx),
    referencePx: px(fills.referencePx),
    fillPx: px(fills.fillPx),
    fee: BigInt64Array.from(fills.fee, BigInt),
    slippage: BigInt64Array.from(fills.slippage, BigInt),
    volumeShare: fills.volumeShare,
  })
}

function readFills(
  bytes: Uint8Array,
  digits: Digits,
  { symbols, instruments }: Pick<BacktestResult, 'symbols' | 'instruments'>,
): BacktestResult['fills'] {
  const { columns, rowCount } = decodeTable(fillsTable(digits), bytes)
  const symbol = codes(columns.symbol, symbols)
  const qty = (values: BigInt64Array) =>
    Float64Array.from(values, (q, row) => Number(q / power(digits.qty - instruments[symbol[row]!]!.qtyDecimals)))
  const px = ({ values, valid }: { values: BigInt64Array; valid: Uint8Array }) =>
    Float64Array.from(values, (p, row) =>
      valid[row] === 1 ? Number(p / power(digits.px - instruments[symbol[row]!]!.pxDecimals)) : Number.NaN,
    )
  return {
    rows: rowCount,
    orderId: columns.orderId,
    symbol,
    kind: Uint8Array.from(codes(columns.kind, orderKinds)),
    outcome: Uint8Array.from(codes(columns.outcome, outcomes)),
    reason: Uint8Array.from(codes(columns.reason, reasons)),
    flags: Uint16Array.from(columns.flags),
    isMaker: columns.isMaker,
    decisionTsMs: columns.decisionTsMs,
    activeTsMs: columns.activeTsMs,
    tsMs: columns.tsMs,
    barOpenTsMs: columns.barOpenTsMs.values.map((ts, row) => (columns.barOpenTsMs.valid[row] === 1 ? ts : Number.NaN)),
    wantedQty: qty(columns.wantedQty),
    qty: qty(columns.qty),
    positionQty: qty(columns.positionQty),
    limitPx: px(columns.limitPx),
    stopPx: px(columns.stopPx),
    referencePx: px(columns.referencePx),
    fillPx: px(columns.fillPx),
    fee: Float64Array.from(columns.fee, Number),
    slippage: Float64Array.from(columns.slippage, Number),
    volumeShare: columns.volumeShare,
  }
}

/** Finer digits may need more than a double holds, so they are put on and taken off as big integers. */
const power = (decimals: number): bigint => BigInt(pow10(decimals))

const present = (values: Float64Array): Uint8Array => Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1))

function codes(names: readonly string[], all: readonly string[]): Int32Array {
  const codeOf = new Map(all.map((name, code) => [name, code]))
  return Int32Array.from(names, (name) => codeOf.get(name)!)
}
