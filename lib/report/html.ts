/** Markup that may stand in a page. Only `html` and `trusted` make it, so that text from data cannot pass for it. */
export class Html {
  readonly #markup: string

  private constructor(markup: string) {
    this.#markup = markup
  }

  static of(markup: string): Html {
    return new Html(markup)
  }

  static markupOf(value: Html): string {
    return value.#markup
  }
}

/** What may be put into a template: text is escaped, lists are joined, and nothing is nothing. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[]

/** A template whose values are escaped. Attribute values must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = parts[0]!
  for (let i = 0; i < values.length; i++) markup += render(values[i]) + parts[i + 1]!
  return Html.of(markup)
}

/** Our own style sheet, script and shapes, which must not be escaped. Never for anything that came out of data. */
export const trusted = (markup: string): Html => Html.of(markup)

/** JSON for our script to read, which the browser does not run. The one character that could end the element is
 *  written as an escape. */
export const jsonElement = (value: unknown): Html =>
  Html.of(`<script type="application/json">${JSON.stringify(value).replaceAll('<', '\\u003c')}</script>`)

/** Our own script. (In a tagged template, a bundler rewrites the end of a script element by a helper of its own.) */
export const scriptElement = (code: string): Html => Html.of(`<script>${code}</script>`)

function render(value: HtmlValue): string {
  if (value instanceof Html) return Html.markupOf(value)
  if (value === undefined || value === false) return ''
  if (typeof value === 'object') return value.map(render).join('')
  return escapeText(String(value))
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => escapes[character]!)
