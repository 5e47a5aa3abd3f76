import { closeSync, fsync, fsyncSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../../cas/digest.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { type Measured, measured } from './measuredCommand.ts'
import { trivialProject } from './trivialProject.ts'

/** Trivial pure nodes executed cold with two workers and made durable, beside what nobody can do without. */
export const bench: Bench = {
  name: 'exec',
  async run({ quick }) {
    const sizes = quick ? [1000, 3000] : [1000, 10_000, 30_000]
    // Deleted only at the end: see `TrivialProject.newStore`.
    const bareDir = mkdtempSync(join(tmpdir(), 'tickpipe-bench-exec-'))
    const rows: Row[] = []
    const start = measured(process.execPath, ['-e', '0'], tmpdir(), process.env)
    rows.push({ name: 'node starts and ends', value: rounded(start.wallMs), unit: 'ms' })
    for (const count of sizes) {
      const name = `${count * 2} files written, flushed and renamed bare`
      const ms = await bareMs(join(bareDir, String(count)), count)
      rows.push({ name, value: rounded(ms), unit: 'ms', note: 'a value and a descriptor for each node' })
    }
    const project = await trivialProject()
    try {
      for (const count of sizes) {
        project.newStore()
        rows.push(...rowsOf(count, project.run(count, '--workers', '2')))
      }
    } finally {
      project.remove()
      rmSync(bareDir, { recursive: true })
    }
    return rows.map((row) => {
      const count = /^(\d+) nodes executed$/.exec(row.name)?.[1]
      if (count === undefined) return row
      const floor = rows.find(({ name }) => name.startsWith(`${Number(count) * 2} files`))!
      return { ...row, ratioTo: floor.name, ratio: rounded(row.value / floor.value) }
    })
  },
}

function rowsOf(count: number, { wallMs, cpuMs, peakRssMb }: Measured): Row[] {
  const note = `${(wallMs / 1000).toFixed(2)} s, ${peakRssMb} MB${count === 10_000 ? '; target 10 s' : ''}`
  return [
    { name: `${count} nodes executed`, value: rounded(wallMs), unit: 'ms', note },
    { name: `${count} nodes executed, each`, value: rounded((wallMs * 1000) / count), unit: 'µs/node' },
    { name: `${count} nodes executed, CPU of each`, value: rounded((cpuMs * 1000) / count), unit: 'µs/node' },
  ]
}

/** The same files under the same kind of names, in groups, with no graph, no keys and no records. */
async function bareMs(dir: string, count: number): Promise<number> {
  const startMs = performance.now()
  const groupFiles = 4096
  mkdirSync(join(dir, 'staging'), { recursive: true })
  const shards = new Set<string>()
  for (let from = 0; from < count * 2; from += groupFiles) {
    const flushes: Promise<void>[] = []
    for (let n = from; n < Math.min(from + groupFiles, count * 2); n++) {
      const text = n % 2 === 0 ? `${n}` : `{"files":[{"name":"value.json","sha256":"${digestOf(`${n}`)}"}],"n":${n}}`
      const digest = digestOf(text)
      const shard = digest.slice(0, 2)
      if (!shards.has(shard)) mkdirSync(join(dir, shard))
      shards.add(shard)
      const staged = join(dir, 'staging', String(n))
      const fd = openSync(staged, 'wx')
      writeSync(fd, text)
      flushes.push(
        new Promise((resolve, reject) => {
          fsync(fd, (error) => {
            closeSync(fd)
            renameSync(staged, join(dir, shard, digest.slice(2)))
            if (error) reject(error)
            else resolve()
          })
        }),
      )
      // The thread pool has four threads; more files open at once gain nothing.
      if (flushes.length % 32 === 0) await Promise.all(flushes)
    }
    await Promise.all(flushes)
    for (const shard of shards) flushFolder(join(dir, shard))
  }
  return performance.now() - startMs
}

function flushFolder(path: string): void {
  const fd = openSync(path, 'r')
  fsyncSync(fd)
  closeSync(fd)
}
