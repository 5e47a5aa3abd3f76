import { expect, test } from 'vitest'
import { downloadAtFullLimit } from './fullBudget.ts'

test('downloads at the documented limit use 95 % and more of every minute’s weight, and never go over it', async () => {
  const { weights, limit, refused } = await downloadAtFullLimit(2)
  expect(refused).toBe(0)
  expect(Math.max(...weights)).toBeLessThanOrEqual(limit)
  // The last window is the one in which there was nothing left to fetch.
  expect(weights.length).toBeGreaterThanOrEqual(2)
  for (const weight of weights.slice(0, 2)) expect(weight / limit).toBeGreaterThanOrEqual(0.95)
})
