import type { SweepRow, SweepSummary } from '../sweep/outputs.ts'
import type { SweepValue } from '../sweep/points.ts'
import { count, percent, ratio, signedPercent, signedUsdt } from './format.ts'
import { type HeatCell, type HeatGrid, heatMap } from './heatMap.ts'
import { heatLegend, heatScaleOf } from './heatScale.ts'
import { type Html, html } from './html.ts'
import { pointText, reportedPoint } from './sweepVerdict.ts'
import { bar, breakable, colored, pairs, row, table } from './table.ts'
import type { ReportView } from './view.ts'

const tableRowsMax = 40
const panelsMax = 12

/** Every configuration that was tried, and how much of the best is luck. */
export function sweepSection(view: ReportView): Html | undefined {
  const { sweep } = view
  if (sweep === undefined) return undefined
  const now = reportedPoint(view)
  const best = sweep.points[sweep.best]!
  return html`<section><h2 id="sweep">Parameters tried</h2>
<p class="note">The same strategy, data and costs at ${count(sweep.points.length)} points. A good point among bad neighbours is luck more often than
skill; a plateau is worth more than a peak.</p>
<div class="columns"><div>${pairs([
    ['Points tried (N)', count(sweep.trials.count)],
    ['Deviation of their daily Sharpe ratios (√V)', ratio(Math.sqrt(sweep.trials.variance), 4)],
    ['Best daily Sharpe ratio expected from luck', ratio(sweep.trials.sharpe0, 4)],
    ['Best daily Sharpe ratio found', ratio(best.dailySharpe, 4)],
    ['… its deflated Sharpe ratio (probability)', percent(best.deflated)],
    ['… found at', pointText(best.values)],
  ])}</div><div>${overfittingPart(sweep)}</div></div>
${heatPart(sweep, now)}
<h3>Points</h3>
${pointTable(sweep, now)}
</section>`
}

function overfittingPart({ overfitting, overfittingAbsent }: SweepSummary): Html {
  if (overfitting === undefined) {
    return html`<p class="note">There is no probability of backtest overfitting: ${overfittingAbsent}.</p>`
  }
  const { probability, blocks, splits, days, inSample, outOfSample } = overfitting
  return html`${pairs([
    ['Probability of backtest overfitting', percent(probability)],
    ['Mean daily Sharpe ratio of the chosen, where it was chosen', ratio(inSample, 4)],
    ['… and on the other half', ratio(outOfSample, 4)],
  ])}<p class="note">By combinatorially symmetric cross-validation: ${days} days in ${blocks} blocks, and all ${count(splits)} ways to choose on half of
them and look at the rest. Worthless configurations give about 50%.</p>`
}

const sharpeOf = ({ sharpe, dailySharpe }: SweepRow, isAnnualised: boolean): number | null =>
  isAnnualised ? sharpe : dailySharpe

function heatPart(sweep: SweepSummary, now: SweepRow | undefined): Html {
  const { points, params, isAnnualised } = sweep
  const shown = (point: SweepRow): number | null => sharpeOf(point, isAnnualised)
  const scale = heatScaleOf(points.map(shown))
  const heading = html`<h3>${isAnnualised ? 'Sharpe ratio' : 'Daily Sharpe ratio'} by parameter</h3>`
  const markOf = (point: SweepRow): HeatCell['mark'] =>
    point === now ? 'now' : point === points[sweep.best] ? 'best' : undefined
  if (params.length === 1) {
    const low = Math.min(0, ...points.map((point) => shown(point) ?? 0))
    const high = Math.max(0, ...points.map((point) => shown(point) ?? 0))
    const name = params[0]!.name
    return html`${heading}${table(
      [breakable(name), isAnnualised ? 'Sharpe' : 'Daily Sharpe', ''],
      points.map(
        (
          point,
        ) => html`<tr${point === now && html` class="now"`}><th scope="row">${String(point.values[name])}</th><td>${colored(
          shown(point),
          ratio(shown(point), isAnnualised ? 2 : 3),
        )}</td><td class="bars">${bar(shown(point), low, high)}</td></tr>
`,
      ),
    )}`
  }
  // The longest two lists span the grid, the longer one downwards: it fits a phone better.
  const [rows, columns] = [...params].sort((a, b) => b.values.length - a.values.length)
  const others = params.filter((param) => param !== rows && param !== columns)
  const cellOf = (point: SweepRow): HeatCell => ({
    value: shown(point),
    text: ratio(shown(point), isAnnualised ? 2 : 3),
    title: `${pointText(point.values)}: return ${signedPercent(point.totalReturn)}, drawdown ${percent(point.maxDrawdown)}`,
    mark: markOf(point),
  })
  const byKey = new Map(points.map((point) => [keyOf(params.map(({ name }) => point.values[name]!)), point]))
  const gridOf = (fixed: SweepRow['values']): HeatGrid => ({
    rowName: rows!.name,
    columnName: columns!.name,
    rows: rows!.values.map(String),
    columns: columns!.values.map(String),
    cells: rows!.values.map((r) =>
      columns!.values.map((c) => {
        const values: SweepRow['values'] = { ...fixed, [rows!.name]: r, [columns!.name]: c }
        const point = byKey.get(keyOf(params.map(({ name }) => values[name]!)))
        return point && cellOf(point)
      }),
    ),
  })
  const legend = html`${heatLegend(scale, points.map(shown), isAnnualised ? 2 : 3)}<p class="note">Framed: <span class="mark-key now">as reported</span> <span class="mark-key best">the best</span></p>`
  if (others.length === 0) return html`${heading}${heatMap(gridOf({}), scale)}${legend}`

  const panels = panelsOf(others)
  if (panels.length > panelsMax) {
    const { values } = now ?? points[sweep.best]!
    const fixed = Object.fromEntries(others.map(({ name }) => [name, values[name]!]))
    return html`${heading}<p class="note">${count(panels.length)} grids are too many to show; this is the one through ${
      now === undefined ? 'the best point' : 'the reported run'
    }, at ${pointText(fixed)}. The others are in sweep.csv.</p>${heatMap(gridOf(fixed), scale)}${legend}`
  }
  return html`${heading}${legend}<div class="multiples">${panels.map(
    (fixed) =>
      html`<figure class="multiple"><figcaption><b>${pointText(fixed)}</b></figcaption>${heatMap(gridOf(fixed), scale)}</figure>`,
  )}</div>`
}

function panelsOf(params: SweepSummary['params']): Record<string, SweepValue>[] {
  let all: Record<string, SweepValue>[] = [{}]
  for (const { name, values } of params) {
    all = all.flatMap((before) => values.map((value) => ({ ...before, [name]: value })))
  }
  return all
}

const keyOf = (values: readonly SweepValue[]): string => JSON.stringify(values)

function pointTable(sweep: SweepSummary, now: SweepRow | undefined): Html {
  const { points, params, isAnnualised } = sweep
  const byRank = [...points.keys()].sort((a, b) => points[b]!.dailySharpe - points[a]!.dailySharpe || a - b)
  const kept = new Set(points.length <= tableRowsMax ? points.keys() : byRank.slice(0, tableRowsMax))
  const shown = points.filter((point, i) => kept.has(i) || point === now)
  const head = [
    ...params.map(({ name }) => breakable(name)),
    ...(isAnnualised ? ['Sharpe', 'CAGR'] : ['Daily Sharpe', 'Return']),
    'Max. drawdown',
    'Turnover a year',
    'Fees, USDT',
    'Fills',
    'Deflated Sharpe',
    '',
  ]
  return html`${
    shown.length < points.length &&
    html`<p class="note">The ${tableRowsMax} best of ${count(points.length)}, in the order of their parameters; all of them are in sweep.csv.</p>`
  }${table(
    head,
    shown.map((point) => {
      const [first, ...rest] = params.map(({ name }) => String(point.values[name]))
      const sharpe = sharpeOf(point, isAnnualised)
      const gain = isAnnualised ? point.annualReturn : point.totalReturn
      const notes = [
        point === now && 'as reported',
        point === points[sweep.best] && 'best',
        point.outcome !== 'completed' && point.outcome,
      ]
      return row(
        first,
        [
          ...rest,
          colored(sharpe, ratio(sharpe, isAnnualised ? 2 : 3)),
          colored(gain, signedPercent(gain)),
          percent(point.maxDrawdown),
          ratio(point.turnover, 1),
          signedUsdt(point.fees),
          count(point.fills),
          percent(point.deflated, 0),
          notes.filter((note) => note !== false).join(', '),
        ],
        point === now ? 'now' : '',
      )
    }),
  )}<p class="downloads"><a href="sweep.csv">sweep.csv</a> has every point.</p>`
}
