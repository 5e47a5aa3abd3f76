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
