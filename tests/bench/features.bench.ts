import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { childOf } from './childOf.ts'
import { type FeatureRun, kinds } from './features/kinds.ts'
import { type Bench, type Row, rounded } from './measure.ts'
import { polarsIn } from './polarsIn.ts'

/** Every kind of column over minutes of many symbols, and the whole set as the task makes it, a symbol's month at a time;
 *  beside Polars on the same numbers where it has such a column. One thread each, the results compared. */
export const bench: Bench = {
  name: 'features',
  async run({ quick }) {
    const [symbols, minutes] = quick ? [4, 131_400] : [50, 525_600]
    const folder = mkdtempSync(join(tmpdir(), 'tickpipe-bench-features-'))
    try {
      const size = [String(symbols), String(minutes)]
      const polars = polarsIn(folder)
      const ours = childOf<FeatureRun>('./features/ours.ts', size)
      const theirs =
        polars === undefined
          ? undefined
          : childOf<FeatureRun>('./features/peer.ts', [...size, polars], { POLARS_MAX_THREADS: '1' })
      const unit = 'M values/s of processor'
      const values = symbols * minutes
      const rateOf = (cpuMs: number) => rounded(values / cpuMs / 1000)
      const rows: Row[] = []
      for (const { name } of kinds) {
        const own = ours.kinds[name]!
        rows.push({ name, value: rateOf(own.cpuMs), unit, note: `${rateOf(own.wallMs)} M values/s of wall time` })
        const other = theirs?.kinds[name]
        if (other === undefined) {
          const why = theirs === undefined ? 'absent: npm has it not' : 'it has no such column'
          rows.push({ name: `${name}, Polars`, value: 0, unit, note: why })
          continue
        }
        const value = rateOf(other.cpuMs)
        const note = sameNote(name, own.checksum, other.checksum)
        rows.push({
          name: `${name}, Polars`,
          value,
          unit,
          note,
          ratioTo: name,
          ratio: rounded(value / rateOf(own.cpuMs)),
        })
      }
      const { set } = ours
      const note = `${set.features} columns, a symbol's month at a time with its warm-up`
      rows.push({ name: 'the feature set', value: rounded(set.values / set.cpuMs / 1000), unit, note })
      rows.push({ name: 'floor: each value copied', value: rateOf(ours.floorCpuMs), unit })
      rows.push({
        name: 'peak memory, tickpipe',
        value: ours.peakRssMb,
        unit: 'MB',
        note: `${symbols} symbols in turns`,
      })
      if (theirs !== undefined) rows.push({ name: 'peak memory, Polars', value: theirs.peakRssMb, unit: 'MB' })
      return rows
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

/** Sums of all values: orders of addition differ between tools, and so do last digits. */
const apartMax = 1e-6

function sameNote(name: string, ours: { sum: number; count: number }, theirs: { sum: number; count: number }): string {
  if (ours.count !== theirs.count) throw new Error(`${name}: ${ours.count} values here, ${theirs.count} by Polars`)
  const apart = Math.abs(ours.sum - theirs.sum) / Math.max(1, Math.abs(ours.sum))
  if (!(apart <= apartMax)) throw new Error(`${name}: the values sum to ${ours.sum} here, to ${theirs.sum} by Polars`)
  return `the same ${ours.count.toLocaleString('en-US')} values`
}
