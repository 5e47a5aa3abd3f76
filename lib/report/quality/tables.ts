import type { SymbolQuality } from '../../qa/joinReports.ts'
import type { Finding, Mask, QaDay } from '../../tables/qa.ts'
import { DAY_MS, dayOf, HOUR_MS } from '../../time.ts'
import { count, instant, ratio, short } from '../format.ts'
import { type Html, html } from '../html.ts'
import { row, table } from '../table.ts'
import { isMasking, kindWords, lengthText, metricColumns, worstText } from './words.ts'

/** Longer tables say how many rows there are and where all of them stand. */
const rowsMax = 300

export function kindTable(quality: readonly SymbolQuality[]): Html {
  const all = quality.flatMap(({ symbol, findings }) => findings.map((finding) => ({ symbol, ...finding })))
  const kinds = [...new Set(all.map(({ kind }) => kind))].sort(
    (a, b) => Number(isMasking(b)) - Number(isMasking(a)) || (a < b ? -1 : 1),
  )
  const lines = kinds.map((kind) => {
    const own = all.filter((finding) => finding.kind === kind)
    const worst = own.reduce((a, b) => ((b.worst ?? 0) > (a.worst ?? 0) ? b : a))
    return row(html`<b>${kind}</b><br><span class="note">${kindWords[kind]}</span>`, [
      isMasking(kind) ? 'keeps orders away' : 'tags only',
      count(own.length),
      count(new Set(own.map(({ symbol }) => symbol)).size),
      count(symbolDays(own)),
      count(own.reduce((bars, finding) => bars + finding.bars, 0)),
      lengthText(own.reduce((longest, { fromMs, toMs }) => Math.max(longest, toMs - fromMs), 0)),
      worstText(worst) || '–',
    ])
  })
  return html`<section><h2 id="kinds">Findings by kind</h2>
${
  lines.length === 0
    ? html`<p class="empty">Nothing was found.</p>`
    : html`<div class="kinds">${table(['Kind', 'Effect', 'Findings', 'Symbols', 'Symbol-days', 'Bars', 'Longest', 'Worst'], lines)}</div>`
}</section>`
}

const symbolDays = (findings: readonly (Finding & { symbol: string })[]): number => {
  const days = new Set<string>()
  for (const { symbol, fromMs, toMs } of findings) {
    for (let tsMs = fromMs; tsMs < toMs; tsMs += DAY_MS) days.add(`${symbol} ${dayOf(tsMs)}`)
    days.add(`${symbol} ${dayOf(toMs - 1)}`)
  }
  return days.size
}

/** Each stretch once: what met several symbols at the same time is one line. */
export function findingTable(quality: readonly SymbolQuality[]): Html {
  const shared = new Map<string, { symbols: string[]; finding: Finding }>()
  for (const { symbol, findings } of quality) {
    for (const finding of findings) {
      const key = `${finding.fromMs} ${finding.toMs} ${finding.kind}`
      const known = shared.get(key)
      if (known === undefined) shared.set(key, { symbols: [symbol], finding })
      else {
        known.symbols.push(symbol)
        if ((finding.worst ?? 0) > (known.finding.worst ?? 0)) known.finding = finding
      }
    }
  }
  const weight = ({ finding: { kind, fromMs, toMs }, symbols }: { finding: Finding; symbols: string[] }): number =>
    (isMasking(kind) ? 1e15 : 0) + (toMs - fromMs) * symbols.length
  const all = [...shared.values()]
  const shown = all.toSorted((a, b) => weight(b) - weight(a)).slice(0, rowsMax)
  shown.sort((a, b) => a.finding.fromMs - b.finding.fromMs || (a.finding.kind < b.finding.kind ? -1 : 1))
  return html`<section><h2 id="findings">Findings</h2>
<p class="note">From the first bar of a stretch up to the end of its last, UTC.${omitted(all.length, 'gravest', 'qa-findings.csv')}</p>
${stretchTable(
  ['From', 'To', 'Lasting', 'Kind', 'Symbols', 'Bars', 'Worst'],
  shown.map(({ finding, symbols }) =>
    row(instant(finding.fromMs), [
      instant(finding.toMs),
      lengthText(finding.toMs - finding.fromMs),
      finding.kind,
      names(symbols, quality.length),
      count(finding.bars),
      worstText(finding) || '–',
    ]),
  ),
)}</section>`
}

export function maskTable(quality: readonly SymbolQuality[]): Html {
  const shared = new Map<string, { symbols: string[]; mask: Mask }>()
  for (const { symbol, masks } of quality) {
    for (const mask of masks) {
      const key = `${mask.fromMs} ${mask.toMs} ${mask.action} ${mask.because.join()}`
      const known = shared.get(key)
      if (known === undefined) shared.set(key, { symbols: [symbol], mask })
      else known.symbols.push(symbol)
    }
  }
  const all = [...shared.values()]
  const longest = ({ mask, symbols }: { mask: Mask; symbols: string[] }) => (mask.toMs - mask.fromMs) * symbols.length
  const shown = all.toSorted((a, b) => longest(b) - longest(a)).slice(0, rowsMax)
  shown.sort((a, b) => a.mask.fromMs - b.mask.fromMs || (a.symbols[0]! < b.symbols[0]! ? -1 : 1))
  return html`<section><h2 id="masks">Kept from orders</h2>
<p class="note">From when a stretch could be known until its end could: one bar later on both sides, so that nothing of it was known too
early.${omitted(all.length, 'longest', 'qa-masks.csv')}</p>
${stretchTable(
  ['From', 'To', 'Lasting', 'Action', 'Symbols', 'Because of'],
  shown.map(({ mask, symbols }) =>
    row(instant(mask.fromMs), [
      instant(mask.toMs),
      lengthText(mask.toMs - mask.fromMs),
      mask.action,
      names(symbols, quality.length),
      mask.because.join(', '),
    ]),
  ),
)}</section>`
}

export function symbolTable(quality: readonly SymbolQuality[]): Html {
  // What no symbol has any of would only make the table wide.
  const metrics = metricColumns.filter(
    ([, metric]) =>
      metric !== 'expectedBars' &&
      metric !== 'quoteVolume' &&
      quality.some(({ days }) => days.some((day) => day.metrics[metric] !== 0)),
  )
  const lines = quality.map(({ symbol, days, findings, masks }) => {
    const sum = (metric: keyof QaDay['metrics']) => days.reduce((all, day) => all + day.metrics[metric], 0)
    const maskedMs = masks.reduce((all, { fromMs, toMs }) => all + toMs - fromMs, 0)
    return row(symbol, [
      count(days.length),
      count(days.filter(({ status }) => status !== 'ok').length),
      count(findings.length),
      ratio(maskedMs / HOUR_MS, 1),
      ...metrics.map(([, metric]) => count(sum(metric))),
      short(sum('quoteVolume') / Math.max(1, days.filter(({ status }) => status !== 'absent').length)),
    ])
  })
  const head = ['Symbol', 'Days', 'Not ok', 'Findings', 'Hours masked', ...metrics.map(([name]) => name), 'USDT a day']
  return html`<section><h2 id="symbols">By symbol</h2>
<p class="note">Sums of bars over all days, unless another unit is named. What no symbol has is left out.</p>
<div class="wide">${table(head, lines)}</div></section>`
}

/** Where the script puts the days of a symbol that is chosen. Without one, and on paper, the tables beside the page serve. */
export const dayTable = (quality: readonly SymbolQuality[]): Html => html`<section><h2 id="days">Day by day</h2>
<p class="downloads"><a href="qa-days.csv">qa-days.csv</a>, <a href="qa-findings.csv">qa-findings.csv</a> and <a href="qa-masks.csv">qa-masks.csv</a>
beside this page have every day of every symbol, every finding and every mask.</p>
<p class="choose" hidden><label>Symbol <select>${quality.map(({ symbol }) => html`<option>${symbol}</option>`)}</select></label>
<label><input type="checkbox"> only days that are not ok</label></p>
<div class="wide scroll day-rows"></div></section>`

const omitted = (rows: number, which: string, file: string): Html | undefined =>
  rows > rowsMax
    ? html` The ${rowsMax} ${which} of ${count(rows)}; all of them are in <a href="${file}">${file}</a>.`
    : undefined

const stretchTable = (head: readonly string[], lines: readonly Html[]): Html =>
  lines.length === 0 ? html`<p class="empty">None.</p>` : html`<div class="stretches">${table(head, lines)}</div>`

const names = (symbols: readonly string[], of: number): Html | string => {
  if (symbols.length === of && of > 3) return `all ${of}`
  return symbols.length <= 4
    ? symbols.join(', ')
    : html`<span title="${symbols.join(', ')}">${symbols.length} symbols</span>`
}
