import { parentPort, workerData } from 'node:worker_threads'
import { type Guard, installGuard } from '../../pipeline/engine/guard/guard.ts'

// A thread of the guard's benchmark: runs a kernel when told to, with the wires armed or in a thread that has none.

/** Of one run: the kernel, and what stands around it. */
export interface KernelTimes {
  readonly kernelMs: number
  readonly aroundMs: number
}

const { now } = performance
const clock = now.bind(performance)
const { guarded } = workerData as { guarded: boolean }
const guard: Guard | undefined = guarded ? installGuard(() => true) : undefined
const ignore = () => {}

const rowCount = 1_000_000
const source = Float64Array.from({ length: rowCount }, (_, i) => Math.sin(i) * 100)
const target = new Float64Array(rowCount)
const ticks = new BigInt64Array(rowCount)
const lines = Array.from({ length: 100_000 }, (_, i) => `${i},${i * 7},BTCUSDT,${i % 2 === 0}`)

const kernels: Readonly<Record<string, () => void>> = {
  'rolling mean of 1e6 values'() {
    const window = 50
    let sum = 0
    for (let i = 0; i < rowCount; i++) {
      sum += source[i]!
      if (i >= window) sum -= source[i - window]!
      target[i] = sum / window
    }
  },
  'length of lists, asked 1e6 times'() {
    let sum = 0
    for (let i = 0; i < rowCount; i++) sum += source.length + ticks.length
    target[0] = sum
  },
  'group 1e6 values in a Map'() {
    const sums = new Map<number, number>()
    for (let i = 0; i < rowCount; i++) sums.set(i % 1440, (sums.get(i % 1440) ?? 0) + source[i]!)
    target[0] = [...sums.values()].reduce((a, b) => a + b, 0)
  },
  'split 1e5 lines by regular expressions'() {
    let sum = 0
    for (const line of lines) sum += Number(/^\d+,(\d+)/.exec(line)![1]) + line.split(/,/).length
    target[0] = sum
  },
  'objects of 1e5 rows, sorted'() {
    const rows = lines.map((line, i) => ({ line, key: (i * 7919) % 100_003 }))
    target[0] = rows.sort((a, b) => a.key - b.key).filter(({ key }) => key % 3 === 0).length
  },
  'sum of 1e6 int64'() {
    let sum = 0n
    for (let i = 0; i < rowCount; i++) {
      ticks[i] = BigInt(i)
      sum += ticks[i]!
    }
    target[0] = Number(sum)
  },
  'text of 1e5 rows'() {
    let sum = 0
    for (const line of lines)
      sum += line.charCodeAt(1) + line.indexOf('B') + line.slice(2).length + line.split(',').length
    target[0] = sum
  },
  'JSON of 1e4 rows'() {
    let sum = 0
    for (let i = 0; i < 10_000; i++) sum += JSON.stringify(JSON.parse('{"a":[1,2,3],"b":{"c":"d"}}')).length
    target[0] = sum
  },
  'holes in 1e5 rows'() {
    const rows = new Array<number>(100_000)
    for (let i = 0; i < rows.length; i += 2) rows[i] = i
    let sum = 0
    for (let i = 0; i < rows.length; i++) sum += rows[i] ?? 1
    target[0] = sum
  },
  '1e5 dates from numbers'() {
    let sum = 0
    for (let i = 0; i < 100_000; i++) sum += new Date(i * 60_000).getUTCDate()
    target[0] = sum
  },
}

parentPort!.on('message', (name: string) => {
  const kernel = kernels[name]!
  const startMs = clock()
  guard?.begin(ignore, true)
  const beginMs = clock()
  kernel()
  const endMs = clock()
  guard?.end()
  const times: KernelTimes = { kernelMs: endMs - beginMs, aroundMs: beginMs - startMs + clock() - endMs }
  parentPort!.postMessage(times)
})
parentPort!.postMessage(Object.keys(kernels))
