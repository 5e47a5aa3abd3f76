import process from 'node:process'

/** One figure of a benchmark. */
export type Row = {
  name: string
  value: number
  unit: string
  note?: string
  /** The row this one is compared with, and value divided by that row's value. */
  ratioTo?: string
  ratio?: number
}

export type Bench = { name: string; run(options: { quick: boolean }): Promise<Row[]> }

/** The median wall time of a few runs after one that warms up. Everything is a promise, so that peers can be, too. */
export async function medianMs(runs: number, work: () => unknown): Promise<number> {
  await work()
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    await work()
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[runs >>> 1]!
}

/** The same with the processor time of this process, all threads of it, which other work lengthens less than the wall's. */
export async function medianTimes(runs: number, work: () => unknown): Promise<{ ms: number; cpuMs: number }> {
  await work()
  const times: { ms: number; cpuMs: number }[] = []
  for (let run = 0; run < runs; run++) {
    const [start, before] = [performance.now(), process.cpuUsage()]
    await work()
    const { user, system } = process.cpuUsage(before)
    times.push({ ms: performance.now() - start, cpuMs: (user + system) / 1000 })
  }
  const middle = (of: (time: { ms: number; cpuMs: number }) => number) =>
    times.map(of).sort((a, b) => a - b)[runs >>> 1]!
  return { ms: middle(({ ms }) => ms), cpuMs: middle(({ cpuMs }) => cpuMs) }
}

export const rounded = (value: number): number => Number(value.toPrecision(4))

/** Fills in how every row of the same unit compares with the named one. An absent peer has the value 0 and no ratio. */
export function comparedTo(name: string, rows: readonly Row[]): Row[] {
  const base = rows.find((row) => row.name === name)!
  return rows.map((row) =>
    row === base || row.unit !== base.unit || row.value === 0
      ? row
      : { ...row, ratioTo: name, ratio: rounded(row.value / base.value) },
  )
}
