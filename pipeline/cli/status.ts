import { resolve } from 'node:path'
import { Fault } from '../../lib/fault.ts'
import { defineCommand } from './command.ts'
import type { Context } from './context.ts'
import { arg, flag } from './flag.ts'
import { plural } from './human.ts'
import { damagedNodes, lastPlans } from './status/lastPlans.ts'
import { statusPage } from './status/page.ts'
import { asciiSigns, blockSigns, renderLines, renderPicture } from './status/picture.ts'
import { hasWork, statusJson, statusOf } from './status/statusOf.ts'
import { writeAsked } from './writeAsked.ts'

const gapsShown = 20

export const status = defineCommand({
  name: 'status',
  summary: 'Show how complete the data are: by symbol, interval and month, with the gaps',
  about:
    'What is stored is held against the newest plan of a data set, also that of a run that failed or was killed. A month is complete, or lacks rows: those the venue has none of although everybody who could have them was asked; those that were not fetched yet; those the last run failed to fetch. It executes nothing, opens no socket and writes nothing. Outside of any project it reads the store in the home folder and says so; --root names another. What came up at the venue since that run is not in it: "pipe sync" looks.',
  args: {
    targets: arg.many('Only plans of runs that made these; the newest of each pipeline by default', {
      completes: 'target',
    }),
  },
  flags: {
    pipeline: flag.text('Only this pipeline', { short: 'p', hint: 'name', completes: 'pipeline' }),
    symbol: flag.texts('Only symbols that match, such as "BTC*"', { hint: 'glob' }),
    gaps: flag.boolean(`List every gap, not the first ${gapsShown}`),
    lines: flag.boolean('Lines for grep and awk: pipeline, market, data set, interval, symbol, month, rows, of, state'),
    ascii: flag.boolean('Draw without block characters; so it does where the locale is not UTF-8'),
    html: flag.text('Write one page that needs nothing else', { hint: 'file', completes: 'file' }),
    detailedExitcode: flag.boolean('End with status 5 where something is not fetched yet, or failed'),
  },
  examples: [
    { line: 'pipe status', says: 'the picture' },
    { line: "pipe status --symbol 'BTC*' --gaps", says: 'one symbol, with each of its gaps' },
    { line: 'pipe status --lines | grep -v complete', says: 'the months that lack something' },
    { line: 'pipe status --html status.html', says: 'a page to look at or to hand on' },
  ],
  json: '{"root", "rootFrom": "named"|"project"|"home", "pipelines": [{"pipeline", "run", "outcome", "asOf", "dataAsOf", "hasWork", "series": [{"dataSet", "market", "symbol", "interval", "expected", "rows", "months": [{"month", "expected", "rows", "worst"}], "gaps": [{"from", "to", "rows", "why": "venueGap"|"notFetched"|"failed"|"notListed", "note"}]}]}]}; "to" is not included, and "rows" is null where nothing tells how many there were.',
  async run(context, values) {
    const { out } = context
    const { root, rootFrom, store, close } = await context.openRoot({ readOnly: true })
    try {
      const wanted = { pipeline: values.pipeline, targets: values.targets }
      const plans = lastPlans(store, wanted)
      if (plans.length === 0) {
        const damaged = damagedNodes(store, wanted)
        if (damaged !== undefined) throw noPlanIsWhole(damaged)
        throw new Fault({
          code: 'usage',
          what: 'no run here has come as far as a plan of a data set that was kept',
          where: store.root,
          todo: 'run "pipe sync"; what an earlier run recorded is taken from there',
        })
      }
      const all = plans.map((last) => statusOf(store, last, values.symbol))
      if (values.html !== undefined) {
        writeAsked(resolve(context.cwd, values.html), statusPage(all))
        out.note(`wrote ${values.html}`)
      } else if (values.lines) out.print(all.flatMap(renderLines).join('\n'))
      else {
        const signs = values.ascii || !isUnicode(context) ? asciiSigns : blockSigns
        const most = values.gaps ? Number.POSITIVE_INFINITY : gapsShown
        out.print(all.map((one) => renderPicture(one, { signs, gapsShown: most, style: out.style })).join('\n\n'))
      }
      out.printJson({ root, rootFrom, pipelines: all.map(statusJson) })
      return values.detailedExitcode && all.some(hasWork) ? 'hasWork' : 'ok'
    } finally {
      await close()
    }
  },
})

const noPlanIsWhole = ({ run, count }: { readonly run: string; readonly count: number }): Fault =>
  new Fault({
    code: 'corrupt',
    what: `no plan of a data set can be read: the bytes of ${plural(count, 'node')} are missing or damaged`,
    where: `run ${run}`,
    todo: 'run "pipe verify" to see what is hit, then the same targets again: what can be made again is',
  })

function isUnicode({ env }: Context): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  return env['TERM'] !== 'dumb' && (locale === '' || /utf-?8/i.test(locale))
}
