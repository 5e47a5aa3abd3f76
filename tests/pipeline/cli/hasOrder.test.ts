import { expect, test } from 'vitest'
import { hasOrder } from '../../../pipeline/cli/query/hasOrder.ts'

test.each([
  ['from fills order by all', true],
  ['FROM fills ORDER\n  BY 1 limit 3', true],
  ['select sum(a) over (order by b) from t', false],
  ['select * from (from t order by a)', false],
  ["select 'order by' from t -- order by a", false],
  ['select "order by" from t /* order by a */', false],
  ['create macro f(a) as a; from t order by a;', true],
  ['from t order by a; from t', false],
  ["select ';' from t order by a; -- that is all", true],
  ['select $$ order by $$', false],
  ['', false],
])('%j has an order of its own: %s', (sql, want) => {
  expect(hasOrder(sql)).toBe(want)
})
