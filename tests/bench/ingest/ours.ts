import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { openStagedWriter } from '../../../cas/staging.ts'
import type { FileSet } from '../../../lib/artifact.ts'
import { csvParser } from '../../../lib/csv/parser.ts'
import { tableWriter } from '../../../lib/tables/parquetWriter.ts'
import { makeTable, type TableOf } from '../../../lib/tables/table.ts'
import { tradeCsv, tradeTable } from '../../../lib/tables/trades.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { openSingleFileZip } from '../../../lib/zip.ts'
import { auditTrades } from '../../../tasks/ingest/trades/auditTrades.ts'
import { ingestTrades } from '../../../tasks/ingest/trades/ingestTrades.ts'
import { archiveFromTsMs, archiveName, archiveSymbol } from './tradeArchive.ts'

type Step = { readonly wallMs: number; readonly cpuMs: number }

/** What a process that ingested a file has to say. */
export type OurIngest = {
  readonly rows: number
  readonly verdict: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly steps: { readonly unpack: Step; readonly parse: Step; readonly audit: Step; readonly ingest: Step }
  readonly peakRssMb: number
}

const path = process.argv[2]!
const parts = process.argv[3]!.split(',')
const fd = openSync(path, 'r')
const files: FileSet = {
  names: [archiveName],
  sizeBytes: () => fstatSync(fd).size,
  read: () => readFileSync(path),
  readAt: (_, offset, lengthBytes) => {
    const bytes = new Uint8Array(lengthBytes)
    for (let done = 0; done < lengthBytes; ) done += readSync(fd, bytes, done, lengthBytes - done, offset + done)
    return bytes
  },
}
const zipSource = {
  sizeBytes: files.sizeBytes(archiveName),
  readAt: (offset: number, length: number) => files.readAt(archiveName, offset, length),
}
const steps: Record<string, Step> = {}
const timed = <T>(step: keyof OurIngest['steps'], work: () => T): T | undefined => {
  if (!parts.includes(step)) return undefined
  const [startMs, before] = [performance.now(), process.cpuUsage()]
  const result = work()
  const { user, system } = process.cpuUsage(before)
  steps[step] = { wallMs: performance.now() - startMs, cpuMs: (user + system) / 1000 }
  return result
}

// The floor of both tasks: unpacking the text, and reading its cells.
timed('unpack', () => {
  for (const _ of openSingleFileZip(zipSource, archiveName).pieces());
})
timed('parse', () => {
  const parser = csvParser(tradeCsv, { file: archiveName, onBatch: () => {} })
  for (const piece of openSingleFileZip(zipSource, archiveName).pieces()) parser.push(piece)
  parser.finish()
})

// Both tasks of a partition as a worker runs them: batch by batch, each checked, staged and hashed while it is written.
const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-ingest-'))
try {
  const params = {
    symbol: archiveSymbol,
    partition: 'bench',
    fromTsMs: archiveFromTsMs,
    toTsMs: archiveFromTsMs + DAY_MS,
    policy: 'quarantine' as const,
  }
  const archive = { files, read: () => files }
  const context = undefined as never
  const report = timed('audit', () => auditTrades.run({ archive }, params, context)) as
    | { verdict: string; findings: never[] }
    | undefined
  const table = timed('ingest', () => {
    const staged = openStagedWriter(folder)
    const writer = tableWriter(tradeTable, (bytes) => staged.write(bytes))
    const audit = { findings: [], ...report } as never
    for (const batch of ingestTrades.run({ archive, audit }, params, context) as Iterable<TableOf<typeof tradeTable>>)
      writer.append(makeTable(tradeTable, batch.columns))
    const { rowCount } = writer.finish()
    return { rowCount, ...staged.finish() }
  })
  process.stdout.write(
    JSON.stringify({
      rows: table?.rowCount,
      verdict: report?.verdict,
      sizeBytes: table?.sizeBytes,
      sha256: table?.digest,
      steps,
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  )
} finally {
  closeSync(fd)
  rmSync(folder, { recursive: true })
}
