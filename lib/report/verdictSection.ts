import type { MetricsJson } from '../market/runs/backtestOutputs.ts'
import { percent, ratio, short, signedPercent, signedUsdt, usdt } from './format.ts'
import { type Html, type HtmlValue, html } from './html.ts'
import { breakable, colored, pairs, row, table } from './table.ts'
import { caveats, verdictSentences } from './verdict.ts'
import type { ReportView } from './view.ts'

export function verdictSection(view: ReportView): Html {
  const warnings = caveats(view)
  return html`<section id="verdict" aria-label="Verdict">
<p class="verdict">${verdictSentences(view).join(' ')}</p>
${tiles(view)}
<div class="columns"><div><h3>Key numbers</h3>${keyNumbers(view)}</div>
<div><h3>Read this first</h3><ul class="caveats">${warnings.map((warning) => html`<li>${warning}</li>`)}</ul>
${comparison(view)}</div></div>
<p class="note">Daily UTC closes, simple returns, 365 days a year, no risk-free rate, sample deviation (one degree of freedom taken
off). Everything is net of fees, slippage and funding. Days that gained are
counted among those that were not flat. Intervals are 95% by the stationary bootstrap over days.</p>
</section>`
}

function tiles({ metrics, against }: ReportView): Html {
  const { sharpe, intervals, parts, capitalUsdt } = metrics
  const costs = sumOf(parts.fees, parts.slippage, parts.liquidationFees)
  return html`<dl class="tiles">
${tile('Net return', colored(metrics.totalReturn, signedPercent(metrics.totalReturn)), [
  against && `benchmark ${signedPercent(against.metrics.totalReturn)}`,
  between(intervals?.totalReturn, (v) => percent(v, 0)),
])}
${
  metrics.isAnnualised
    ? tile('Sharpe ratio', ratio(sharpe.annual), [
        `± ${ratio(sharpe.annualError)} standard error`,
        between(intervals?.sharpe, ratio),
      ])
    : tile('Sharpe ratio, daily', ratio(sharpe.sharpe), [`± ${ratio(sharpe.error)} standard error`, 'not annualised'])
}
${tile('Maximum drawdown', percent(metrics.maxDrawdown), [
  `at daily closes; ${metrics.drawdownDays ?? '–'} days under water at most`,
  between(intervals?.maxDrawdown, (v) => percent(v, 0)),
])}
${tile('Trading costs', signedPercent(costs / capitalUsdt), [
  `of capital; ${signedUsdt(costs)} USDT`,
  `funding ${signedUsdt(parts.funding)} USDT`,
])}
${tile(
  'Capacity',
  html`${metrics.capacityIsBound === true && html`<small>at most</small> `}${short(metrics.capacityUsdt)}`,
  [
    'USDT of capital at which 95% of the fills stay under 1% of their bar',
    metrics.capacityIsBound === true ? 'over 5% of the fills met the volume cap and wanted more' : undefined,
  ],
)}
</dl>`
}

function tile(name: string, number: HtmlValue, more: readonly (string | undefined)[]): Html {
  return html`<div class="tile"><dt>${name}</dt><dd><div class="number">${number}</div>${more.map(
    (line) => line !== undefined && html`<div class="more">${line}</div>`,
  )}</dd></div>`
}

type Interval = NonNullable<MetricsJson['intervals']>['sharpe']
function between(interval: Interval | undefined, text: (value: number | null) => string): string | undefined {
  if (interval === undefined || interval.low === null) return undefined
  return `95%: ${text(interval.low)} to ${text(interval.high)}`
}

function keyNumbers({ metrics, against, run }: ReportView): Html {
  const rows: [string, (m: MetricsJson) => string][] = [
    ['Total return', (m) => signedPercent(m.totalReturn, 2)],
    ['Annual return (CAGR)', (m) => signedPercent(m.annualReturn, 2)],
    ['Volatility, annual', (m) => percent(m.volatility, 2)],
    ['Sharpe ratio, annual', (m) => ratio(m.sharpe.annual)],
    ['… adjusted for autocorrelation', (m) => ratio(m.sharpe.annualAdjusted)],
    ['… its standard error', (m) => ratio(m.sharpe.annualError)],
    ['Sharpe ratio, daily', (m) => ratio(m.sharpe.sharpe, 3)],
    ['Sortino ratio', (m) => ratio(m.sortino)],
    ['Calmar ratio', (m) => ratio(m.calmar)],
    ['Omega ratio', (m) => ratio(m.omega)],
    ['Maximum drawdown', (m) => percent(m.maxDrawdown, 2)],
    ['Longest under water, days', (m) => ratio(m.drawdownDays, 0)],
    ['Mean of the worst 5% of days', (m) => percent(m.cvar95, 2)],
    ['Best day', (m) => signedPercent(m.bestDay, 2)],
    ['Worst day', (m) => signedPercent(m.worstDay, 2)],
    ['Days that gained, of those not flat', (m) => percent(m.hitRate)],
    ['Skew', (m) => ratio(m.skew)],
    ['Kurtosis (normal: 3)', (m) => ratio(m.kurtosis)],
    ['Turnover, times equity a year', (m) => ratio(m.turnover, 1)],
    ['Final equity, USDT', (m) => usdt(m.endEquityUsdt)],
  ]
  const columns = [metrics, ...(against === undefined ? [] : [against.metrics])]
  const names = ['', breakable(run.request.strategy.name), against !== undefined && breakable(against.name)]
  return table(
    names.slice(0, columns.length + 1),
    rows.map(([name, text]) => row(name, columns.map(text))),
  )
}

function comparison({ metrics, against }: ReportView): Html | undefined {
  const { benchmark, byRegime, deflated } = metrics
  return html`${
    benchmark &&
    against &&
    html`<h3>Against ${against.name}</h3>${pairs([
      ['Correlation of daily returns', ratio(benchmark.correlation)],
      ['Beta', ratio(benchmark.beta)],
      ['Alpha, annual', signedPercent(benchmark.alpha)],
      ['Tracking error, annual', percent(benchmark.trackingError)],
      ['Information ratio', ratio(benchmark.informationRatio)],
    ])}`
  }${
    deflated &&
    html`<h3>Trials</h3>${pairs([
      ['Configurations tried', deflated.trials],
      [
        'Deviation of their daily Sharpe ratios',
        ratio(deflated.variance === null ? null : Math.sqrt(deflated.variance), 4),
      ],
      ['Best daily Sharpe expected from luck', ratio(deflated.sharpe0, 4)],
      ['Deflated Sharpe ratio (probability)', percent(deflated.probability)],
    ])}`
  }${
    byRegime.length > 0 &&
    html`<h3>By market regime</h3>${table(
      ['Benchmark before', 'Days', 'Return', 'Hit rate'],
      byRegime.map(({ regime, days, totalReturn, hitRate }) =>
        row(regime, [String(days), colored(totalReturn, signedPercent(totalReturn)), percent(hitRate, 0)]),
      ),
    )}<p class="note">A day's regime is told by the benchmark's 30 days before it: rising or falling, and calm or wild against the median
volatility of the run. It describes afterwards; nobody could have traded on it.</p>`
  }`
}

const sumOf = (...values: readonly (number | null)[]): number => values.reduce<number>((all, v) => all + (v ?? 0), 0)
