import type { Verdict } from '../../engine/verdict.ts'
import { type Layout, layOut, type Placed } from './layout.ts'
import type { Picture } from './picture.ts'

export interface Colours {
  readonly fill: string
  readonly line: string
}

/** Told apart by lightness too, so that a grey print and colour-blind eyes still see the states. */
export const stateColours: Readonly<Record<Verdict['kind'], Colours>> = {
  cached: { fill: '#e6f4ea', line: '#2e7d32' },
  'will run': { fill: '#cfe3fb', line: '#1558b0' },
  'may run': { fill: '#fff3cd', line: '#a97800' },
  unknown: { fill: '#f1f3f4', line: '#80868b' },
  blocked: { fill: '#fbd4d0', line: '#b3261e' },
}

/** A self-contained picture: no font, script or style from elsewhere. */
export function renderSvg(picture: Picture): string {
  const layout = layOut(picture)
  const states = [...new Set(picture.boxes.map((box) => box.state))]
  const legendHeight = 40
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${layout.height + legendHeight}" width="${layout.width}" height="${layout.height + legendHeight}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">`,
    `<title>${escapeXml(picture.title)}</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#5f6368"/></marker></defs>',
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...picture.arrows.map((arrow) => arrowSvg(layout, arrow)),
    ...[...layout.placed.values()].map(boxSvg),
    ...states.map((state, i) => legendSvg(state, 24 + i * 110, layout.height + 14)),
    '</svg>',
  ]
  return `${lines.join('\n')}\n`
}

function arrowSvg(layout: Layout, { from, to, count }: { from: string; to: string; count: number }): string {
  const a = layout.placed.get(from)!
  const b = layout.placed.get(to)!
  const x1 = a.x + a.width / 2
  const x2 = b.x + b.width / 2
  const y1 = a.y + a.height
  const y2 = b.y
  const bend = Math.max(24, (y2 - y1) / 2)
  const says = count === 1 ? '' : `<title>${count} edges</title>`
  return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}" fill="none" stroke="#5f6368" stroke-width="${count === 1 ? 1 : 2}" marker-end="url(#tip)">${says}</path>`
}

function boxSvg({ box, x, y, width, height }: Placed): string {
  const { fill, line } = stateColours[box.state]
  // Sources are round, sinks are cut off by a dash: what touches the world is seen at once.
  const shape = `rx="${box.kind === 'source' ? 18 : 4}"${box.kind === 'sink' ? ' stroke-dasharray="5 3"' : ''}`
  const shadow =
    box.count === 1
      ? ''
      : `<rect x="${x + 5}" y="${y - 5}" width="${width}" height="${height}" ${shape} fill="${fill}" stroke="${line}"/>`
  return [
    `<g class="box" data-state="${box.state}"><title>${escapeXml(`${box.label}: ${box.note}`)}</title>${shadow}`,
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" ${shape} fill="${fill}" stroke="${line}"/>`,
    `<text x="${x + width / 2}" y="${y + 18}" text-anchor="middle" font-weight="600" fill="#202124">${escapeXml(box.label)}</text>`,
    `<text x="${x + width / 2}" y="${y + 34}" text-anchor="middle" fill="#3c4043">${escapeXml(box.note)}</text></g>`,
  ].join('')
}

function legendSvg(state: Verdict['kind'], x: number, y: number): string {
  const { fill, line } = stateColours[state]
  return `<rect x="${x}" y="${y}" width="14" height="14" fill="${fill}" stroke="${line}"/><text x="${x + 20}" y="${y + 11}" fill="#3c4043">${state}</text>`
}

export const escapeXml = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
