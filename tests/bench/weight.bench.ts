import { downloadAtFullLimit } from '../lib/http/fullBudget.ts'
import { type Bench, type Row, rounded } from './measure.ts'

/** How much of the venue's limit downloads use when they may use all of it; the clock is pretended, the figure exact. */
export const bench: Bench = {
  name: 'weight',
  async run({ quick }) {
    const windows = quick ? 3 : 20
    const { weights, limit, refused } = await downloadAtFullLimit(windows)
    const whole = weights.slice(0, windows)
    const share = (weight: number) => rounded((100 * weight) / limit)
    const rows: Row[] = [
      { name: 'weight used, mean', value: share(whole.reduce((sum, w) => sum + w, 0) / whole.length), unit: '%' },
      { name: 'weight used, least of a minute', value: share(Math.min(...whole)), unit: '%' },
      { name: 'weight used, most of a minute', value: share(Math.max(...weights)), unit: '%' },
    ]
    return rows.map((row) => ({
      ...row,
      note: `${limit} a minute, ${windows} minutes, ${refused} requests refused`,
    }))
  },
}
