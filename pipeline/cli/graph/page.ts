import type { Picture } from './picture.ts'
import { escapeXml, renderSvg } from './svg.ts'

/** The picture as one page that needs nothing else: a search box fades what does not match, the picture scrolls. */
export function renderPage(picture: Picture): string {
  const boxes = picture.boxes.length
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(picture.title)}</title>
<style>
body { margin: 0; font: 14px/1.4 system-ui, sans-serif; color: #202124; background: #ffffff }
header { position: sticky; top: 0; left: 0; display: flex; gap: 1rem; align-items: center; padding: .6rem 1rem; background: #ffffff; border-bottom: 1px solid #dadce0 }
h1 { font-size: 1rem; margin: 0 }
input { font: inherit; padding: .2rem .5rem; border: 1px solid #9aa0a6; border-radius: 4px }
main { overflow: auto }
.faded { opacity: .15 }
</style>
</head>
<body>
<header><h1>${escapeXml(picture.title)}</h1><label>find <input id="find" type="search" placeholder="address or state"></label><span id="count">${boxes} boxes</span></header>
<main>
${renderSvg(picture)}</main>
<script>
const boxes = [...document.querySelectorAll('.box')]
document.getElementById('find').addEventListener('input', ({ target }) => {
  const wanted = target.value.toLowerCase()
  let shown = 0
  for (const box of boxes) {
    const matches = box.textContent.toLowerCase().includes(wanted)
    box.classList.toggle('faded', !matches)
    if (matches) shown++
  }
  document.getElementById('count').textContent = shown + ' of ' + boxes.length + ' boxes'
})
</script>
</body>
</html>
`
}
