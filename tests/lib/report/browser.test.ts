import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { renderReport } from '../../../lib/report/reportPage.ts'
import { BrowserPage, hasChromium } from './chromium.ts'
import { sampleReport } from './sampleReport.ts'

const evil = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'"`
const wide = { width: 1200, height: 900 }
const phone = { width: 390, height: 844 }

test.skipIf(hasChromium)('SKIPPED: the page is not tried in a browser, because /usr/bin/chromium is not here', () => {})

describe.skipIf(!hasChromium)('the report page in a browser', () => {
  let folder: string
  let page: BrowserPage
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tickpipe-report-'))
    const path = join(folder, 'report.html')
    writeFileSync(path, renderReport(sampleReport({ isSwept: true })))
    url = pathToFileURL(path).href
    page = await BrowserPage.open()
  })
  afterAll(async () => {
    await page?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const text = (selector: string) => page.evaluate(`document.querySelector('${selector}').textContent`)
  const color = () => page.evaluate(`getComputedStyle(document.body).backgroundColor`)
  const prefer = (scheme: 'light' | 'dark', media = '') =>
    page.send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] })

  test('it asks for nothing but itself, and nothing goes wrong', async () => {
    await page.show(url, wide)
    expect(page.requests()).toEqual([url])
    expect(page.complaints()).toEqual([])
    expect(await page.evaluate(`document.querySelectorAll('.chart svg path.line').length`)).toBeGreaterThan(8)
  })

  test('every chart has lines inside its box', async () => {
    await page.show(url, wide)
    const outside = await page.evaluate(`[...document.querySelectorAll('svg path.line')].filter((path) => {
      const { x, y, width, height } = path.getBBox()
      return !(width > 0) || x < -1 || y < -1 || x + width > 1001 || y + height > 301
    }).length`)
    expect(outside).toBe(0)
  })

  for (const size of [wide, { width: 768, height: 1024 }, phone, { width: 320, height: 640 }]) {
    test(`at ${size.width} pixels nothing sticks out to the side`, async () => {
      await page.show(url, size)
      expect(await page.evaluate(`document.documentElement.scrollWidth`)).toBeLessThanOrEqual(size.width)
      const cut = await page.evaluate(`[...document.querySelectorAll('main *')].filter((element) =>
        !element.closest('.scroll, pre') && element.getBoundingClientRect().right > innerWidth + 1
      ).map((element) => element.outerHTML.slice(0, 80))`)
      expect(cut).toEqual([])
    })
  }

  test('the legend follows the pointer, writes values as the page does, and rests again', async () => {
    await page.show(url, wide)
    const legend = () => page.evaluate(`[...document.querySelectorAll('.chart .legend')].map((all) => all.textContent)`)
    const resting = (await legend()) as string[]
    await page.evaluate(`for (const box of document.querySelectorAll('.chart .box')) {
      const { right, top } = box.getBoundingClientRect()
      box.dispatchEvent(new PointerEvent('pointermove', { clientX: right, clientY: top + 5 }))
    }`)
    const atEnd = (await legend()) as string[]
    atEnd.forEach((shown, i) => {
      expect(shown.slice(0, resting[i]!.length)).toBe(resting[i]) // the last values, and when they were
      expect(shown.slice(resting[i]!.length)).toMatch(/^2024-04-\d\d/)
    })
    await page.evaluate(`for (const box of document.querySelectorAll('.chart .box'))
      box.dispatchEvent(new PointerEvent('pointerleave'))`)
    expect(await legend()).toEqual(resting)
  })

  test('a chart is read with the arrow keys too', async () => {
    await page.show(url, wide)
    const press = (key: string) =>
      page.evaluate(`document.querySelector('.chart').dispatchEvent(new KeyboardEvent('keydown', { key: '${key}' }))`)
    await press('Home')
    expect(await text('.chart .when')).toBe('2024-01-01')
    await press('ArrowRight')
    expect(await text('.chart .when')).toBe('2024-01-02')
  })

  test('it is light or dark as the reader prefers, until the button says otherwise; paper is light', async () => {
    await prefer('light')
    await page.show(url, wide)
    const light = await color()
    await prefer('dark')
    const dark = await color()
    expect(dark).not.toBe(light)
    const press = () => page.evaluate(`document.querySelector('.theme').click()`)
    await press()
    expect([await text('.theme'), await color()]).toEqual(['Theme: light', light])
    await press()
    await prefer('light')
    expect([await text('.theme'), await color()]).toEqual(['Theme: dark', dark])
    await prefer('dark', 'print')
    expect(await color()).toBe(light)
    await prefer('light')
    await page.evaluate('localStorage.clear()')
  })

  test('text stands out from its ground in both themes (at least 4.5 to 1)', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      await prefer(scheme)
      await page.show(url, wide)
      const faint = await page.evaluate(`(() => {
        const channels = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number)
        const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
        const under = (element) => {
          for (let at = element; at; at = at.parentElement) {
            const { backgroundColor } = getComputedStyle(at)
            if (!/, 0\\)|\\/ /.test(backgroundColor) && !backgroundColor.startsWith('rgba')) return channels(backgroundColor)
          }
        }
        return [...document.querySelectorAll('main *')].filter((element) =>
          element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
          .map((element) => {
            const [a, b] = [light(channels(getComputedStyle(element).color)), light(under(element))]
            return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.className + ' ' + element.textContent.slice(0, 30)]
          }).filter(([contrast]) => contrast < 4.5)
      })()`)
      expect(faint).toEqual([])
    }
  })

  test('numbers stand out from the shades below them too, faint or deep, in both themes', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      await prefer(scheme)
      await page.show(url, wide)
      const [shades, faint] = (await page.evaluate(`(() => {
        const channels = (color) => color.match(/[\\d.]+/g).map(Number)
        const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0)
        const paper = channels(getComputedStyle(document.body).backgroundColor)
        const cells = [...document.querySelectorAll('.hot-up, .hot-down')]
        const faint = cells.filter((cell) => {
          const { color, backgroundColor } = getComputedStyle(cell)
          const [r, g, b, alpha = 1] = channels(backgroundColor)
          const ground = [r, g, b].map((c, i) => c * alpha + paper[i] * (1 - alpha))
          const [a, z] = [light(channels(color).slice(0, 3)), light(ground)]
          return (Math.max(a, z) + 0.05) / (Math.min(a, z) + 0.05) < 4.5
        }).map((cell) => cell.outerHTML)
        return [new Set(cells.map((cell) => getComputedStyle(cell).backgroundColor)).size, faint]
      })()`)) as [number, string[]]
      expect(shades).toBeGreaterThan(5)
      expect(faint).toEqual([])
    }
  })

  test('without scripts it is whole', async () => {
    await page.send('Emulation.setScriptExecutionDisabled', { value: true })
    await page.show(url, wide)
    const { data } = (await page.send('Page.captureScreenshot', { format: 'png' })) as { data: string }
    await page.send('Emulation.setScriptExecutionDisabled', { value: false })
    expect(data.length).toBeGreaterThan(50_000)
    expect(await page.evaluate(`document.querySelector('.theme').hidden`)).toBe(true)
  })

  test('names from data run nothing', async () => {
    const path = join(folder, 'evil.html')
    writeFileSync(path, renderReport(sampleReport({ days: 40, symbol: evil, strategyName: evil })))
    await page.show(pathToFileURL(path).href, wide)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
    expect(await text('h1')).toBe(evil)
    expect(page.complaints()).toEqual([])
  })

  test('even a script that got into the page would not be run', async () => {
    const path = join(folder, 'injected.html')
    const injected =
      '<script>window.hacked = 1</script><img src="https://example.invalid/x.png" onerror="window.hacked = 2">'
    writeFileSync(
      path,
      renderReport(sampleReport({ days: 40 })).replace('<h2', () => `${injected}<h2`),
    )
    await page.show(pathToFileURL(path).href, wide)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
    expect(page.complaints().join()).toContain('Content Security Policy')
  })

  test('on paper no table reaches into its neighbour', async () => {
    await prefer('light', 'print')
    for (const width of [680, 740]) {
      await page.show(url, { width, height: 1000 })
      const over = await page.evaluate(`[...document.querySelectorAll('table')].filter((table) =>
        table.getBoundingClientRect().right > table.parentElement.getBoundingClientRect().right + 1
      ).map((table) => table.textContent.slice(0, 60))`)
      expect(over).toEqual([])
    }
    await prefer('light')
  })

  test('it prints on a few pages', async () => {
    await page.show(url, wide)
    const { data } = (await page.send('Page.printToPDF', { printBackground: true })) as { data: string }
    const pages = [
      ...Buffer.from(data, 'base64')
        .toString('latin1')
        .matchAll(/\/Type\s*\/Page\b/g),
    ].length
    expect(pages).toBeGreaterThan(3)
    expect(pages).toBeLessThan(13)
  })
})
