import { dayOf } from '../time.ts'
import { ratio } from './format.ts'
import { type Html, html } from './html.ts'
import { boxHeight, boxWidth, linePath, type Scale, thinned, xOf, yOf } from './shape.ts'
import type { PriceSeries } from './view.ts'

interface ShownFill {
  readonly tsMs: number
  readonly px: number
  readonly isBuy: boolean
  /** Held after it. */
  readonly positionQty: number
}

const pointsMax = 500

/** A small picture of one symbol: its price, what was held, and each fill at its own price. */
export function priceChart(chart: {
  series: PriceSeries
  fromMs: number
  toMs: number
  fills: readonly ShownFill[]
  note: Html
}): Html {
  const { series, fromMs, toMs, fills, note } = chart
  const inRange = Array.from(series.tsMs.keys()).filter((i) => series.tsMs[i]! >= fromMs && series.tsMs[i]! <= toMs)
  const rows = thinned(inRange.length, pointsMax).map((k) => inRange[k]!)
  const close = rows.map((row) => series.close[row]!)
  if (rows.length < 2) return html``
  const seen = [...close, ...fills.map(({ px }) => px)]
  const low = seen.reduce((a, b) => Math.min(a, b))
  const high = seen.reduce((a, b) => Math.max(a, b))
  const room = (high - low) * 0.04 || high * 0.01
  const scale: Scale = { fromMs, toMs, low: low - room, high: high + room }

  return html`<figure class="multiple"><figcaption><b>${series.symbol}</b><span>${note}</span></figcaption>
<div class="box"><svg viewBox="0 0 ${boxWidth} ${boxHeight}" preserveAspectRatio="none" role="img" aria-label="Price of ${series.symbol} with ${fills.length} fills">
<path class="long" d="${heldPath(scale, fills, 1)}"/><path class="short" d="${heldPath(scale, fills, -1)}"/>
<path class="line price" d="${linePath(
    scale,
    rows.map((row) => series.tsMs[row]!),
    close,
  )}"/>
<path class="dot buy" d="${dots(scale, fills, true)}"/><path class="dot sell" d="${dots(scale, fills, false)}"/></svg></div>
<div class="ends"><span>${dayOf(fromMs)}</span><span>${priceText(low)} to ${priceText(high)}</span><span>${dayOf(toMs)}</span></div></figure>`
}

/** Full-height blocks over the times with a position of this side. */
function heldPath(scale: Scale, fills: readonly ShownFill[], side: 1 | -1): string {
  let path = ''
  let since: number | undefined
  const close = (untilMs: number) => {
    if (since !== undefined) path += `M${xOf(scale, since)} 0H${xOf(scale, untilMs)}V${boxHeight}H${xOf(scale, since)}Z`
    since = undefined
  }
  for (const { tsMs, positionQty } of fills) {
    const isHeld = positionQty * side > 0
    if (isHeld && since === undefined) since = tsMs
    if (!isHeld) close(tsMs)
  }
  close(scale.toMs)
  return path
}

/** Lines of no length with round ends: dots that stay round however the box is stretched. */
function dots(scale: Scale, fills: readonly ShownFill[], isBuy: boolean): string {
  return fills
    .filter((fill) => fill.isBuy === isBuy)
    .map(({ tsMs, px }) => `M${xOf(scale, tsMs)} ${yOf(scale, px)}h0`)
    .join('')
}

/** Five digits or so, whatever a coin costs. */
function priceText(price: number): string {
  let digits = 0
  for (let size = price; size < 1000 && digits < 8; size *= 10) digits++
  return ratio(price, digits)
}
