import { describe, expect, test } from 'vitest'

import { computeMetrics } from '../../../lib/backtest/metrics.ts'
import { metricsJson } from '../../../lib/market/runs/metricsJson.ts'
import { equityCsv, fillsCsv } from '../../../lib/report/csv.ts'
import { renderReport } from '../../../lib/report/reportPage.ts'
import { changesBetween } from '../../../lib/report/sensitivitySection.ts'
import { caveats, verdictSentences } from '../../../lib/report/verdict.ts'
import { viewOf } from '../../../lib/report/view.ts'
import { DAY_MS } from '../../../lib/time.ts'
import { sampleReport } from './sampleReport.ts'

const sample = sampleReport({ isSwept: true })
const page = renderReport(sample)

describe('the report page', () => {
  test('is the same bytes for the same input', () => {
    expect(renderReport(sampleReport({ isSwept: true }))).toBe(page)
  })

  test('needs nothing but itself: no address of another place, and a policy that forbids one', () => {
    expect(page).not.toMatch(/\b(src|srcset|data|action|poster)="(?!')/)
    expect(page).not.toMatch(/https?:|@import|url\(/)
    expect(page).toContain(`default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-`)
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link]) => link!)
    expect(links.filter((link) => !link.startsWith('#')).sort()).toEqual([
      'equity.csv',
      'fills.csv',
      'positions.csv',
      'sweep.csv',
      'walkForward.csv',
    ])
    for (const link of links.filter((all) => all.startsWith('#'))) expect(page).toContain(`id="${link.slice(1)}"`)
  })

  test('has every section', () => {
    const headings = [...page.matchAll(/<h2[^>]*>([^<]*)</g)].map(([, text]) => text)
    expect(headings).toEqual([
      'Equity and drawdown',
      'Rolling Sharpe ratio',
      'Months',
      'Exposure',
      'Costs and funding',
      'Trades',
      'Universe over time',
      'Data quality',
      'Sensitivity',
      'Parameters tried',
      'Walk-forward',
      'Provenance',
    ])
  })

  test('a ratio over windows is drawn from the second window on', () => {
    expect(renderReport(sampleReport({ days: 30 }))).not.toContain('Rolling Sharpe')
    expect(renderReport(sampleReport({ days: 31 }))).toContain('<h2 id="rolling">')
  })

  test('closes every element it opens, in order', () => {
    expect(unbalanced(page)).toBeUndefined()
  })

  test('shows no number that is none: no NaN, no undefined, no null, no object', () => {
    const text = page.replace(/<(script|style)[\s\S]*?<\/\1>/g, '').replace(/<pre[\s\S]*?<\/pre>/g, '')
    expect(text).not.toMatch(/NaN|Infinity|undefined|\bnull\b|\[object/)
  })

  test('names and messages from data stay text', () => {
    const evil = `<img src=x onerror="alert(1)">'&</script><script>alert(2)</script>`
    const attacked = renderReport({
      ...sampleReport({ days: 40, symbol: evil, strategyName: evil, isSwept: true }),
      rejected: [{ symbol: evil, reason: evil }],
      files: [{ name: evil, sizeBytes: 1, sha256: evil }],
    })
    expect(attacked).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;')
    expect(attacked).not.toContain('<img')
    const scripts = [...attacked.matchAll(/<script\b/g)].length
    const plain = renderReport(sampleReport({ days: 40, isSwept: true }))
    expect(scripts).toBe([...plain.matchAll(/<script\b/g)].length)
    expect(unbalanced(attacked)).toBeUndefined()
  })

  for (const days of [2, 3, 35, 89, 90]) {
    test(`${days} days: it is whole, and annual figures ${days < 90 ? 'are left out' : 'are there'}`, () => {
      const short = renderReport(sampleReport({ days }))
      expect(unbalanced(short)).toBeUndefined()
      expect(short.includes('Sharpe ratio, daily</dt>')).toBe(days < 90)
      expect(/too few to annualise/.test(short)).toBe(days < 90)
      expect(short).not.toMatch(/>NaN|NaN%/)
    })
  }

  test('without benchmark, variants, prices and stored files it still stands, and says what is missing', () => {
    const bare = {
      ...sample,
      benchmark: undefined,
      metrics: metricsJson(computeMetrics(sample.run.result)),
      variants: [],
      prices: [],
      rejected: [],
      members: undefined,
      quality: [],
      sweep: undefined,
      walkForward: undefined,
      replay: undefined,
    }
    const text = renderReport(bare)
    expect(unbalanced(text)).toBeUndefined()
    expect(text).toContain('There is no benchmark to compare with.')
    expect(text).toContain('nothing is deflated')
    expect(text).not.toContain('Trades on price')
    expect(text).not.toContain('Data quality')
  })

  test('names every symbol, date and verdict it was told', () => {
    expect(page).toContain('Members by date')
    expect(page).toMatch(/2024-01-31<\/th><td>4<\/td><td>S04USDT, S05USDT<\/td><td>S00USDT, S01USDT/)
    expect(page).toContain('no new orders while it lasts')
    expect(page).toMatch(/Symbol-days looked at<\/th><td>240</)
    expect(page).toMatch(/Symbol-hours without new orders: quarantined<\/th><td>24\.0</)
  })

  test('makes one of a symbol whose verdicts come month by month', () => {
    const halves = sample.quality.flatMap((one) => [
      { ...one, fromMs: one.fromMs + 60 * DAY_MS, days: one.days.slice(60), masks: [] },
      { ...one, days: one.days.slice(0, 60) },
    ])
    expect(renderReport({ ...sample, quality: halves })).toBe(page)
  })

  test('ties itself to the event stream by its digest', () => {
    expect(page).toContain(`SHA-256 ${'cd'.repeat(32)}`)
    expect(page).toMatch(/… bar<\/th><td>12,000/)
    expect(page).toMatch(/<th scope="row">Events<\/th><td>12,000</)
    expect(renderReport({ ...sample, replay: undefined })).not.toContain('Event stream')
    // The last part of a chain: what is shown is the chain's.
    const chainFromMs = Date.UTC(2023, 10, 5)
    const continued = renderReport({ ...sample, replay: { ...sample.replay!, chainFromMs, events: 99_999 } })
    expect(continued).toMatch(/From<\/th><td>2023-11-05 00:00 UTC<.*Events<\/th><td>99,999</s)
    const { request } = sample.run
    const eventStream = { digest: 'ee'.repeat(32), events: 7, fromMs: request.fromMs, toMs: request.toMs }
    const universe = { mode: 'listed', hasSurvivorship: false, withoutBars: ['GONEUSDT'], delisted: [] } as const
    const lateColumns = [
      { column: 'rv_15m', fromMs: Date.UTC(2024, 0, 21) },
      { column: 'doi_1h', fromMs: null },
    ]
    const data = { eventStream, universe, unsoundBars: 3, columns: ['rv_15m', 'doi_1h'], lateColumns }
    const stamped = { ...sample, run: { ...sample.run, request: { ...request, data } } }
    expect(renderReport({ ...stamped, replay: undefined })).toContain('ee'.repeat(32))
    const found = caveats(viewOf(stamped)).join()
    expect(found).toContain('not the one the run was stamped with')
    expect(found).toContain('3 bars were left out')
    expect(found).toContain('The column rv_15m had no value before 2024-01-21 00:00: the strategy could only wait')
    expect(found).toContain('The column doi_1h never had a value')
    expect(found).toContain('GONEUSDT')
  })

  test('the result of another fee is another page', () => {
    const fees = [{ from: '2019-01-01', tiers: { regular: { makerBps: 2, takerBps: 6 } } }]
    expect(renderReport(sampleReport({ execution: { fees } }))).not.toBe(page)
  })
})

describe('the verdict', () => {
  const view = viewOf(sample)
  const withSharpe = (annual: number, annualError: number) =>
    verdictSentences({
      ...view,
      metrics: { ...view.metrics, sharpe: { ...view.metrics.sharpe, annual, annualError }, deflated: undefined },
    }).join(' ')

  test('does not call luck what two standard errors do not tell from zero', () => {
    expect(withSharpe(1.9, 1)).toContain('cannot be told from zero')
    expect(withSharpe(-1.9, 1)).toContain('cannot be told from zero')
    expect(withSharpe(2.1, 1)).toContain('above zero beyond what chance explains, if it was the only configuration')
    expect(withSharpe(-2.1, 1)).toContain('below zero')
  })

  test('says first that an account was ruined', () => {
    const ruined = { ...view, metrics: { ...view.metrics, outcome: 'ruined' as const } }
    expect(verdictSentences(ruined)[0]).toContain('ruined')
  })

  test('says that nothing was traded, and why', () => {
    const idle = (refused: object) =>
      verdictSentences({ ...view, metrics: { ...view.metrics, fills: 0, ...refused } })[0]
    expect(idle({ refused: { orders: 0 } })).toBe('Nothing was ever traded: the strategy asked for nothing.')
    expect(idle({ refused: { orders: 210, mostly: 'belowMinimum' } })).toBe(
      'Nothing was ever traded: all 210 orders were refused, mostly belowMinimum.',
    )
  })

  test('names how many configurations were tried', () => {
    expect(verdictSentences(view).join(' ')).toContain('one of 3 configurations tried')
  })

  test('names the assumptions that fills rest on, with how many do', () => {
    const found = caveats(view).join('\n')
    expect(found).toMatch(/[\d,]+ of [\d,]+ fills took the open of the decision's own instant/)
    expect(found).toContain('kept orders away for 24 symbol-hours')
    expect(found).not.toContain('live today')
    expect(caveats({ ...view, hasSurvivorship: true }).join()).toContain('live today')
    expect(found).toMatch(/Without its 5 best days/)
  })

  test('says that orders were cut to the margin there is', () => {
    const wants = /orders did not get all they asked for: the account has margin for 0.5 times its equity/
    expect(caveats(view).join()).not.toMatch(/did not get all/)
    expect(caveats(viewOf(sampleReport({ execution: { leverageMax: 0.5 } }))).join()).toMatch(wants)
  })
})

describe('changesBetween', () => {
  test('names what differs by its own name, and by its parent where that says too little', () => {
    const { request } = sample.run
    const { request: other } = sample.variants[0]!
    expect(changesBetween(request, other)).toEqual(['slippage bps 1 → 5'])
    expect(changesBetween(request, request)).toEqual([])
    const longer = { ...request, strategy: { ...request.strategy, params: { perSide: 3, gross: 1 } } }
    expect(changesBetween(request, longer)).toEqual(['perSide 2 → 3'])
  })
})

describe('the tables beside the page', () => {
  test('a row for every row of the run, and the same number of cells in each', () => {
    for (const [csv, rows] of [
      [fillsCsv(sample.run), sample.run.result.fills.rows],
      [equityCsv(sample.run), sample.run.result.equity.rows],
    ] as const) {
      const lines = csv.trimEnd().split('\n')
      expect(lines.length).toBe(rows + 1)
      expect(new Set(lines.map((line) => line.split(',').length)).size).toBe(1)
    }
  })

  test('hold exact decimals: fees and slippage of all fills sum to those of the account', () => {
    const lines = fillsCsv(sample.run).trimEnd().split('\n').slice(1)
    const sumOf = (column: number) => lines.reduce((all, line) => all + cash(line.split(',').at(column)!), 0n)
    const { equity } = sample.run.result
    const last = equity.rows - 1
    expect(sumOf(-2)).toBe(BigInt(equity.fees[last]!))
    expect(sumOf(-1)).toBe(BigInt(equity.slippage[last]!))
  })

  test('a symbol that a spreadsheet would run or split is quoted', () => {
    const run = sampleReport({ days: 20, symbol: '=cmd|"/c calc",1' }).run
    const line = fillsCsv(run)
      .split('\n')
      .find((all) => all.includes('cmd'))!
    expect(line.split(',"')[1]!.startsWith(`'=cmd|""/c calc"",1"`)).toBe(true)
  })
})

const cash = (text: string): bigint => {
  const [whole, rest = ''] = text.split('.')
  return BigInt(whole!.replace('-', '') + rest.padEnd(8, '0')) * (text.startsWith('-') ? -1n : 1n)
}

/** The first element that is closed out of order or not at all. */
function unbalanced(markup: string): string | undefined {
  const empty = new Set(['meta', 'wbr', 'br', 'path', '!doctype'])
  const open: string[] = []
  const bare = markup.replace(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, '')
  for (const [, slash, name, rest] of bare.matchAll(/<(\/?)([a-z0-9!]+)([^>]*)>/g)) {
    if (empty.has(name!) || rest!.endsWith('/')) continue
    if (slash === '') open.push(name!)
    else if (open.pop() !== name) return `</${name}>`
  }
  return open.at(-1)
}
