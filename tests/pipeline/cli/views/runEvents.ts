import type { Digest } from '../../../../cas/digest.ts'
import type { NodeFailure, RunEvent } from '../../../../pipeline/engine/event.ts'

/** Fixed events for views to show. */
export const digest = (nibble: string): Digest => nibble.repeat(64) as Digest

export const failure: NodeFailure = {
  code: 'failed',
  message: 'HTTP 400: unknown symbol BTCUSDX',
  stack: [
    'PermanentError: HTTP 400: unknown symbol BTCUSDX',
    '    at fetchKlines (/project/tasks/fetchKlines.ts:41:11)',
    '    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
  ].join('\n'),
  params: { symbol: 'BTCUSDX', month: '2024-01' },
  inputs: { universe: digest('a') },
  attempts: 3,
  logPath: '/root/runs/20240301-120005-1/log',
  rerun: "pipe run 'klines[BTCUSDX,2024-01]'",
}

export const started: RunEvent = {
  kind: 'run started',
  elapsedMs: 0,
  run: '20240301-120005-1',
  pipeline: 'usdm',
  targets: ['report'],
  asOfMs: Date.UTC(2024, 2, 1),
  snapshot: 'demo',
  logPath: '/root/runs/20240301-120005-1/log',
  slots: 2,
  limits: { binance: 2, local: 8 },
}

/** A run in which one of everything happens. */
export const story: readonly RunEvent[] = [
  started,
  { kind: 'graph grew', elapsedMs: 1, nodes: 12, unexpanded: 2 },
  { kind: 'progress expected', elapsedMs: 2, remainingMs: 30_000 },
  { kind: 'node cached', elapsedMs: 2, address: 'ticker', task: 'fetchTicker', artifact: digest('1') },
  { kind: 'node cached', elapsedMs: 2, address: 'universe', task: 'buildUniverse', artifact: digest('2') },
  { kind: 'node waiting', elapsedMs: 3, address: 'klines[ADAUSDT]', on: 'limit binance (2)' },
  { kind: 'node waiting', elapsedMs: 3, address: 'klines[XRPUSDT]', on: 'limit binance (2)' },
  {
    kind: 'node started',
    elapsedMs: 3,
    address: 'klines[BTCUSDT]',
    task: 'fetchKlines',
    taskKind: 'source',
    because: [{ kind: 'never built' }],
    expectedMs: 4000,
  },
  {
    kind: 'node started',
    elapsedMs: 4,
    address: 'klines[ETHUSDT]',
    task: 'fetchKlines',
    taskKind: 'source',
    because: [{ kind: 'refresh' }],
    group: 'binance',
  },
  { kind: 'node progress', elapsedMs: 900, address: 'klines[BTCUSDT]', bytes: 1_000_000, requests: 2 },
  {
    kind: 'node retried',
    elapsedMs: 1000,
    address: 'klines[ETHUSDT]',
    attempt: 1,
    error: 'HTTP 503\nbusy',
    waitMs: 500,
  },
  { kind: 'node progress', elapsedMs: 1200, address: 'klines[BTCUSDT]', bytes: 2_500_000, requests: 5 },
  { kind: 'node log', elapsedMs: 1250, address: 'klines[BTCUSDT]', line: 'month closed' },
  {
    kind: 'node done',
    elapsedMs: 1300,
    address: 'klines[BTCUSDT]',
    task: 'fetchKlines',
    artifact: digest('3'),
    wallMs: 1297,
    bytesOut: 2_500_000,
    unchanged: false,
  },
  { kind: 'node healed', elapsedMs: 1400, address: 'minute[BTCUSDT]', artifact: digest('4'), what: 'missing' },
  {
    kind: 'node started',
    elapsedMs: 1500,
    address: 'minute[BTCUSDT]',
    task: 'buildMinute',
    taskKind: 'pure',
    because: [{ kind: 'missing' }],
    expectedMs: 800,
  },
  {
    kind: 'node disputed',
    elapsedMs: 1600,
    address: 'features',
    key: digest('5'),
    first: digest('6'),
    second: digest('7'),
    difference: 'row 12, column ret',
  },
  { kind: 'warning', elapsedMs: 1700, message: 'the clock jumped back by 3 s' },
  { kind: 'node failed', elapsedMs: 1800, address: 'klines[BTCUSDX,2024-01]', task: 'fetchKlines', failure },
  { kind: 'node skipped', elapsedMs: 1810, address: 'minute[BTCUSDX]', after: 'klines[BTCUSDX,2024-01]' },
]

export const ending: readonly RunEvent[] = [
  {
    kind: 'node done',
    elapsedMs: 2500,
    address: 'klines[ETHUSDT]',
    task: 'fetchKlines',
    artifact: digest('8'),
    wallMs: 2496,
    bytesOut: 900,
    unchanged: true,
  },
  {
    kind: 'node done',
    elapsedMs: 2600,
    address: 'minute[BTCUSDT]',
    task: 'buildMinute',
    artifact: digest('4'),
    wallMs: 1100,
    bytesOut: 0,
    unchanged: false,
    absent: '404 at the venue',
  },
  { kind: 'stopping', elapsedMs: 2700, how: 'after running nodes' },
  { kind: 'snapshot pinned', elapsedMs: 2800, name: 'demo', id: digest('9') },
  {
    kind: 'run finished',
    elapsedMs: 2900,
    outcome: 'partial',
    manifest: digest('9'),
    counts: { total: 12, cached: 2, executed: 3, unchanged: 1, failed: 1, skipped: 1 },
  },
]
