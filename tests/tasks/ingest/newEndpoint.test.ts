import { expect, test } from 'vitest'
import { z } from 'zod'
import { filesArtifact, tableArtifact } from '../../../lib/artifact.ts'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { audit, reportOf } from '../../../lib/audit/finding.ts'
import { defineCsv } from '../../../lib/csv/layout.ts'
import { mergePieces } from '../../../lib/market/ingest/mergePieces.ts'
import { partitionParams } from '../../../lib/market/ingest/partitionParams.ts'
import { readPieces } from '../../../lib/market/ingest/readPiece.ts'
import { plannedSlices, sliceShape } from '../../../lib/market/plan/partitions.ts'
import { decimal, defineTable, tsMs } from '../../../lib/tables/schema.ts'
import type { Table } from '../../../lib/tables/table.ts'
import { parseUtc } from '../../../lib/time.ts'
import { askSlice } from '../../../lib/venues/askSlice.ts'
import { venueParams } from '../../../lib/venues/hosts.ts'
import { definePipeline } from '../../../pipeline/engine/graph.ts'
import { defineTask, many } from '../../../pipeline/engine/task.ts'
import { MemoryRun } from '../../support/memoryRun.ts'

// The steps of tasks/ingest/README.md for long/short ratios, which nothing is built in for.

const ratioTable = defineTable({
  name: 'longShortRatio',
  version: 1,
  columns: { tsMs: tsMs(), ratio: decimal(8), longShare: decimal(8), shortShare: decimal(8) },
  sortKey: ['tsMs'],
})
const longShortRatio = tableArtifact(ratioTable)
const rawRatio = filesArtifact('rawLongShortRatio')

const fetchRatioPage = defineTask({
  name: 'fetchRatioPage',
  kind: 'source',
  version: 1,
  params: z.object({ ...venueParams, symbol: z.string(), slice: sliceShape }),
  output: rawRatio,
  run: async (_, params, context) => {
    const page = await askSlice(
      params,
      params.slice,
      params.symbol,
      context,
      ({ symbol, fromTsMs, toTsMs, limit }) => ({
        host: 'usdm',
        path: `/futures/data/globalLongShortAccountRatio?symbol=${symbol}&period=1h&startTime=${fromTsMs}&endTime=${toTsMs}&limit=${limit}`,
        expects: 'json',
      }),
    )
    return page ?? { absent: true, reason: 'the venue does not know it' }
  },
})

const ratioCsv = defineCsv({
  schema: ratioTable,
  fields: [
    { header: 'timestamp', column: 'tsMs' },
    { header: 'longShortRatio', column: 'ratio' },
    { header: 'longAccount', column: 'longShare' },
    { header: 'shortAccount', column: 'shortShare' },
  ],
})
const ratiosOf = (raw: Parameters<typeof readPieces>[0], { fromTsMs, toTsMs, policy }: z.output<typeof params>) => {
  const pieces = readPieces(raw, {
    layout: ratioCsv,
    policy,
    jsonFields: ['timestamp', 'longShortRatio', 'longAccount', 'shortAccount'],
  })
  const merged = mergePieces(pieces, { schema: ratioTable, key: 'tsMs', time: 'tsMs', fromTsMs, toTsMs, policy })
  return { table: merged.table, findings: [...pieces.flatMap(({ findings }) => findings), ...merged.findings] }
}
const params = z.object(partitionParams)

const ingestRatio = defineTask({
  name: 'ingestRatio',
  kind: 'pure',
  params,
  inputs: { raw: many(rawRatio) },
  output: longShortRatio,
  run: ({ raw }, given) => {
    const { table, findings } = ratiosOf(raw, given)
    assertAccepted(findings, given)
    return table
  },
})
const auditRatio = defineTask({
  name: 'auditRatio',
  kind: 'pure',
  params,
  inputs: { raw: many(rawRatio) },
  output: audit,
  run: ({ raw }, given) => {
    const { table, findings } = ratiosOf(raw, given)
    return reportOf('longShortRatio', given.symbol, { rows: table.rowCount, findings })
  },
})

test('an endpoint that is not built in is a table, a source and two pure tasks', async () => {
  const span = { fromTsMs: parseUtc('2026-07-20')!, toTsMs: parseUtc('2026-07-22')! }
  const grid = { endpoint: '/futures/data/globalLongShortAccountRatio', version: 1, limit: 20 }
  const pipeline = definePipeline('ratios', z.object({}), (graph) => {
    const slices = plannedSlices(grid, 'BTCUSDT', '1h', span, span.toTsMs)
    const raw = slices.map((slice) =>
      graph.add(fetchRatioPage, { at: [slice.fromTsMs], params: { symbol: 'BTCUSDT', slice } }),
    )
    graph.target(
      'ratios',
      graph.add(ingestRatio, { params: { symbol: 'BTCUSDT', ...span, policy: 'reject' }, inputs: { raw } }),
      graph.add(auditRatio, { params: { symbol: 'BTCUSDT', ...span }, inputs: { raw } }),
    )
  })
  const run = new MemoryRun(pipeline, {}, span.toTsMs)
  await run.make('ratios')
  const table = run.of<Table>('ingestRatio').get('ingestRatio')!
  expect(table.rowCount).toBe(48)
  expect(run.of<{ verdict: string }>('auditRatio').get('auditRatio')).toMatchObject({ verdict: 'PASS', rows: 48 })
  expect(run.notes.filter(({ slice }) => slice !== undefined).length).toBe(run.of('fetchRatioPage').size)
})
