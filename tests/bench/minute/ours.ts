import assert from 'node:assert/strict'
import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { FileSet } from '../../../lib/artifact.ts'
import { buildMinutes } from '../../../lib/minute/buildMinute.ts'
import { int64ToFloat64 } from '../../../lib/tables/columnChecks.ts'
import { openTable } from '../../../lib/tables/parquet.ts'
import { tradeTable } from '../../../lib/tables/trades.ts'
import { DAY_MS, MINUTE_MS } from '../../../lib/time.ts'
import { barFields } from './sameBars.ts'
import { tradesFromTsMs, tradesSymbol } from './tradeFile.ts'

/** What a process that made minutes of a file of trades has to say. */
export type MinuteRun = { readonly wallMs: number; readonly cpuMs: number; readonly peakRssMb: number }

type Part = { readonly path: string; readonly fromDay: number; readonly toDay: number }

const tradeColumns = ['tradeId', 'tsMs', 'price', 'qty', 'isBuyerMaker'] as const

function filesOf(path: string): { files: FileSet; close: () => void } {
  const file = openSync(path, 'r')
  const sizeBytes = fstatSync(file).size
  const files: FileSet = {
    names: ['table.parquet'],
    sizeBytes: () => sizeBytes,
    read: () => new Uint8Array(0),
    readAt: (_, offset, lengthBytes) => {
      const bytes = new Uint8Array(lengthBytes)
      for (let done = 0; done < lengthBytes; ) done += readSync(file, bytes, done, lengthBytes - done, offset + done)
      return bytes
    },
  }
  return { files, close: () => closeSync(file) }
}

/** The whole minute table of some days, as the task makes it; of it the columns that are compared, row by row. */
function minutesOf({ path, fromDay, toDay }: Part): Float64Array {
  const { files, close } = filesOf(path)
  const barsMost = (toDay - fromDay) * (DAY_MS / MINUTE_MS)
  const result = new Float64Array(barsMost * barFields.length)
  let bars = 0
  const options = {
    symbol: tradesSymbol,
    fromMs: tradesFromTsMs + fromDay * DAY_MS,
    toMs: tradesFromTsMs + toDay * DAY_MS,
    intervalMs: MINUTE_MS,
    klineMs: MINUTE_MS,
    priceMs: MINUTE_MS,
    barsFrom: 'trades',
    outageMs: 5 * MINUTE_MS,
    stalenessMaxMs: 5 * MINUTE_MS,
    indexDeviationMax: 0.05,
    openInterestMaxAgeMs: 15 * MINUTE_MS,
    fundingRule: { interest8h: 0.0001, clamp: 0.0005, cap: 0.02 },
  } as const
  for (const { rowCount, columns } of buildMinutes({ trades: [{ files }] }, options)) {
    barFields.forEach((name, field) => {
      const values = columns[name]
      assert.ok(ArrayBuffer.isView(values), 'sums of a minute fit 64 bits')
      const numbers = values instanceof BigInt64Array ? int64ToFloat64(values) : values
      for (let row = 0; row < rowCount; row++) result[(bars + row) * barFields.length + field] = numbers[row]!
    })
    bars += rowCount
  }
  close()
  return result.subarray(0, bars * barFields.length)
}

/** The floor: the same columns of every row group, decoded and let go. */
function decodeOnly({ path }: Part): Float64Array {
  const { files, close } = filesOf(path)
  const name = 'table.parquet'
  const reader = openTable(tradeTable, {
    sizeBytes: files.sizeBytes(name),
    readAt: (offset, length) => files.readAt(name, offset, length),
  })
  for (const group of reader.info.rowGroups.keys()) reader.read({ columns: tradeColumns, rowGroups: [group] })
  close()
  return new Float64Array(0)
}

function inThreads(path: string, days: number): Promise<Float64Array> {
  // Two halves of the range, each with its warm-up, as two partitions are two nodes in two workers.
  const middle = days >>> 1
  const parts = [
    { path, fromDay: 0, toDay: middle },
    { path, fromDay: middle, toDay: days },
  ]
  return Promise.all(
    workers.map(
      (worker, i) =>
        new Promise<Float64Array>((done, fail) => {
          worker.once('message', done).once('error', fail)
          worker.postMessage(parts[i])
        }),
    ),
  ).then((halves) => {
    const joined = new Float64Array(halves.reduce((sum, half) => sum + half.length, 0))
    joined.set(halves[0]!)
    joined.set(halves[1]!, halves[0]!.length)
    return joined
  })
}

const workers: Worker[] = []

if (isMainThread) {
  const [path, days, how, resultPath] = process.argv.slice(2) as [
    string,
    string,
    'minutes' | 'decode' | 'threads',
    string,
  ]
  const whole = { path, fromDay: 0, toDay: Number(days) }
  if (how === 'threads')
    for (let i = 0; i < 2; i++) workers.push(new Worker(new URL(import.meta.url), { workerData: {} }))
  const run = () =>
    how === 'threads' ? inThreads(path, Number(days)) : how === 'decode' ? decodeOnly(whole) : minutesOf(whole)
  // Whoever builds minutes in a pipeline has built others before: the first pass is not counted, for any tool.
  await run()
  const [startMs, before] = [performance.now(), process.cpuUsage()]
  const bars = await run()
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(before)
  writeFileSync(resultPath, new Uint8Array(bars.buffer, bars.byteOffset, bars.byteLength))
  const said: MinuteRun = {
    wallMs,
    cpuMs: (user + system) / 1000,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  }
  process.stdout.write(JSON.stringify(said))
  process.exit(0)
} else if (workerData !== null) {
  parentPort!.on('message', (part: Part) => parentPort!.postMessage(minutesOf(part)))
}
