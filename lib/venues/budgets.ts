import type { BudgetPool } from '../http/budget.ts'

const MINUTE_MS = 60_000

/** The venue's limits, per address, as it documents them. */
export const usdmWeight: BudgetPool = { name: 'usdm weight', limit: 2400, windowMs: MINUTE_MS }
export const fundingRequests: BudgetPool = { name: 'funding requests', limit: 500, windowMs: 5 * MINUTE_MS }
export const statisticsRequests: BudgetPool = { name: 'statistics requests', limit: 1000, windowMs: 5 * MINUTE_MS }
export const spotWeight: BudgetPool = { name: 'spot weight', limit: 6000, windowMs: MINUTE_MS }
