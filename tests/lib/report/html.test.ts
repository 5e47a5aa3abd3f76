import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Html, html, jsonElement, trusted } from '../../../lib/report/html.ts'

const markup = (value: Html): string => Html.markupOf(value)

describe('html', () => {
  test('escapes what could be read as markup, in text and in attributes', () => {
    expect(markup(html`<p title="${'"><i>'}">${`<script>alert('1') & co</script>`}</p>`)).toBe(
      '<p title="&quot;&gt;&lt;i&gt;">&lt;script&gt;alert(&#39;1&#39;) &amp; co&lt;/script&gt;</p>',
    )
  })

  test('joins lists, keeps what is markup already, and leaves nothing for nothing', () => {
    expect(markup(html`<ul>${['a', 'b'].map((x) => html`<li>${x}</li>`)}${undefined}${false}${0}</ul>`)).toBe(
      '<ul><li>a</li><li>b</li>0</ul>',
    )
    expect(markup(html`${trusted('<b>')}`)).toBe('<b>')
  })

  test('no text from data ever opens or closes anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const inside = markup(html`<p title="${text}">${text}</p>`)
        expect(inside.match(/[<>"]/g)).toEqual(['<', '"', '"', '>', '<', '>'])
      }),
    )
  })

  test('an object that only looks like markup is not taken for it', () => {
    const forged = Object.assign(Object.create({ toString: () => '<b>' }), { markup: '<b>' }) as unknown as string
    expect(() => markup(html`${forged}`)).toThrow()
  })
})

describe('jsonElement', () => {
  test('the element ends only where we end it, and the value comes back', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constant('</script><script>alert(1)'), fc.constant('<!--')), (text) => {
        const element = markup(jsonElement({ text }))
        expect(element.match(/</g)).toHaveLength(2)
        const inside = element.slice(element.indexOf('>') + 1, element.lastIndexOf('<'))
        expect(JSON.parse(inside)).toEqual({ text })
      }),
    )
  })
})
