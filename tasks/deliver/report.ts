import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { z } from 'zod'
import { tableArtifact } from '../../lib/artifact.ts'
import { durationMs } from '../../lib/backtest/duration.ts'
import { decodeBacktest } from '../../lib/market/runs/backtestFiles.ts'
import { backtestRun, metrics, report as reportArtifact } from '../../lib/market/runs/backtestOutputs.ts'
import { universe } from '../../lib/market/universe/universe.ts'
import { equityCsv, fillsCsv, positionsCsv, sweepCsv, walkForwardCsv } from '../../lib/report/csv.ts'
import { HeldRanges } from '../../lib/report/heldRanges.ts'
import { positionsOf } from '../../lib/report/positions.ts'
import { hourlyCloses, priceTable } from '../../lib/report/prices.ts'
import { renderReport } from '../../lib/report/reportPage.ts'
import { sweepSummary, walkForward as walkForwardArtifact } from '../../lib/sweep/outputs.ts'
import { replay as replayArtifact } from '../../lib/tables/events.ts'
import { qa } from '../../lib/tables/qa.ts'
import { defineTask, many, optional, stored } from '../../pipeline/engine/task.ts'

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
    /** Prices to draw trades on, and to tell how far positions went. */
    minutes: optional(many(stored(tableArtifact(priceTable)))),
    universe: optional(universe),
    quality: optional(many(qa)),
    sweep: optional(sweepSummary),
    walkForward: optional(walkForwardArtifact),
    replay: optional(replayArtifact),
  },
  output: reportArtifact,
  run: ({ run: files, metrics: numbers, universe: chosen, ...given }) => {
    const { benchmark, sweep, walkForward, replay } = given
    const run = decodeBacktest(files)
    const barMs = durationMs(run.request.interval)
    const held = new HeldRanges(run, barMs)
    const prices = hourlyCloses(given.minutes ?? [], barMs, (bars) => held.see(bars))
    const positions = positionsOf(run, prices, held)
    const page = renderReport({
      run,
      metrics: numbers,
      benchmark: benchmark && decodeBacktest(benchmark),
      variants: (given.variants ?? []).map(decodeBacktest),
      sweep,
      walkForward,
      replay,
      prices,
      positions,
      members: chosen?.selection?.dates,
      hasSurvivorship: chosen?.selection?.hasSurvivorship,
      quality: given.quality ?? [],
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
      text('positions.csv', positionsCsv(positions)),
      { name: 'fills.parquet', bytes: files.read('fills.parquet') },
      { name: 'equity.parquet', bytes: files.read('equity.parquet') },
      ...(sweep === undefined ? [] : [text('sweep.csv', sweepCsv(sweep))]),
      ...(walkForward === undefined ? [] : [text('walkForward.csv', walkForwardCsv(walkForward))]),
    ]
  },
})
