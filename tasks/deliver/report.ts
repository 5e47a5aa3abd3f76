import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { z } from 'zod'
import { decodeBacktest } from '../../lib/market/backtestFiles.ts'
import { backtestRun, metrics, report as reportArtifact } from '../../lib/market/backtestOutputs.ts'
import { universe } from '../../lib/market/universe.ts'
import { equityCsv, fillsCsv } from '../../lib/report/csv.ts'
import { pricesOf } from '../../lib/report/prices.ts'
import { renderReport } from '../../lib/report/reportPage.ts'
import { klines } from '../../lib/tables/klines.ts'
import { qa } from '../../lib/tables/qa.ts'
import { defineTask, many, optional } from '../../pipeline/engine/task.ts'

/** The page people look at, with fills and equity beside it: as CSV for a spreadsheet, as Parquet for everything else. */
export const report = defineTask({
  name: 'report',
  kind: 'pure',
  params: z.object({}),
  inputs: {
    run: backtestRun,
    metrics,
    benchmark: optional(backtestRun),
    /** The same run under other assumptions. */
    variants: optional(many(backtestRun)),
    klines: optional(many(klines)),
    universe: optional(universe),
    quality: optional(many(qa)),
  },
  output: reportArtifact,
  run: ({ run: files, metrics: numbers, benchmark, variants, klines: bars, universe: chosen, quality }) => {
    const run = decodeBacktest(files)
    const page = renderReport({
      run,
      metrics: numbers,
      benchmark: benchmark && decodeBacktest(benchmark),
      variants: (variants ?? []).map(decodeBacktest),
      prices: pricesOf(bars ?? []),
      members: chosen?.selection?.dates,
      hasSurvivorship: chosen?.selection?.hasSurvivorship,
      quality: quality ?? [],
      rejected: chosen?.rejected ?? [],
      files: [...files.names].sort().map((name) => {
        const bytes = files.read(name)
        return { name, sizeBytes: bytes.length, sha256: bytesToHex(sha256(bytes)) }
      }),
    })
    const text = (name: string, content: string) => ({ name, bytes: new TextEncoder().encode(content) })
    return [
      text('report.html', page),
      text('fills.csv', fillsCsv(run)),
      text('equity.csv', equityCsv(run)),
      { name: 'fills.parquet', bytes: files.read('fills.parquet') },
      { name: 'equity.parquet', bytes: files.read('equity.parquet') },
    ]
  },
})
