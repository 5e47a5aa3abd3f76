import { count, instant, percent } from './format.ts'
import { type Html, html } from './html.ts'
import { type Lane, laneChart } from './laneChart.ts'
import { heldSpans, memberSpans, type Span } from './spans.ts'
import { row, table } from './table.ts'
import type { ReportView } from './view.ts'

const lanesMax = 40

/** Who could be traded when, and who was held: a symbol that died later belongs here as much as one that lives. */
export function universeSection(view: ReportView): Html {
  const { run, metrics, prices, members, rejected } = view
  const { fromMs, toMs } = run.request
  const traded = new Map(metrics.bySymbol.map(({ symbol, traded }) => [symbol, traded ?? 0]))
  const shown = [...run.result.symbols]
    .sort((a, b) => (traded.get(b) ?? 0) - (traded.get(a) ?? 0) || (a < b ? -1 : 1))
    .slice(0, lanesMax)
    .sort()
  const lanes = shown.map((symbol): Lane => {
    const fills = fillsOf(view, symbol)
    const long = heldSpans(fills, 1, toMs)
    const short = heldSpans(fills, -1, toMs)
    const series = prices.find((candidate) => candidate.symbol === symbol)
    const seen: Span[] = series && series.tsMs.length > 0 ? [[series.tsMs[0]!, series.tsMs.at(-1)!]] : []
    const there = members === undefined ? clipped(seen, fromMs, toMs) : memberSpans(members, symbol, { fromMs, toMs })
    const share = (spans: readonly Span[]) => percent(lengthOf(spans) / (toMs - fromMs), 0)
    return {
      name: symbol,
      note: `${members === undefined ? 'has data' : 'member'} ${share(there)} of the time, long ${share(long)}, short ${share(short)}`,
      blocks: [
        { color: 'there', spans: there },
        { color: 'up', spans: long },
        { color: 'down', spans: short },
      ],
    }
  })
  return html`<section><h2 id="universe">Universe over time</h2>
<p class="note">Grey: ${members === undefined ? 'has data' : 'a member of the universe'}. <span class="up">Green</span>: held long.
<span class="down">Red</span>: held short.${
    run.result.symbols.length > lanesMax && ` The ${lanesMax} most traded of ${run.result.symbols.length} symbols.`
  }</p>
${laneChart(lanes, { fromMs, toMs })}
${members !== undefined && rebalances(members)}
${
  rejected.length > 0 &&
  html`<h3>Left out</h3><ul class="caveats">${rejected.map(({ symbol, reason }) => html`<li>${symbol}: ${reason}</li>`)}</ul>`
}
</section>`
}

const datesMax = 60

/** Who came and who went at each date. */
function rebalances(members: NonNullable<ReportView['members']>): Html {
  const lines = members.map(({ tsMs, symbols }, i) => {
    const before = members[i - 1]?.symbols ?? []
    const joined = symbols.filter((symbol) => !before.includes(symbol))
    const left = before.filter((symbol) => !symbols.includes(symbol))
    return row(instant(tsMs).slice(0, 10), [count(symbols.length), joined.join(', ') || '–', left.join(', ') || '–'])
  })
  return html`<h3>Members by date</h3>${members.length > datesMax && html`<p class="note">The last ${datesMax} of ${members.length} dates.</p>`}
<div class="names">${table(['From', 'Members', 'Joined', 'Left'], lines.slice(-datesMax))}</div>`
}

function fillsOf({ run }: ReportView, symbol: string): { tsMs: number; positionQty: number }[] {
  const { fills, symbols } = run.result
  const s = symbols.indexOf(symbol)
  return Array.from(fills.symbol.keys())
    .filter((i) => fills.symbol[i] === s && fills.qty[i] !== 0)
    .map((i) => ({ tsMs: fills.tsMs[i]!, positionQty: fills.positionQty[i]! }))
}

const clipped = (spans: readonly Span[], fromMs: number, toMs: number): Span[] =>
  spans.map(([from, to]): Span => [Math.max(from, fromMs), Math.min(to, toMs)]).filter(([from, to]) => to > from)

const lengthOf = (spans: readonly Span[]): number => spans.reduce((all, [from, to]) => all + to - from, 0)
