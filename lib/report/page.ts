import { sha256 } from '@noble/hashes/sha2.js'
import { Html, html, scriptElement, trusted } from './html.ts'
import { pageStyle } from './pageStyle.ts'

/** A page that needs nothing but itself: its own policy forbids it the network, and the one script it lets run is told by
 *  its hash, so that nothing that got in by way of data could be executed. */
export function wholePage(page: {
  readonly title: string
  readonly heading: string
  readonly sub: string
  /** Id and name of each section. */
  readonly links: readonly (readonly [string, string])[]
  readonly sections: readonly (Html | undefined)[]
  readonly script: string
  /** Beside the style of all pages. */
  readonly style?: string
}): string {
  const { title, heading, sub, links, sections, script, style = '' } = page
  const all = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digestBase64(script)}'">
<title>${title}</title>
<style>${trusted(pageStyle + style)}</style>
</head>
<body><main>
<header class="top"><div><h1>${heading}</h1>
<p class="sub">${sub}</p></div>
<button class="theme" type="button" hidden>Theme</button></header>
<nav aria-label="Sections">${links.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav>
${sections.map((section) => section !== undefined && html`${section}\n`)}</main>
${scriptElement(script)}
</body>
</html>
`
  return Html.markupOf(all)
}

const digestBase64 = (text: string): string => btoa(String.fromCharCode(...sha256(new TextEncoder().encode(text))))
