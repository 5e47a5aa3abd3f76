import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { openStagedWriter } from '../../../cas/staging.ts'
import type { FileSet } from '../../../lib/artifact.ts'
import { csvParser } from '../../../lib/csv/parser.ts'
import { startOver, type TableBatches } from '../../../lib/tables/batches.ts'
import { tableWriter } from '../../../lib/tables/parquetWriter.ts'
import { makeTable } from '../../../lib/tables/table.ts'
import { tradeCsv, tradeTable } from '../../../lib/tables/trades.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { openSingleFileZip } from '../../../lib/zip.ts'
import { ingestTrades } from '../../../tasks/ingest/trades/ingestTrades.ts'
import { archiveFromTsMs, archiveName, archiveSymbol } from './tradeArchive.ts'

type Step = { readonly wallMs: number; readonly cpuMs: number }

/** What a process that ingested a file has to say. */
export type OurIngest = {
  readonly rows: number
  readonly notes: string | undefined
  readonly sizeBytes: number
  readonly sha256: string
  readonly steps: { readonly ingest: Step; readonly unpack: Step; readonly parse: Step }
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

// The task of a partition as a worker runs it: batch by batch, each checked, staged and hashed while it is written.
const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-ingest-'))
try {
  const params = {
    symbol: archiveSymbol,
    partition: 'bench',
    fromTsMs: archiveFromTsMs,
    toTsMs: archiveFromTsMs + DAY_MS,
    policy: 'quarantine' as const,
  }
  const context = undefined as never
  const table = timed('ingest', () => {
    const staged = openStagedWriter(folder)
    const writer = tableWriter(tradeTable, (bytes) => staged.write(bytes))
    const batches = ingestTrades.run({ archive: { files, read: () => files } }, params, context) as TableBatches<
      typeof tradeTable.columns
    >
    let next = batches.next()
    for (; next.done !== true; next = batches.next()) {
      if (next.value === startOver) throw new Error('a clean file was taken for an unsound one')
      writer.append(makeTable(tradeTable, next.value.columns))
    }
    const { rowCount } = writer.finish(next.value)
    return { rowCount, notes: next.value, ...staged.finish() }
  })

  // The floor: unpacking the text, and reading its cells.
  timed('unpack', () => {
    for (const _ of openSingleFileZip(zipSource, archiveName).pieces());
  })
  timed('parse', () => {
    const parser = csvParser(tradeCsv, { file: archiveName, onBatch: () => {} })
    for (const piece of openSingleFileZip(zipSource, archiveName).pieces()) parser.push(piece)
    parser.finish()
  })
  process.stdout.write(
    JSON.stringify({
      rows: table?.rowCount,
      notes: table?.notes,
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
