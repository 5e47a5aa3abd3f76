import { dayOf } from '../time.ts'
import { costSection, exposureSection } from './costSection.ts'
import { equitySection, rollingSection } from './equitySection.ts'
import type { Html } from './html.ts'
import { monthSection } from './monthSection.ts'
import { wholePage } from './page.ts'
import { pageScript } from './pageScript.ts'
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
  const rolling = rollingSection(view)
  const quality = qualitySection(view)
  const sensitivity = sensitivitySection(view)
  const sweep = sweepSection(view)
  const walkForward = walkForwardSection(view)
  const when = (section: Html | undefined, id: string, name: string): [string, string][] =>
    section === undefined ? [] : [[id, name]]
  const links: [string, string][] = [
    ['equity', 'Equity'],
    ...when(rolling, 'rolling', 'Rolling Sharpe'),
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
  return wholePage({
    title: `${strategy.name}, ${dayOf(fromMs)} to ${dayOf(toMs)}: backtest report`,
    heading: strategy.name,
    sub: `Backtest over ${run.result.symbols.length} perpetuals, ${interval} bars, ${dayOf(fromMs)} to ${dayOf(toMs)} (${metrics.days} days)`,
    links,
    sections: [
      verdictSection(view),
      equitySection(view),
      rolling,
      monthSection(view),
      exposureSection(view),
      costSection(view),
      tradesSection(view),
      universeSection(view),
      quality,
      sensitivity,
      sweep,
      walkForward,
      provenanceSection(view),
    ],
    script: pageScript,
  })
}
