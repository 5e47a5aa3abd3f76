import { ratio } from './format.ts'
import { type Html, html } from './html.ts'

/**
 * Which shade a number gets: one hue below zero, another above, the deeper the further away. Each side begins at its number
 * nearest to zero: where all of a sweep lost, from −5.2 to −4.8, its points are told apart all the same. Both sides end at the
 * same distance, so that a small gain never looks like a large loss.
 */
export interface HeatScale {
  /** The largest distance from zero. */
  readonly most: number
  /** Distances of the numbers nearest to zero; nothing where there are none on that side. */
  readonly below: number | undefined
  readonly above: number | undefined
}

/** Numbers that differ by less than this share of the largest stay close in shade: noise must not look like a landscape. */
const leastSpread = 0.1

export function heatScaleOf(values: readonly (number | null)[]): HeatScale {
  const below = distances(values, -1)
  const above = distances(values, 1)
  const most = [...below, ...above].reduce((all, distance) => Math.max(all, distance), 0)
  return { most, below: nearest(below), above: nearest(above) }
}

/** From zero on: where zero itself is what everything is measured against. */
export const heatFromZero = (most: number): HeatScale => ({ most, below: 0, above: 0 })

const distances = (values: readonly (number | null)[], sign: 1 | -1): number[] =>
  values.flatMap((value) => (value !== null && value * sign > 0 ? [value * sign] : []))

const nearest = (all: readonly number[]): number | undefined =>
  all.length === 0 ? undefined : all.reduce((least, distance) => Math.min(least, distance))

/** From 0, the faintest, to 1. */
export function shadeOf({ most, below, above }: HeatScale, value: number): number {
  const from = Math.min((value < 0 ? below : above) ?? 0, most * (1 - leastSpread))
  return most > from ? Math.min(1, Math.max(0, (Math.abs(value) - from) / (most - from))) : 1
}

/** How strong a cell is coloured: faint enough for the number on it, in both themes. */
export const heatOf = (scale: HeatScale, value: number): number =>
  Math.round((0.06 + 0.56 * shadeOf(scale, value)) * 100) / 100

const steps = 5

/** Shades with the numbers they stand for, from the lowest to the highest. */
export function heatLegend(scale: HeatScale, values: readonly (number | null)[], digits: number): Html {
  const below = stepsOf(distances(values, -1))
    .reverse()
    .map((distance) => -distance)
  const above = stepsOf(distances(values, 1))
  const swatch = (value: number): Html =>
    html`<i class="${value < 0 ? 'hot-down' : 'hot-up'}" style="--heat:${heatOf(scale, value)}">${ratio(value, digits)}</i>`
  const side = (all: readonly number[], says: string): Html =>
    all.length === 0 ? html`<span>nothing ${says} zero</span>` : html`<span>${says} zero ${all.map(swatch)}</span>`
  return html`<p class="note heat-legend">${side(below, 'below')} ${side(above, 'above')}</p>`
}

/** Evenly from the nearest to the furthest; one where they are the same. */
function stepsOf(all: readonly number[]): number[] {
  const least = nearest(all)
  if (least === undefined) return []
  const most = all.reduce((furthest, distance) => Math.max(furthest, distance))
  if (most === least) return [least]
  return Array.from({ length: steps }, (_, i) => least + ((most - least) * i) / (steps - 1))
}
