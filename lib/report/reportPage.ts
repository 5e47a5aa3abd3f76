import { sha256 } from '@noble/hashes/sha2.js'

import { dayOf } from '../time.ts'
import { costSection, exposureSection } from './costSection.ts'
import { equitySection, rollingSection } from './equitySection.ts'
import { Html, html, scriptElement, trusted } from './html.ts'
import { monthSection } from './monthSection.ts'
import { pageScript } from './pageScript.ts'
import { pageStyle } from './pageStyle.ts'
import { provenanceSection } from './provenanceSection.ts'
import { qualitySection } from './qualitySection.ts'
import { sensitivitySection } from './sensitivitySection.ts'
import { sweepSection } from './sweepSection.ts'
import { tradesSection } from './tradesSection.ts'
import { universeSection } from './universeSection.ts'
import { verdictSection } from './verdictSection.ts'
import { type ReportInput, viewOf } from './view.ts'
import { walkForwardSection } from './walkForwardSection.ts'

/** The whole report as one HTML text. It needs nothing but itself: no network (its own policy forbids it), no script to
 *  be read or printed. The same input gives the same bytes. */
export function renderReport(input: ReportInput): string {
  const view = viewOf(input)
  const { run, metrics } = view
  const { strategy, fromMs, toMs, interval } = run.request
  const quality = qualitySection(view)
  const sensitivity = sensitivitySection(view)
  const sweep = sweepSection(view)
  const walkForward = walkForwardSection(view)
  const when = (section: Html | undefined, id: string, name: string): [string, string][] =>
    section === undefined ? [] : [[id, name]]
  const links: [string, string][] = [
    ['equity', 'Equity'],
    ['rolling', 'Rolling Sharpe'],
    ['months', 'Months'],
    ['exposure', 'Exposure'],
    ['costs', 'Costs and funding'],
    ['trades', 'Trades'],
    ['universe', 'Universe'],
    ...when(quality, 'quality', 'Data quality'),
    ...when(sensitivity, 'sensitivity', 'Sensitivity'),
    ...when(sweep, 'sweep', 'Parameters tried'),
    ...when(walkForward, 'walk-forward', 'Walk-forward'),
    ['provenance', 'Provenance'],
  ]
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digestBase64(pageScript)}'">
<title>${strategy.name}, ${dayOf(fromMs)} to ${dayOf(toMs)}: backtest report</title>
<style>${trusted(pageStyle)}</style>
</head>
<body><main>
<header class="top"><div><h1>${strategy.name}</h1>
<p class="sub">Backtest over ${run.result.symbols.length} perpetuals, ${interval} bars, ${dayOf(fromMs)} to ${dayOf(toMs)} (${metrics.days} days)</p></div>
<button class="theme" type="button" hidden>Theme</button></header>
<nav aria-label="Sections">${links.map(([id, name]) => html`<a href="#${id}">${name}</a>`)}</nav>
${verdictSection(view)}
${equitySection(view)}
${rollingSection(view)}
${monthSection(view)}
${exposureSection(view)}
${costSection(view)}
${tradesSection(view)}
${universeSection(view)}
${quality}
${sensitivity}
${sweep}
${walkForward}
${provenanceSection(view)}
</main>
${scriptElement(pageScript)}
</body>
</html>
`
  return Html.markupOf(page)
}

/** The one script the page lets run is told by its hash: nothing that got in by way of data could be executed. */
function digestBase64(text: string): string {
  return btoa(String.fromCharCode(...sha256(new TextEncoder().encode(text))))
}
