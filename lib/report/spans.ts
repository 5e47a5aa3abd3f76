import { boxHeight, type Scale, xOf } from './shape.ts'

/** From an instant up to another. */
export type Span = readonly [fromMs: number, toMs: number]

/** When a position of this side was held, told by what each fill left. */
export function heldSpans(
  fills: readonly { readonly tsMs: number; readonly positionQty: number }[],
  side: 1 | -1,
  endMs: number,
): Span[] {
  const spans: Span[] = []
  let sinceMs: number | undefined
  for (const { tsMs, positionQty } of fills) {
    const isHeld = positionQty * side > 0
    if (isHeld) sinceMs ??= tsMs
    else if (sinceMs !== undefined) {
      if (tsMs > sinceMs) spans.push([sinceMs, tsMs])
      sinceMs = undefined
    }
  }
  if (sinceMs !== undefined && endMs > sinceMs) spans.push([sinceMs, endMs])
  return spans
}

/** When a symbol was a member, where each entry holds until the next. */
export function memberSpans(
  changes: readonly { readonly tsMs: number; readonly symbols: readonly string[] }[],
  symbol: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Span[] {
  const spans: [number, number][] = []
  changes.forEach(({ tsMs, symbols }, i) => {
    const from = Math.max(fromMs, tsMs)
    const to = Math.min(toMs, changes[i + 1]?.tsMs ?? toMs)
    if (!symbols.includes(symbol) || !(to > from)) return
    const last = spans.at(-1)
    if (last !== undefined && last[1] === from) last[1] = to
    else spans.push([from, to])
  })
  return spans
}

/** Full-height blocks. */
export function spanPath(scale: Pick<Scale, 'fromMs' | 'toMs'>, spans: readonly Span[]): string {
  const whole = { ...scale, low: 0, high: 1 }
  return spans
    .map(([from, to]) => `M${xOf(whole, from)} 0H${xOf(whole, to)}V${boxHeight}H${xOf(whole, from)}Z`)
    .join('')
}
