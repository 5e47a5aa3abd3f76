import { describe, expect, test } from 'vitest'
import type { Digest } from '../../../cas/digest.ts'
import { Fault } from '../../../lib/fault.ts'
import { diffTables } from '../../../lib/tables/diff.ts'
import { encodeTable } from '../../../lib/tables/parquet.ts'
import { defineTable, f64, tsMs, utf8 } from '../../../lib/tables/schema.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { renderGc } from '../../../pipeline/cli/gc.ts'
import { renderInit } from '../../../pipeline/cli/init.ts'
import { renderFamilies, renderNodes } from '../../../pipeline/cli/ls.ts'
import { renderChecks } from '../../../pipeline/cli/renderChecks.ts'
import { type ArtifactDiff, renderDiff } from '../../../pipeline/cli/renderDiff.ts'
import { renderFault } from '../../../pipeline/cli/renderFault.ts'
import { renderVerify } from '../../../pipeline/cli/renderVerify.ts'
import { renderWhy, whyOf } from '../../../pipeline/cli/renderWhy.ts'
import { renderDisputes } from '../../../pipeline/cli/resolve.ts'
import { renderRuns } from '../../../pipeline/cli/runs.ts'
import { renderShown, type Shown } from '../../../pipeline/cli/show.ts'
import { renderSnapshot, renderSnapshots } from '../../../pipeline/cli/snapshotNames.ts'
import type { RunSummary } from '../../../pipeline/cli/storedRuns.ts'
import { ansiStyle, plainStyle } from '../../../pipeline/cli/style.ts'
import { previewTable, renderPreview } from '../../../pipeline/cli/tablePreview.ts'
import { renderReasons } from '../../../pipeline/cli/whyAlive.ts'
import type { ManifestDiff } from '../../../snapshots/diff.ts'
import type { VerifyReport } from '../../../snapshots/verifyReport.ts'
import { mixedPlan } from './plans.ts'

/** What every command prints, from fixed values. */
const id = (nibble: string): Digest => nibble.repeat(64) as Digest
const nowMs = Date.UTC(2024, 2, 1, 12)
const golden = (name: string, text: () => string) =>
  test(name, async () => {
    expect(text()).not.toContain('\x1b')
    await expect(`${text()}\n`).toMatchFileSnapshot(`../../golden/${name}.txt`)
  })

describe('printed text', () => {
  golden('ls', () => renderNodes(mixedPlan.nodes, plainStyle))
  golden('ls-families', () => renderFamilies(mixedPlan.nodes, plainStyle))

  const features = mixedPlan.nodes.find((node) => node.address === 'features')!
  const stored = { key: id('5'), artifact: id('6'), recordedAtMs: Date.UTC(2024, 1, 1) }
  golden('why-will-run', () => renderWhy(whyOf(mixedPlan, features, undefined), plainStyle))
  golden('why-may-run', () =>
    renderWhy(
      whyOf(mixedPlan, { ...features, verdict: { kind: 'may run', after: ['klines[XRP]'] } }, stored),
      plainStyle,
    ),
  )
  golden('why-one-of-several', () =>
    renderWhy(
      whyOf(mixedPlan, features, undefined, ['features[a]', 'features[b]', 'features[c]', 'features[d]']),
      plainStyle,
    ),
  )
  golden('why-cached', () => renderWhy(whyOf(mixedPlan, mixedPlan.nodes[0]!, stored), plainStyle))

  const run: RunSummary = {
    run: '20240301-115900-abcd',
    pipeline: 'usdm',
    targets: ['report', 'minute', 'features', 'qa'],
    asOfMs: Date.UTC(2024, 2, 1),
    startedMs: nowMs - 60_000,
    wallMs: 12_345,
    outcome: 'ok',
    counts: { total: 1200, cached: 1000, executed: 200, unchanged: 3, failed: 0, skipped: 0 },
    manifestId: id('9'),
    snapshot: 'demo',
    commandLine: ['run'],
  }
  const unfinished: RunSummary = {
    ...run,
    run: '20240229-080000-wxyz',
    startedMs: nowMs - 100_000_000,
    outcome: 'unfinished',
    counts: null,
    manifestId: null,
    snapshot: null,
    targets: ['report'],
  }
  golden('runs', () => renderRuns([run, unfinished], nowMs, plainStyle))
  golden('runs-none', () => renderRuns([], nowMs, plainStyle))

  const shown: Shown = {
    label: 'run 20240301-115900-abcd',
    address: 'features',
    task: 'features',
    kind: 'pure',
    key: id('5'),
    code: { run: id('1'), ports: { strategy: id('2') } },
    params: { window: 5 },
    inputs: { klines: { list: id('3') }, funding: id('4'), extra: null },
    artifact: id('6'),
    type: 'features',
    presence: 'evicted',
    disputed: true,
    files: [{ name: 'table.parquet', sha256: id('7'), sizeBytes: 1_234_567, rows: 100_000 }],
    records: [
      { artifact: id('6'), recordedAtMs: nowMs, wallMs: 1234, attempts: null, runtime: 'v20.20.2' },
      { artifact: id('8'), recordedAtMs: nowMs + 1000, wallMs: null, attempts: 3, runtime: null },
    ],
  }
  golden('show', () => renderShown(shown, plainStyle))
  golden('show-source-without-files', () =>
    renderShown(
      {
        ...shown,
        kind: 'source',
        code: { version: 2 },
        inputs: {},
        files: [],
        records: [],
        disputed: false,
        presence: 'present',
        type: 'tickpipe.absent',
      },
      plainStyle,
    ),
  )

  const schema = defineTable({
    name: 'klines',
    version: 2,
    columns: { tsMs: tsMs(), symbol: utf8(), close: f64({ unit: 'USDT' }) },
    sortKey: ['tsMs'],
  })
  const rows = (count: number, shift = 0) =>
    makeTable(schema, {
      tsMs: Float64Array.from({ length: count }, (_, i) => Date.UTC(2024, 0, 1) + i * 60_000),
      symbol: Array.from({ length: count }, () => 'BTC'),
      close: Float64Array.from({ length: count }, (_, i) => (i === 3 ? Number.NaN : 100 + i + (i > 4 ? shift : 0))),
    })
  const preview = (mostRows: number, columns: string[] = []) => {
    const bytes = encodeTable(rows(10))
    const file = {
      sizeBytes: bytes.length,
      readAt: (offset: number, length: number) => bytes.subarray(offset, offset + length),
    }
    return renderPreview(previewTable(file, { mostRows, columns }), plainStyle)
  }
  golden('cat-table', () => preview(5))
  golden('cat-whole-table', () => preview(0, ['close']))
  test('cat-table refuses an unknown column and names the near one', () =>
    expect(() => preview(5, ['clos'])).toThrow(/no column "clos"; did you mean "close"/))

  const found: ManifestDiff = {
    ids: { a: id('a'), b: id('b') },
    same: false,
    config: [{ path: 'window', before: 5, after: 6 }],
    asOf: { aMs: Date.UTC(2024, 0, 1), bMs: Date.UTC(2024, 1, 1) },
    targets: [],
    onlyInA: ['old'],
    onlyInB: Array.from({ length: 14 }, (_, i) => `klines[S${i}]`),
    changed: [
      {
        address: 'features',
        task: 'features',
        causes: [
          { kind: 'params', changes: [{ path: 'window', before: 5, after: 6 }] },
          { kind: 'code', before: id('1'), after: id('2') },
          { kind: 'input', port: 'klines', before: { list: id('3') }, after: { list: id('4') } },
        ],
        artifacts: { a: id('5'), b: id('6') },
        bytesChanged: true,
        root: true,
        after: [],
      },
      {
        address: 'ticker',
        task: 'ticker',
        causes: [{ kind: 'source bytes' }],
        artifacts: { a: id('5'), b: id('6') },
        bytesChanged: true,
        root: true,
        after: [],
      },
      {
        address: 'qa',
        task: 'qa',
        causes: [{ kind: 'version', before: 1, after: 2 }],
        artifacts: { a: id('5'), b: id('5') },
        bytesChanged: false,
        root: true,
        after: [],
      },
      {
        address: 'report',
        task: 'report',
        causes: [],
        artifacts: { a: id('7'), b: id('8') },
        bytesChanged: true,
        root: false,
        after: ['features', 'qa', 'ticker'],
      },
    ],
    unchangedNodes: 1000,
  }
  const contents: ArtifactDiff[] = [
    { address: 'features', file: 'table.parquet', kind: 'table', table: diffTables(rows(10), rows(12, 0.5)) },
    { address: 'metrics', file: 'value.json', kind: 'json', changes: [{ path: 'sharpe', before: 1.1, after: 1.3 }] },
    { address: 'report', file: 'report.html', kind: 'bytes', firstOffset: 1234, sizeBytesA: 9000, sizeBytesB: 9100 },
    { address: 'report', file: 'extra.csv', kind: 'only in B', sizeBytes: 77 },
    { address: 'ticker', file: '', kind: 'not here', why: 'its bytes were evicted or are missing' },
  ]
  golden('diff', () => renderDiff({ a: 'snapshot demo', b: 'run last' }, found, contents, { all: false }, plainStyle))
  golden('diff-same', () =>
    renderDiff(
      { a: 'snapshot demo', b: 'run last' },
      { ...found, same: true, ids: { a: id('a'), b: id('a') } },
      [],
      { all: false },
      plainStyle,
    ),
  )

  golden('doctor', () =>
    renderChecks(
      [
        { name: 'node', state: 'ok', says: 'v20.20.2' },
        {
          name: 'disk',
          state: 'warn',
          says: 'only 1.00 GiB free',
          todo: '"pipe gc --dry-run" shows what the store can give back',
        },
        { name: 'snapshots', state: 'fail', code: 'corrupt', says: 'damaged: demo', todo: 'see "pipe verify demo"' },
      ],
      plainStyle,
    ),
  )

  const listed = {
    pipeline: 'usdm',
    targets: ['report'],
    asOfMs: Date.UTC(2024, 2, 1),
    nodes: 1234,
    origin: 'pinned',
    trusted: true,
    damage: null,
  }
  golden('snapshot-ls', () =>
    renderSnapshots(
      [
        { name: 'demo', id: id('a'), ...listed },
        { name: 'theirs', id: id('b'), ...listed, origin: 'imported', trusted: false },
        {
          name: 'torn',
          id: null,
          pipeline: null,
          targets: [],
          asOfMs: null,
          nodes: null,
          origin: null,
          trusted: false,
          damage: 'its manifest is not JSON',
        },
      ],
      plainStyle,
    ),
  )
  golden('snapshot-ls-none', () => renderSnapshots([], plainStyle))
  golden('snapshot-show', () =>
    renderSnapshot(
      {
        name: 'demo',
        id: id('a'),
        manifest: {
          format: 1,
          pipeline: 'usdm',
          targets: [
            { name: 'minute', addresses: ['minute[A]', 'minute[B]'] },
            { name: 'report', addresses: ['report'] },
          ],
          config: { window: 5, symbols: Array.from({ length: 40 }, (_, i) => `COIN${i}USDT`), strategy: { name: 'a' } },
          asOfMs: Date.UTC(2024, 2, 1),
          nodes: [
            {
              address: 'report',
              task: 'report',
              kind: 'pure',
              code: { run: id('1') },
              params: {},
              inputs: {},
              artifact: id('2'),
            },
            {
              address: 'ticker',
              task: 'ticker',
              kind: 'source',
              code: { version: 1 },
              params: {},
              inputs: {},
              artifact: id('3'),
            },
          ],
        },
        origin: { origin: 'imported', trusted: false },
      },
      '/root/snapshots/demo',
      plainStyle,
    ),
  )

  const gcPlan = {
    options: { roots: [], graceMs: 0, nowMs },
    collect: [{ digest: id('1'), sizeBytes: 5_000_000, mtimeMs: 0 }],
    collectedBytes: 5_000_000,
    evicted: [id('2')],
    evictedForSize: [id('2')],
    emptied: [],
    emptiedBytes: 2048,
    putBack: [],
    restored: [],
    oldEpochs: [],
    keptObjects: 1234,
    keptBytes: 9_000_000_000,
    youngBytes: 1_000_000,
    overBudgetBytes: 0,
    missingRoots: [{ label: 'snapshot demo', digest: id('9') }],
  }
  golden('gc-dry-run', () =>
    renderGc(
      gcPlan,
      undefined,
      { ids: ['20240101-000000-abcd', '20240102-000000-abcd'], sizeBytes: 5_000_000 },
      plainStyle,
    ),
  )
  golden('gc', () =>
    renderGc(
      gcPlan,
      {
        collectedObjects: 3,
        collectedBytes: 4_000_000,
        emptiedBytes: 0,
        restoredObjects: 2,
        sparedObjects: 1,
        sweptStagingFolders: 0,
      },
      { ids: [], sizeBytes: 0 },
      plainStyle,
    ),
  )

  golden('why-alive', () =>
    renderReasons(
      id('1'),
      true,
      [{ label: 'snapshot demo', through: id('2') }, { label: 'run a' }, { label: 'run a' }],
      plainStyle,
    ),
  )
  golden('why-alive-nothing', () => renderReasons(id('1'), false, [], plainStyle))

  const report: VerifyReport = {
    level: 'objects',
    snapshot: '',
    id: undefined,
    findings: [
      {
        severity: 'error',
        kind: 'damaged',
        digest: id('1'),
        what: 'objects/11/1…: its 5 bytes hash to 222222222222; moved to quarantine',
        todo: 'run your targets again: what can be made again is',
      },
    ],
    counts: { total: 1000, checked: 50, notSampled: 950, resumed: 10, evicted: 3 },
    interrupted: false,
  }
  const rebuilt: VerifyReport = {
    ...report,
    level: 'rebuild',
    snapshot: 'demo',
    findings: [
      {
        severity: 'error',
        kind: 'differs',
        node: 'features',
        what: 'table.parquet: row 3 (tsMs=…), column close: 1 became 2',
      },
      { severity: 'info', kind: 'changed', node: 'report', what: 'its code changed' },
    ],
  }
  golden('verify', () => renderVerify([report, rebuilt], 'corrupt', plainStyle))
  golden('verify-ok', () => renderVerify([{ ...report, findings: [] }], 'ok', plainStyle))
  golden('verify-interrupted', () =>
    renderVerify([{ ...report, findings: [], interrupted: true }], 'interrupted', plainStyle),
  )

  const results = [
    { artifact: id('1'), recordedAtMs: nowMs, runtime: 'v20.20.2' },
    { artifact: id('2'), recordedAtMs: nowMs + 5000, runtime: 'v24.21.0' },
  ]
  golden('resolve', () =>
    renderDisputes([{ key: id('5'), address: 'klines[BTC]', task: 'klines', serving: id('1'), results }], plainStyle),
  )
  golden('resolve-none', () => renderDisputes([], plainStyle))

  golden('init', () =>
    renderInit('/home/me/research', '/home/me', ['pipe.config.ts', 'strategies/busiest.ts'], ['package.json'], false),
  )
  golden('init-tasks', () => renderInit('/home/me/pipe', '/home/me/pipe', ['pipe.config.ts'], [], true))
  golden('fault', () =>
    renderFault(
      new Fault({
        code: 'corrupt',
        what: 'two lines\nof what happened',
        where: 'klines[BTC]',
        todo: 'run "pipe verify"',
      }),
      plainStyle,
    ),
  )
})

test('colour changes no letter', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with a control character
  const bare = (text: string): string => text.replace(/\x1b\[[0-9;]*m/g, '')
  expect(bare(renderNodes(mixedPlan.nodes, ansiStyle))).toBe(renderNodes(mixedPlan.nodes, plainStyle))
  expect(renderNodes(mixedPlan.nodes, ansiStyle)).toContain('\x1b[')
})
