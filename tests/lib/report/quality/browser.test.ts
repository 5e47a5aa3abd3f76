import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { renderQuality } from '../../../../lib/report/quality/qualityPage.ts'
import { BrowserPage, hasChromium } from '../chromium.ts'
import { sampleQuality } from './sampleQuality.ts'

const evil = `<img src=x onerror="window.hacked=1">'"`

test.skipIf(hasChromium)('SKIPPED: the page is not tried in a browser, because /usr/bin/chromium is not here', () => {})

describe.skipIf(!hasChromium)('the page of data quality in a browser', () => {
  let folder: string
  let page: BrowserPage
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tickpipe-quality-'))
    const path = join(folder, 'qa.html')
    writeFileSync(path, renderQuality(sampleQuality({ symbols: ['AUSDT', 'BUSDT', evil] })))
    url = pathToFileURL(path).href
    page = await BrowserPage.open()
  })
  afterAll(async () => {
    await page?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const text = (selector: string) => page.evaluate(`document.querySelector('${selector}').textContent`)
  const press = (...keys: string[]) =>
    page.evaluate(`for (const key of ${JSON.stringify(keys)})
      document.querySelector('.calendar').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }))`)

  for (const width of [1200, 390]) {
    test(`at ${width} pixels it asks for nothing, nothing goes wrong and nothing sticks out`, async () => {
      await page.show(url, { width, height: 844 })
      expect(page.requests()).toEqual([url])
      expect(page.complaints()).toEqual([])
      expect(await page.evaluate('window.hacked')).toBeUndefined()
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    })
  }

  test('tells of the day under the pointer: status, metrics, findings and masks', async () => {
    await page.show(url, { width: 1200, height: 900 })
    await page.evaluate(`{
      const lane = document.querySelectorAll('.lane')[1]
      const { left, width, top } = lane.getBoundingClientRect()
      lane.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: left + (1.5 / 40) * width, clientY: top + 3 }))
    }`)
    const told = await text('.told')
    expect(told).toContain('2024-01-02  AUSDT quarantined')
    expect(told).toContain('Outage60')
    expect(told).toContain('outage: 00:00 to 01:00, 60 bars')
    expect(told).toContain('no new orders from 00:01 to 01:01 (quarantine)')
  })

  test('is read with the arrow keys too, and stays inside', async () => {
    await page.show(url, { width: 1200, height: 900 })
    await press('ArrowDown')
    expect(await text('.told')).toContain(`2024-01-01  ${evil} ok`)
    await press('ArrowLeft', 'ArrowUp', 'End', 'ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowDown')
    expect(await text('.told b')).toBe('2024-02-09  BUSDT ')
  })

  test('lists the days of a symbol, all of them or those that are not ok', async () => {
    await page.show(url, { width: 1200, height: 900 })
    const rows = () => page.evaluate(`document.querySelectorAll('.day-rows tbody tr').length`)
    expect(await rows()).toBe(40)
    await page.evaluate(`document.querySelector('.choose input').click()`)
    expect(await rows()).toBe(7)
    await page.evaluate(`{
      const select = document.querySelector('.choose select')
      select.selectedIndex = 1
      select.dispatchEvent(new Event('change'))
    }`)
    expect(await text('.day-rows tbody tr th')).toBe('2024-01-02')
  })
})
