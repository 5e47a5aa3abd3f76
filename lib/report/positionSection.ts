import { DAY_MS, HOUR_MS } from '../time.ts'
import { count, instant, percent, ratio, signedUsdt } from './format.ts'
import { type Html, html } from './html.ts'
import type { Position } from './positions.ts'
import { colored, row, table } from './table.ts'
import type { ReportView } from './view.ts'

const shownEach = 5

/** Round trips: how many gained, and the best and the worst of them. All are in the table beside the page. */
export function positionTables({ positions }: ReportView): Html {
  if (positions.length === 0) return html``
  const closed = positions.filter(({ closedTsMs }) => !Number.isNaN(closedTsMs))
  const gained = closed.filter(({ pnlUsdt }) => pnlUsdt > 0).length
  const held = positions.map(({ heldMs }) => heldMs).sort((a, b) => a - b)
  const known = positions.filter(({ pnlUsdt }) => !Number.isNaN(pnlUsdt)).sort((a, b) => b.pnlUsdt - a.pnlUsdt)
  const some = known.length > 2 * shownEach
  return html`<h3>Positions</h3>
<p class="note">From the fill that opened a position to the one that closed it: ${count(closed.length)} closed, of which ${
    closed.length === 0 ? '–' : percent(gained / closed.length, 0)
  } gained, and ${count(positions.length - closed.length)} still held at the end, at the last close. Half were held for ${heldText(
    held[held.length >> 1]!,
  )} or longer. Fees are in, funding is not: it is told by symbol. Worst and best are at the lows and highs of the bars it was held through, and at its end.</p>
${
  some
    ? positionTable(`Best and worst ${shownEach}`, [...known.slice(0, shownEach), ...known.slice(-shownEach)])
    : positionTable('All, best first', known)
}
<p class="downloads"><a href="positions.csv">positions.csv</a> has every one of them.</p>`
}

const positionTable = (name: string, positions: readonly Position[]): Html =>
  table(
    [name, 'Side', 'Opened, UTC', 'Held', 'Fills', 'Worst', 'Best', 'Net, USDT'],
    positions.map(({ symbol, side, openedTsMs, heldMs, fills, worstUsdt, bestUsdt, pnlUsdt }) =>
      row(symbol, [
        side,
        instant(openedTsMs),
        heldText(heldMs),
        count(fills),
        signedUsdt(worstUsdt),
        signedUsdt(bestUsdt),
        colored(pnlUsdt, signedUsdt(pnlUsdt)),
      ]),
    ),
  )

const heldText = (ms: number): string =>
  ms >= 2 * DAY_MS ? `${ratio(ms / DAY_MS, 1)} days` : `${ratio(ms / HOUR_MS, 1)} hours`
