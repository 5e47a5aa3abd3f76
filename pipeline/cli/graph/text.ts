import type { Picture } from './picture.ts'
import { stateColours } from './svg.ts'

/** For Markdown that draws Mermaid (GitHub, GitLab). */
export function renderMermaid(picture: Picture): string {
  const lines = ['flowchart TD']
  for (const box of picture.boxes) {
    const text = `"${mermaidText(box.label)}<br/>${mermaidText(box.note)}"`
    const [open, close] = box.kind === 'source' ? ['([', '])'] : box.kind === 'sink' ? ['[/', '/]'] : ['[', ']']
    lines.push(`  ${box.id}${open}${text}${close}:::${className(box.state)}`)
  }
  for (const { from, to, count } of picture.arrows) lines.push(`  ${from} ${count === 1 ? '-->' : '==>'} ${to}`)
  for (const [state, { fill, line }] of Object.entries(stateColours)) {
    lines.push(`  classDef ${className(state)} fill:${fill},stroke:${line},color:#202124`)
  }
  return `${lines.join('\n')}\n`
}

/** For Graphviz. */
export function renderDot(picture: Picture): string {
  const lines = [
    `digraph ${dotText(picture.title)} {`,
    '  rankdir=TB; node [shape=box, style=filled, fontname="monospace", fontsize=11]; edge [color="#5f6368"];',
  ]
  for (const box of picture.boxes) {
    const { fill, line } = stateColours[box.state]
    const style =
      box.kind === 'source' ? ', style="filled,rounded"' : box.kind === 'sink' ? ', style="filled,dashed"' : ''
    lines.push(
      `  ${box.id} [label=${dotText(`${box.label}\n${box.note}`)}, fillcolor="${fill}", color="${line}"${style}];`,
    )
  }
  for (const { from, to, count } of picture.arrows)
    lines.push(`  ${from} -> ${to}${count === 1 ? '' : ' [penwidth=2]'};`)
  return `${[...lines, '}'].join('\n')}\n`
}

const className = (state: string): string => state.replaceAll(' ', '-')
// Mermaid takes entities for what would end its quoted text.
const mermaidText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '#quot;').replaceAll('<', '&lt;')
const dotText = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
