import assert from 'node:assert'
import { textWidth } from '../textWidth.ts'
import type { Box, Picture } from './picture.ts'

export interface Placed {
  readonly box: Box
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

export interface Layout {
  readonly placed: ReadonlyMap<string, Placed>
  readonly width: number
  readonly height: number
}

const cellPx = 7.3 // of a 12 px monospace glyph, rounded up
const boxHeightPx = 44
const gapXPx = 28
const gapYPx = 52
const marginPx = 24
const sweeps = 8 // the order settles after a few; more change nothing

/** Boxes in layers from top to bottom, each below everything it reads from; within a layer ordered so that arrows cross
 *  little: each box moves to the mean place of its neighbours, down and up in turn. Ties keep the order given, so the
 *  same picture is always laid out the same. */
export function layOut(picture: Picture): Layout {
  const above = new Map<string, string[]>(picture.boxes.map((box) => [box.id, []]))
  const below = new Map<string, string[]>(picture.boxes.map((box) => [box.id, []]))
  for (const { from, to } of picture.arrows) {
    above.get(to)!.push(from)
    below.get(from)!.push(to)
  }
  const layers = layersOf(picture, above, below)
  const order = new Map<string, number>()
  const number = (layer: readonly Box[]): void => {
    for (const [i, box] of layer.entries()) order.set(box.id, i)
  }
  for (const layer of layers) number(layer)
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const downward = sweep % 2 === 0
    const neighbours = downward ? above : below
    for (const layer of downward ? layers : layers.toReversed()) {
      const wish = new Map(layer.map((box) => [box.id, meanOf(neighbours.get(box.id)!, order) ?? order.get(box.id)!]))
      layer.sort((a, b) => wish.get(a.id)! - wish.get(b.id)! || order.get(a.id)! - order.get(b.id)!)
      number(layer)
    }
  }

  const widthOf = (box: Box): number => Math.round(Math.max(textWidth(box.label), textWidth(box.note)) * cellPx + 28)
  const layerWidth = (layer: readonly Box[]): number =>
    layer.reduce((sum, box) => sum + widthOf(box), 0) + gapXPx * (layer.length - 1)
  const innerWidth = Math.max(160, ...layers.map(layerWidth))
  const placed = new Map<string, Placed>()
  layers.forEach((layer, depth) => {
    let x = Math.round(marginPx + (innerWidth - layerWidth(layer)) / 2)
    for (const box of layer) {
      const width = widthOf(box)
      placed.set(box.id, { box, x, y: marginPx + depth * (boxHeightPx + gapYPx), width, height: boxHeightPx })
      x += width + gapXPx
    }
  })
  return {
    placed,
    width: innerWidth + 2 * marginPx,
    height: 2 * marginPx + Math.max(1, layers.length) * (boxHeightPx + gapYPx) - gapYPx,
  }
}

/** A box lies one layer below the lowest it reads from. Collapsed families can make rings between boxes that the nodes
 *  do not have; an arrow that would close one is ignored here and still drawn. */
function layersOf(
  picture: Picture,
  above: ReadonlyMap<string, readonly string[]>,
  below: ReadonlyMap<string, readonly string[]>,
): Box[][] {
  const depth = new Map<string, number>()
  const waitsFor = new Map([...above].map(([id, inputs]) => [id, inputs.length]))
  const queue = picture.boxes.filter((box) => waitsFor.get(box.id) === 0).map((box) => box.id)
  const done = new Set<string>()
  while (done.size < picture.boxes.length) {
    if (queue.length === 0) {
      const ringed =
        picture.boxes.find((box) => !done.has(box.id) && depth.has(box.id)) ??
        picture.boxes.find((box) => !done.has(box.id))
      assert(ringed)
      queue.push(ringed.id)
    }
    const id = queue.shift()!
    if (done.has(id)) continue
    done.add(id)
    const here = depth.get(id) ?? 0
    depth.set(id, here)
    for (const next of below.get(id)!) {
      if (done.has(next)) continue
      depth.set(next, Math.max(depth.get(next) ?? 0, here + 1))
      waitsFor.set(next, waitsFor.get(next)! - 1)
      if (waitsFor.get(next) === 0) queue.push(next)
    }
  }
  const layers: Box[][] = []
  for (const box of picture.boxes) (layers[depth.get(box.id)!] ??= []).push(box)
  return layers.filter((layer) => layer !== undefined)
}

function meanOf(ids: readonly string[], order: ReadonlyMap<string, number>): number | undefined {
  if (ids.length === 0) return undefined
  let sum = 0
  for (const id of ids) sum += order.get(id)!
  return sum / ids.length
}
