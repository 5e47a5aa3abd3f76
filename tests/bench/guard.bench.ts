import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { rolldown } from 'rolldown'
import { executorRig } from '../pipeline/engine/executor/executorRig.ts'
import type { KernelTimes } from './guardWorker.ts'
import { type Bench, type Row, rounded } from './measure.ts'

/** What the wires cost where nothing touches them, and what a trivial job costs in all. */
export const bench: Bench = {
  name: 'guard',
  async run({ quick }) {
    return [...(await kernelRows(quick ? 15 : 100)), ...(await jobRows(quick ? 500 : 5000))]
  },
}

async function kernelRows(rounds: number): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'tickpipe-guard-bench-'))
  const build = await rolldown({ input: fileURLToPath(new URL('./guardWorker.ts', import.meta.url)), platform: 'node' })
  await build.write({ dir, format: 'esm', entryFileNames: 'guardWorker.mjs' })
  await build.close()
  const url = pathToFileURL(join(dir, 'guardWorker.mjs'))
  const [plain, guarded] = [false, true].map((guarded) => new Worker(url, { workerData: { guarded } }))
  const [[names]] = (await Promise.all([once(plain!, 'message'), once(guarded!, 'message')])) as [[string[]], unknown]

  const rows: Row[] = []
  const aroundMs: number[] = []
  for (const name of names) {
    // In turns, and the best of each: what else the machine does then meets both alike.
    let plainMs = Number.POSITIVE_INFINITY
    let armedMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < rounds; round++) {
      plainMs = Math.min(plainMs, (await timesOf(plain!, name)).kernelMs)
      const armed = await timesOf(guarded!, name)
      armedMs = Math.min(armedMs, armed.kernelMs)
      aroundMs.push(armed.aroundMs)
    }
    const bare = `${name}, no wires`
    rows.push({ name: bare, value: rounded(plainMs), unit: 'ms' })
    rows.push({
      name: `${name}, armed`,
      value: rounded(armedMs),
      unit: 'ms',
      ratioTo: bare,
      ratio: rounded(armedMs / plainMs),
    })
  }
  const medianMs = aroundMs.sort((a, b) => a - b)[aroundMs.length >>> 1]!
  const note = 'once for each node, beside a kernel that has just filled the caches'
  rows.push({ name: 'arming, and putting built-in objects back', value: rounded(medianMs * 1000), unit: 'µs', note })
  await Promise.all([plain!.terminate(), guarded!.terminate()])
  rmSync(dir, { recursive: true, force: true })
  return rows
}

async function timesOf(worker: Worker, kernel: string): Promise<KernelTimes> {
  worker.postMessage(kernel)
  const [times] = (await once(worker, 'message')) as [KernelTimes]
  return times
}

async function jobRows(jobs: number): Promise<Row[]> {
  const rig = await executorRig({ workers: 2 })
  const code = rig.task('return params.n')
  const batch = (from: number) =>
    Promise.all(Array.from({ length: jobs }, (_, n) => rig.run(code, { paramsJson: `{"n":${from + n}}` })))
  await batch(0)
  const startMs = performance.now()
  const cpuStart = process.cpuUsage()
  const results = await batch(jobs)
  const wallMs = performance.now() - startMs
  const { user, system } = process.cpuUsage(cpuStart)
  await rig.close()
  const inJobMs = results.reduce((sum, result) => sum + result.wallMs, 0)
  return [
    { name: 'trivial job, 2 threads', value: rounded((wallMs / jobs) * 1000), unit: 'µs', note: `${jobs} jobs` },
    { name: 'trivial job, CPU of all threads', value: rounded((user + system) / jobs), unit: 'µs' },
    {
      name: 'trivial job, inside its thread',
      value: rounded((inJobMs / jobs) * 1000),
      unit: 'µs',
      note: 'with staging its file',
    },
  ]
}
