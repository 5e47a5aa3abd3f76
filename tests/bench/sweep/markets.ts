import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../lib/time.ts'
import { momentum } from './momentum.ts'
import { reversion } from './reversion.ts'

/** The markets of the benchmark "sweep", and what is swept over them. */
export const sizes = {
  years: {
    says: '50 symbols, 3 years of hours, momentum decided daily',
    symbols: 50,
    bars: 1096 * 24,
    intervalMs: HOUR_MS,
    asked: { baseInterval: '1h', from: '2024-01-01', to: '2027-01-01' },
  },
  hourly: {
    says: '50 symbols, 3 years of hours, mean reversion decided hourly',
    symbols: 50,
    bars: 1096 * 24,
    intervalMs: HOUR_MS,
    asked: { baseInterval: '1h', from: '2024-01-01', to: '2027-01-01' },
  },
  minutes: {
    says: '16 symbols, 120 days of minutes, momentum decided daily',
    symbols: 16,
    bars: (120 * DAY_MS) / MINUTE_MS,
    intervalMs: MINUTE_MS,
    asked: { baseInterval: '1m', from: '2024-01-01', to: '2024-04-30' },
  },
} as const
export type SweepSize = keyof typeof sizes

export const strategyOf = (size: SweepSize) => (size === 'hourly' ? reversion : momentum)
