import process from 'node:process'
import { mapFeatures } from '../../../lib/features/evaluate.ts'
import { historyMs } from '../../../lib/features/feature.ts'
import { featureSet } from '../../../lib/features/featureSet.ts'
import type { Frame } from '../../../lib/features/frame.ts'
import { MINUTE_MS } from '../../../lib/time.ts'
import { randomFrame } from '../../lib/features/frames.ts'
import { Checksum, type FeatureRun, type KindRun, kinds, startTsMs, symbolData, timed } from './kinds.ts'

const [symbols, minutes] = process.argv.slice(2).map(Number) as [number, number]

const frameOf = (symbol: number, rows: number): Frame => {
  const { prices, knownAtMs, rate } = symbolData(symbol, rows)
  return {
    symbol: `S${String(symbol).padStart(3, '0')}`,
    intervalMs: MINUTE_MS,
    startTsMs,
    rows,
    columns: { close: prices },
    series: { funding: { knownAtMs, fields: { rate } } },
  }
}

function runKind({ name, column, isAcross }: (typeof kinds)[number]): KindRun {
  const features = [{ name, group: '', says: '', column }]
  const checksum = new Checksum()
  mapFeatures(features, isAcross ? allOf(10_000) : [frameOf(0, 50_000)], () => {})
  const frames = allOf(minutes)
  let summing = { cpuMs: 0, wallMs: 0 }
  const whole = timed(() => {
    mapFeatures(features, frames, (_, columns) => {
      const took = timed(() => checksum.add(columns[name]!))
      summing = { cpuMs: summing.cpuMs + took.cpuMs, wallMs: summing.wallMs + took.wallMs }
    })
  })
  return {
    cpuMs: whole.cpuMs - summing.cpuMs,
    wallMs: whole.wallMs - summing.wallMs,
    checksum: { sum: checksum.sum, count: checksum.count },
  }
}

const allOf = (rows: number): Frame[] => Array.from({ length: symbols }, (_, symbol) => frameOf(symbol, rows))

/** All columns that come with the program, month by month, each with the history it looks back on. */
function runSet(): FeatureRun['set'] {
  const warmupRows = Math.max(...featureSet.map(({ column }) => historyMs(column, MINUTE_MS))) / MINUTE_MS
  const monthRows = 43_200
  const frame = randomFrame(1, Math.ceil(warmupRows) + monthRows, 0)
  mapFeatures(featureSet, [frame], () => {})
  const months = Math.max(1, Math.floor((symbols * minutes) / monthRows / 10))
  const { cpuMs } = timed(() => {
    for (let month = 0; month < months; month++) mapFeatures(featureSet, [frame], () => {})
  })
  return { cpuMs, values: months * monthRows * featureSet.length, features: featureSet.length }
}

function floorCpuMs(): number {
  const { prices } = symbolData(0, minutes)
  const copy = () => {
    const target = new Float64Array(minutes)
    for (let i = 0; i < minutes; i++) target[i] = prices[i]!
  }
  copy()
  return timed(() => {
    for (let symbol = 0; symbol < symbols; symbol++) copy()
  }).cpuMs
}

const said: FeatureRun = {
  kinds: Object.fromEntries(kinds.map((kind) => [kind.name, runKind(kind)])),
  set: runSet(),
  floorCpuMs: floorCpuMs(),
  peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
}
process.stdout.write(JSON.stringify(said))
