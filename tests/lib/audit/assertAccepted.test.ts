import { describe, expect, test } from 'vitest'
import { assertAccepted } from '../../../lib/audit/assertAccepted.ts'
import { type Finding, policy } from '../../../lib/audit/finding.ts'
import { Fault } from '../../../lib/fault.ts'
import { parseUtc } from '../../../lib/time.ts'
import { datasetConfig } from '../../../pipeline/graphs/dataset.ts'
import { qa as qaTask } from '../../../tasks/minute/qa.ts'

const at = (text: string): number => parseUtc(text)!
const judged = { symbol: 'BTCUSDT', interval: '1m', fromTsMs: at('2026-03-01'), toTsMs: at('2026-04-01') }
const offGrid: Finding = {
  kind: 'offGrid',
  severity: 'FAIL',
  what: 'a bar opens at 12:00:07',
  file: 'BTCUSDT-1m-2026-03.zip/BTCUSDT-1m-2026-03.csv',
  line: 17,
  byteOffset: 2044,
  fromTsMs: at('2026-03-05T12:00:07'),
  toTsMs: at('2026-03-05T12:00:08'),
}
const gap: Finding = { kind: 'missingRows', severity: 'WARN', what: 'no rows' }

describe('the policy', () => {
  test('reject ends the run, and names the partition, the place, the stretch of time and what to do', () => {
    let fault: Fault | undefined
    try {
      assertAccepted([gap, offGrid, { ...offGrid, line: 18 }], { ...judged, policy: 'reject' })
    } catch (error) {
      fault = error as Fault
    }
    expect(fault).toBeInstanceOf(Fault)
    expect(fault!.what).toBe(
      'BTCUSDT 1m 2026-03-01T00:00:00.000Z to 2026-04-01T00:00:00.000Z is rejected. offGrid: a bar opens at 12:00:07 (line 17, byte 2044, 2026-03-05T12:00:07.000Z to 2026-03-05T12:00:08.000Z), and 1 more',
    )
    expect(fault!.where).toBe(offGrid.file)
    expect(fault!.todo).toContain('set "policy" to "quarantine" to leave such rows out')
    expect(fault!.details).toMatchObject({ findings: [offGrid, { line: 18 }] })
  })

  test('reject lets notable and statistical findings pass, and the other policies everything', () => {
    expect(() => assertAccepted([gap, { ...gap, kind: 'priceSpike' }], { ...judged, policy: 'reject' })).not.toThrow()
    for (const chosen of ['quarantine', 'tag'] as const) {
      expect(() => assertAccepted([offGrid], { ...judged, policy: chosen })).not.toThrow()
    }
  })

  test('is one enum, for raw rows as for minutes', () => {
    expect(qaTask.params.shape.policy.unwrap()).toBe(policy)
    expect(datasetConfig.shape.policy.unwrap()).toBe(policy)
  })
})
