import type { Gap, GapReason, MonthState } from '../../../lib/market/coverage/completeness.ts'
import type { Coverage } from '../../../lib/market/coverage/coverage.ts'
import { formatUtc, nextMonth } from '../../../lib/time.ts'
import { countText, instantText, percentText, plural } from '../human.ts'
import type { Style } from '../style.ts'
import { textTable } from '../textTable.ts'
import type { StatusOf } from './statusOf.ts'

/** How a month looks. Each has a sign of its own, so that the picture needs no colours. */
export interface Signs {
  readonly complete: string
  readonly venueGap: string
  readonly partly: string
  readonly notFetched: string
  readonly failed: string
  readonly notListed: string
}
export const blockSigns: Signs = {
  complete: '█',
  venueGap: '▓',
  partly: '▒',
  notFetched: '░',
  failed: '×',
  notListed: ' ',
}
export const asciiSigns: Signs = {
  complete: '#',
  venueGap: '=',
  partly: '-',
  notFetched: '.',
  failed: 'x',
  notListed: ' ',
}

export const reasonTexts: Readonly<Record<GapReason, string>> = {
  venueGap: 'the venue has none',
  notFetched: 'not fetched yet',
  failed: 'failed',
  notListed: 'not listed then',
}

export type MonthSign = keyof Signs

export function signOf(month: MonthState | undefined): MonthSign {
  if (month === undefined || month.worst === 'notListed') return 'notListed'
  if (month.worst === undefined) return 'complete'
  return month.worst === 'notFetched' && month.rows > 0 ? 'partly' : month.worst
}

/** Every month that any series has. */
export function monthsOf(series: readonly Coverage[]): string[] {
  const named = series.flatMap(({ months }) => months.map(({ month }) => month)).sort()
  const found: string[] = []
  if (named.length === 0) return found
  for (let month = named[0]!; month <= named.at(-1)!; month = nextMonth(month)) found.push(month)
  return found
}

export const labelOf = ({ market, dataSet, interval }: Coverage): string =>
  [...(market === 'usdm' ? [] : [market]), dataSet, ...(interval === undefined ? [] : [interval])].join(' ')

/** A line for each series, a sign for each month, and what is missing below. */
export function renderPicture(
  status: StatusOf,
  options: { readonly signs: Signs; readonly gapsShown: number; readonly style: Style },
): string {
  const { signs, style } = options
  const { series } = status
  const months = monthsOf(series)
  const paint: Readonly<Record<MonthSign, (text: string) => string>> = {
    complete: style.good,
    venueGap: style.warn,
    partly: style.work,
    notFetched: style.work,
    failed: style.bad,
    notListed: (text) => text,
  }
  const rows = series.map((one) => {
    const byMonth = new Map(one.months.map((month) => [month.month, month]))
    const strip = months.map((month) => signOf(byMonth.get(month)))
    const painted = strip.map((sign) => paint[sign](signs[sign])).join('')
    const missing = one.expected - one.rows
    return [
      labelOf(one),
      one.symbol,
      `|${painted}|`,
      percentText(one.rows, one.expected),
      countText(one.rows),
      missing === 0 ? '' : `${countText(missing)} missing`,
    ]
  })
  const lines = [
    `${style.bold(status.pipeline)}  run ${status.run}, ${status.outcome}, data as of ${instantText(status.nowTsMs)}`,
    ...textTable(
      [
        { title: 'data set' },
        { title: 'symbol' },
        { title: scale(months) },
        { title: 'here', align: 'right' },
        { title: 'rows', align: 'right' },
        { title: '' },
      ],
      rows,
      style.dim,
    ),
    style.dim(legend(signs)),
    ...gapLines(status, options.gapsShown, style),
  ]
  return lines.join('\n')
}

/** The first and the last month above their signs, where there is room. */
function scale(months: readonly string[]): string {
  const [first, last] = [months[0] ?? '', months.at(-1) ?? '']
  if (first === last) return first
  return months.length < 15 ? `${first}..${last}` : ` ${first}${' '.repeat(months.length - 14)}${last}`
}

const legend = (signs: Signs): string =>
  [
    `${signs.complete} complete`,
    `${signs.venueGap} ${reasonTexts.venueGap}`,
    `${signs.partly} partly fetched`,
    `${signs.notFetched} ${reasonTexts.notFetched}`,
    `${signs.failed} ${reasonTexts.failed}`,
    `blank ${reasonTexts.notListed}`,
  ].join('   ')

/** What is missing, the gravest first. Where a symbol was not listed nothing is missing. */
function gapLines({ series }: StatusOf, gapsShown: number, style: Style): string[] {
  const all = series.flatMap((one) =>
    one.gaps.flatMap((gap) => (gap.why === 'notListed' ? [] : [{ series: one, gap }])),
  )
  if (all.length === 0) return [style.good('nothing is missing')]
  const order: readonly GapReason[] = ['failed', 'notFetched', 'venueGap']
  all.sort((a, b) => order.indexOf(a.gap.why) - order.indexOf(b.gap.why))
  const shown = all.slice(0, gapsShown)
  const rows = shown.map(({ series: one, gap }) => [labelOf(one), one.symbol, ...gapCells(gap)])
  const titles = ['gap in', 'symbol', 'from', 'to', 'rows', 'why'].map((title) =>
    title === 'rows' ? { title, align: 'right' as const } : { title },
  )
  return [
    '',
    ...textTable(titles, rows, style.dim),
    ...(all.length > shown.length ? [`and ${plural(all.length - shown.length, 'gap')} more: see --gaps`] : []),
  ]
}

export const gapCells = ({ fromTsMs, toTsMs, rows, why, note }: Gap): string[] => [
  instantIn(fromTsMs),
  instantIn(toTsMs),
  rows === undefined ? '?' : countText(rows),
  note === undefined ? reasonTexts[why] : `${reasonTexts[why]}: ${note.split('\n', 1)[0]}`,
]

/** To the minute where nothing is lost by that. */
const instantIn = (tsMs: number): string => (tsMs % 60_000 === 0 ? `${formatUtc(tsMs).slice(0, 16)}Z` : formatUtc(tsMs))

/** A line for each series and month, for grep and awk. */
export function renderLines(status: StatusOf): string[] {
  return status.series.flatMap((one) =>
    one.months.map((month) =>
      [
        status.pipeline,
        one.market,
        one.dataSet,
        one.interval ?? '-',
        one.symbol,
        month.month,
        month.rows,
        month.expected,
        signOf(month),
      ].join(' '),
    ),
  )
}
