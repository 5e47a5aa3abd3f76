import type { Digest } from '../../../cas/digest.ts'
import type { Plan, PlanNode, Reason, Verdict } from '../../../pipeline/engine/verdict.ts'

/** Fixed plans for renderers to show. */
const id = (nibble: string): Digest => nibble.repeat(64) as Digest

const node = (
  address: string,
  kind: PlanNode['kind'],
  inputs: string[],
  verdict: Verdict,
  estimate?: PlanNode['estimate'],
): PlanNode => ({
  address,
  task: address.split('[')[0]!,
  kind,
  inputs,
  verdict,
  ...(estimate === undefined ? {} : { estimate }),
})

const cached: Verdict = { kind: 'cached', artifact: id('a') }
const because = (...reasons: Reason[]): Verdict => ({ kind: 'will run', because: reasons })

const symbols = ['ADA', 'BNB', 'BTC', 'DOT', 'ETH', 'SOL', 'XRP', 'ZEC']

export const mixedPlan: Plan = {
  pipeline: 'usdm',
  targets: ['report'],
  asOfMs: Date.UTC(2024, 2, 1),
  snapshot: 'demo',
  nodes: [
    node('ticker', 'source', [], cached),
    node(
      'universe',
      'pure',
      ['ticker'],
      because({ kind: 'params', changes: [{ path: 'top', before: 5, after: 10 }] }),
      {
        p50Ms: 120,
        p90Ms: 180,
        bytes: 1000,
        requests: 0,
      },
    ),
    ...symbols.map((symbol, i) =>
      node(`klines[${symbol}]`, 'source', ['universe'], i < 6 ? cached : because({ kind: 'never built' }), {
        p50Ms: 1200,
        p90Ms: 3400,
        bytes: 1_200_000,
        requests: 12,
      }),
    ),
    node(
      'features',
      'pure',
      symbols.map((symbol) => `klines[${symbol}]`),
      because(
        {
          kind: 'code',
          changes: [
            {
              file: 'lib/stats/rolling.ts',
              symbol: 'rollingMean',
              change: 'changed',
              chain: ['tasks/features.ts', 'lib/stats/zscore.ts', 'lib/stats/rolling.ts'],
            },
          ],
        },
        { kind: 'input', port: 'klines', upstream: ['klines[XRP]'], before: id('b'), after: id('c') },
      ),
    ),
    node('backtest', 'pure', ['features'], { kind: 'may run', after: ['features'] }),
    node('labels', 'pure', ['universe'], { kind: 'unknown', until: ['universe'], lastCount: 40 }),
    node('book[BTC]', 'source', [], { kind: 'blocked', why: 'the frozen snapshot demo does not hold it' }),
    node('report', 'sink', ['backtest', 'book[BTC]'], because({ kind: 'always' })),
  ],
  estimate: { p50Ms: 4100, p90Ms: 9000, bytes: 2_401_000, requests: 24, nodesWithoutHistory: 2 },
}

export const cachedPlan: Plan = {
  ...mixedPlan,
  snapshot: undefined,
  estimate: undefined,
  nodes: [node('ticker', 'source', [], cached)],
}

/** Its graph grows from three lists of one node. */
export const growingPlan: Plan = {
  ...mixedPlan,
  nodes: [
    node('universe', 'pure', [], because({ kind: 'never built' })),
    ...['', '2', '3'].map((n) =>
      node(`universe.each${n}`, 'pure', ['universe'], {
        kind: 'unknown',
        until: ['universe'],
        forEach: 'universe',
        ...(n === '3' ? {} : { lastCount: 40 }),
      }),
    ),
  ],
}

export const everyReason: readonly Reason[] = [
  { kind: 'never built' },
  { kind: 'forced' },
  { kind: 'refresh' },
  { kind: 'recheck due' },
  { kind: 'code', changes: [] },
  { kind: 'code', changes: [{ file: 'tasks/a.ts', symbol: 'run', change: 'changed', chain: ['tasks/a.ts'] }] },
  { kind: 'version', before: 1, after: 2 },
  {
    kind: 'params',
    changes: [
      { path: 'window', before: undefined, after: 3 },
      { path: '', before: [1], after: { a: 'x'.repeat(80) } },
    ],
  },
  { kind: 'input', port: 'klines', upstream: ['klines[BTC]'], before: id('1'), after: id('2') },
  { kind: 'input', port: 'funding', upstream: [], after: id('2') },
  { kind: 'as of', beforeMs: 0, afterMs: 86_400_000 },
  { kind: 'evicted' },
  { kind: 'missing' },
  { kind: 'quarantined' },
  { kind: 'always' },
  { kind: 'upstream', after: ['a', 'b', 'c', 'd'] },
  { kind: 'upstream', after: [] },
  { kind: 'code', port: 'strategy', changes: [] },
  { kind: 'input', port: 'minutes', upstream: ['minute[A]', 'minute[B]', 'minute[C]'] },
  { kind: 'input', port: 'minutes', upstream: [] },
]
