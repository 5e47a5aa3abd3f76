import { describe, expect, test } from 'vitest'
import { reasonText } from '../../../pipeline/cli/reasonText.ts'
import { hasWork, planJson, renderPlan } from '../../../pipeline/cli/renderPlan.ts'
import { plainStyle } from '../../../pipeline/cli/style.ts'
import { cachedPlan, everyReason, growingPlan, mixedPlan } from './plans.ts'

const golden = (text: string, name: string) => expect(`${text}\n`).toMatchFileSnapshot(`../../golden/${name}.txt`)

describe('a plan in text', () => {
  test('groups nodes by what will happen to them', () =>
    golden(renderPlan(mixedPlan, { all: false, mostNodes: 20 }, plainStyle), 'plan'))
  test('shows the first of many, and all when asked', async () => {
    await golden(renderPlan(mixedPlan, { all: false, mostNodes: 2 }, plainStyle), 'plan-short')
    await golden(renderPlan(mixedPlan, { all: true, mostNodes: 2 }, plainStyle), 'plan-all')
  })
  test('names a list that is not known yet by what it is for, and says that the estimate leaves it out', () =>
    golden(renderPlan(growingPlan, { all: false, mostNodes: 20 }, plainStyle), 'plan-growing'))
  test('says when there is nothing to do', () =>
    golden(renderPlan(cachedPlan, { all: false, mostNodes: 20 }, plainStyle), 'plan-nothing'))
})

test('every reason has its own line', () => golden(everyReason.map(reasonText).join('\n'), 'reasons'))

test('a plan has work unless every node is cached', () => {
  expect(hasWork(mixedPlan)).toBe(true)
  expect(hasWork(cachedPlan)).toBe(false)
})

test('a plan in JSON counts its verdicts', () => {
  expect(planJson(mixedPlan)).toMatchObject({
    pipeline: 'usdm',
    hasWork: true,
    counts: { cached: 7, 'will run': 5, 'may run': 1, unknown: 1, blocked: 1 },
  })
})
