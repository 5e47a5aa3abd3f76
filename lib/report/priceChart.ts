import { dayOf } from '../time.ts'
import { usdt } from './format.ts'
import { type Html, html } from './html.ts'
import { boxHeight, boxWidth, linePath, type Scale, thinned, xOf, yOf } from './shape.ts'
import { heldSpans, spanPath } from './spans.ts'
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
  const size = fills.length > 150 ? 'small' : ''
  const room = (high - low) * 0.04 || high * 0.01
  const scale: Scale = { fromMs, toMs, low: low - room, high: high + room }

  const [bought, sold] = [dots(scale, fills, true), dots(scale, fills, false)]

  return html`<figure class="multiple"><figcaption><b>${series.symbol}</b><span>${note}</span></figcaption>
<div class="box"><svg viewBox="0 0 ${boxWidth} ${boxHeight}" preserveAspectRatio="none" role="img" aria-label="Price of ${series.symbol} with ${fills.length} fills">
<path class="long" d="${spanPath(scale, heldSpans(fills, 1, toMs))}"/><path class="short" d="${spanPath(scale, heldSpans(fills, -1, toMs))}"/>
<path class="line price" d="${linePath(
    scale,
    rows.map((row) => series.tsMs[row]!),
    close,
  )}"/>
<path class="dot ${size} halo" d="${bought}${sold}"/><path class="dot ${size} buy" d="${bought}"/><path class="dot ${size} sell" d="${sold}"/></svg></div>
<div class="ends"><span>${dayOf(fromMs)}</span><span>${priceText(low)} to ${priceText(high)}</span><span>${dayOf(toMs)}</span></div></figure>`
}

/** Lines of no length with round ends: dots that stay round however the box is stretched. Of fills that would cover each
 *  other, the last one of a thin column stands for all. */
function dots(scale: Scale, fills: readonly ShownFill[], isBuy: boolean): string {
  const byColumn = new Map<number, ShownFill>()
  for (const fill of fills) {
    const column = Math.floor(((fill.tsMs - scale.fromMs) / (scale.toMs - scale.fromMs)) * pointsMax)
    if (fill.isBuy === isBuy) byColumn.set(column, fill)
  }
  return [...byColumn.values()].map(({ tsMs, px }) => `M${xOf(scale, tsMs)} ${yOf(scale, px)}h0`).join('')
}

/** Five digits or so, whatever a coin costs. */
function priceText(price: number): string {
  let digits = 0
  for (let size = price; size < 1000 && digits < 8; size *= 10) digits++
  return usdt(price, digits)
}
