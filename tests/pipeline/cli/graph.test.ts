import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layOut } from '../../../pipeline/cli/graph/layout.ts'
import { renderPage } from '../../../pipeline/cli/graph/page.ts'
import { type Picture, pictureOf } from '../../../pipeline/cli/graph/picture.ts'
import { renderSvg } from '../../../pipeline/cli/graph/svg.ts'
import { renderDot, renderMermaid } from '../../../pipeline/cli/graph/text.ts'
import { mixedPlan } from './plans.ts'

const picture = pictureOf('usdm', mixedPlan.nodes, 'auto')
const golden = (text: string, name: string) => expect(text).toMatchFileSnapshot(`../../golden/${name}`)

describe('a graph is drawn', () => {
  test('as Mermaid', () => golden(renderMermaid(picture), 'graph.mmd'))
  test('as DOT', () => golden(renderDot(picture), 'graph.dot'))
  test('as SVG', () => golden(renderSvg(picture), 'graph.svg'))
  test('as a page that loads nothing from elsewhere', () => {
    const page = renderPage(picture)
    expect(page).toContain('<svg')
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|src=|@import/)
  })
  test('with what a person typed kept as text', () => {
    const nasty = pictureOf('<&>', [{ ...mixedPlan.nodes[0]!, address: `x[<script>"'&\\]` }], 'auto')
    expect(renderPage(nasty)).not.toContain('<script>"')
    expect(renderSvg(nasty)).toContain('&lt;script&gt;&quot;&#39;&amp;')
    expect(renderDot(nasty)).toContain('\\"')
  })
})

describe('families', () => {
  test('collapse when wide, with the most telling state and a count of each', () => {
    const box = picture.boxes.find((candidate) => candidate.label.startsWith('klines'))
    expect(box).toMatchObject({ label: 'klines[…] × 8', note: '2 will run, 6 cached', state: 'will run', count: 8 })
    expect(picture.arrows.filter((arrow) => arrow.count === 8)).toHaveLength(2)
  })
  test('stay apart when told so', () => {
    expect(pictureOf('', mixedPlan.nodes, 'never').boxes).toHaveLength(mixedPlan.nodes.length)
  })
})

describe('the layout', () => {
  const randomPicture = fc
    .tuple(fc.integer({ min: 1, max: 40 }), fc.array(fc.tuple(fc.nat(1000), fc.nat(1000)), { maxLength: 80 }))
    .map(([count, pairs]): Picture => {
      const boxes = Array.from({ length: count }, (_, i) => ({
        id: `n${i}`,
        label: `box ${i}`,
        note: '',
        state: 'cached' as const,
        kind: 'pure' as const,
        count: 1,
      }))
      const arrows = pairs.flatMap(([a, b]) => {
        const [from, to] = [a % count, b % count].sort((x, y) => x - y) as [number, number]
        return from === to ? [] : [{ from: `n${from}`, to: `n${to}`, count: 1 }]
      })
      return { title: '', boxes, arrows }
    })

  test('puts every box below what it reads from, inside the page, over no other', () => {
    fc.assert(
      fc.property(randomPicture, (drawn) => {
        const { placed, width, height } = layOut(drawn)
        expect(placed.size).toBe(drawn.boxes.length)
        for (const { from, to } of drawn.arrows) expect(placed.get(to)!.y).toBeGreaterThan(placed.get(from)!.y)
        const all = [...placed.values()]
        for (const a of all) {
          expect(a.x).toBeGreaterThanOrEqual(0)
          expect(a.x + a.width).toBeLessThanOrEqual(width)
          expect(a.y + a.height).toBeLessThanOrEqual(height)
          for (const b of all)
            if (a !== b && a.y === b.y) expect(a.x + a.width <= b.x || b.x + b.width <= a.x).toBe(true)
        }
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  test('draws rings that collapsed families make', () => {
    const boxes = ['a', 'b', 'c'].map((id) => ({
      id,
      label: id,
      note: '',
      state: 'cached' as const,
      kind: 'pure' as const,
      count: 2,
    }))
    const arrows = [
      { from: 'a', to: 'b', count: 1 },
      { from: 'b', to: 'a', count: 1 },
      { from: 'b', to: 'c', count: 1 },
    ]
    expect(layOut({ title: '', boxes, arrows }).placed.size).toBe(3)
  })
})
