import { describe, expect, test } from 'vitest'
import { joinReports } from '../../../../lib/qa/joinReports.ts'
import { qualityDaysCsv, qualityFindingsCsv, qualityMasksCsv } from '../../../../lib/report/quality/csv.ts'
import { renderQuality } from '../../../../lib/report/quality/qualityPage.ts'
import { lengthText, worstText } from '../../../../lib/report/quality/words.ts'
import type { QaReport } from '../../../../lib/tables/qa.ts'
import { DAY_MS } from '../../../../lib/time.ts'
import { qualityStartMs, sampleQuality } from './sampleQuality.ts'

const sample = sampleQuality()
const page = renderQuality(sample)

describe('the page of data quality', () => {
  test('says in a sentence how much is ok and what orders were kept from', () => {
    expect(page).toContain('Of 120 symbol-days 100 are ok, 17 are tagged and 3 are quarantined.')
    expect(page).toContain('New orders are kept away for 3.0 symbol-hours')
    expect(page).toContain('The policy is quarantine: no new orders while it lasts')
  })

  test('tells a stretch that all symbols share once, with its exact ends', () => {
    expect(page.match(/2024-01-02 00:00<\/th><td>2024-01-02 01:00<\/td><td>1 h<\/td><td>outage<\/td>/g)).toHaveLength(1)
    expect(page).toContain('<td>AUSDT, BUSDT, CUSDT</td>')
    expect(page).toContain('<td>30.3 × usual</td>')
  })

  test('counts findings by kind: how many, where, and what they do', () => {
    const kinds = page.slice(page.indexOf('id="kinds"'), page.indexOf('id="findings"'))
    expect(kinds).toMatch(/outage<\/b>.*?keeps orders away<\/td><td>3<\/td><td>3<\/td><td>3<\/td><td>180</s)
    expect(kinds).toMatch(/returnOutlier<\/b>.*?tags only<\/td><td>17</s)
    expect(kinds.indexOf('outage')).toBeLessThan(kinds.indexOf('returnOutlier'))
  })

  test('is the same bytes for any order and any pieces of the reports', () => {
    const halves = sample.flatMap((one): QaReport[] => [
      { ...one, fromMs: one.fromMs + 20 * DAY_MS, days: one.days.slice(20), masks: [] },
      { ...one, toMs: one.fromMs + 20 * DAY_MS, days: one.days.slice(0, 20) },
    ])
    expect(renderQuality(halves)).toBe(page)
    expect(renderQuality(sample.toReversed())).toBe(page)
  })

  test('takes in nothing as markup, whatever a symbol is called', () => {
    const evil = `</script><img src=x onerror="hack()">'`
    const found = renderQuality(sampleQuality({ symbols: [evil, 'BUSDT'] }))
    expect(found).not.toContain('<img')
    expect(found.match(/<script/g)).toHaveLength(2)
    expect(qualityDaysCsv(joinReports(sampleQuality({ symbols: ['=1+1'] }))).split('\n')[1]).toMatch(/^"'=1\+1",/)
  })

  test('stays small: what is the same day after day is told once', () => {
    const large = renderQuality(
      sampleQuality({ symbols: Array.from({ length: 50 }, (_, i) => `S${i}USDT`), days: 365 }),
    )
    expect(large.length).toBeLessThan(1_000_000)
    expect(page.length).toBeLessThan(60_000)
  })

  test('where there are more stretches than can be read, it names the file that has all', () => {
    const many = sampleQuality({ days: 2000 })
    expect(renderQuality(many)).toMatch(/The 300 gravest of \d{3}; all of them are in <a href="qa-findings.csv">/)
  })

  test('of no symbols says so', () => {
    expect(renderQuality([])).toContain('There are no bars in the range')
  })
})

describe('the tables beside the page', () => {
  const quality = joinReports(sample)

  test('have every day, every finding and every mask, with exact instants', () => {
    const days = qualityDaysCsv(quality).trimEnd().split('\n')
    expect(days).toHaveLength(1 + 120)
    expect(days[2]).toBe(
      'AUSDT,2024-01-02,quarantined,2024-01-03T00:00:00.000Z,1440,1440,0,1,60,0,0,0,0,0,0,60,1000001,1',
    )
    expect(qualityFindingsCsv(quality)).toContain(
      'AUSDT,returnOutlier,2024-01-04T00:00:00.000Z,2024-01-04T00:01:00.000Z,2024-01-04T00:01:00.000Z,1,30.25\n',
    )
    expect(qualityMasksCsv(quality).split('\n')[1]).toBe(
      'AUSDT,quarantine,2024-01-02T00:01:00.000Z,2024-01-02T01:01:00.000Z,outage',
    )
    expect(quality[0]!.days[0]!.knownAtMs).toBe(qualityStartMs + DAY_MS)
  })
})

test('lengths and measures are in units people use', () => {
  expect([0, 39, 60, 1440, 13_856].map((minutes) => lengthText(minutes * 60_000))).toEqual([
    '0 min',
    '39 min',
    '1 h',
    '1 d',
    '9 d 14 h 56 min',
  ])
  expect(worstText({ kind: 'stale', worst: 43 * 60_000 })).toBe('43 min without a trade')
  expect(worstText({ kind: 'stale', worst: DAY_MS })).toBe('a day or more without a trade')
  expect(worstText({ kind: 'indexDeviation', worst: 0.0612 })).toBe('6.12% off')
  expect(worstText({ kind: 'gap' })).toBe('')
})
