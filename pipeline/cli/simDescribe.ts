import type { WorldFacts } from '../../lib/sim/worldFacts.ts'
import { defineCommand } from './command.ts'
import { countText, instantText } from './human.ts'
import type { Style } from './style.ts'
import { textTable } from './textTable.ts'
import { padEnd } from './textWidth.ts'

export const simDescribe = defineCommand({
  name: 'sim describe',
  summary: 'Say what is true in the embedded market: who trades, what happens, what can be earned',
  about:
    'These are facts of "source: sim", and of "pipe sim serve" without a seed of its own: a result on it can be held against them. Another seed makes other prices; listings, delistings, outages and premia stay as they are told here.',
  args: {},
  flags: {},
  examples: [
    { line: 'pipe sim describe', says: 'all of it' },
    { line: "pipe sim describe --json | jq '.events[].says'", says: 'what happens' },
  ],
  json: '{"seed", "startTsMs", "nowTsMs", "instruments": [{"symbol", "market", "contractType", "tickSize", "stepSize", "minNotional", "onboardTsMs", "delistTsMs"?, "funding": [{"fromTsMs", "hours"}], "volumeUsdDaily"}], "events": [{"tsMs", "toTsMs"?, "says"}], "premia": [{"name", "says"}], "effects": {name: number}}',
  async run({ out }) {
    const { worldFacts } = await import('../../lib/sim/worldFacts.ts')
    const facts = worldFacts()
    out.print(renderWorld(facts, out.style))
    out.printJson(facts)
    return 'ok'
  },
})

export function renderWorld(facts: WorldFacts, style: Style): string {
  const { seed, startTsMs, nowTsMs, events, premia } = facts
  const instruments = facts.instruments.map((one) => [
    one.symbol,
    one.market,
    one.contractType === '' ? 'announced' : one.contractType,
    one.tickSize,
    one.stepSize,
    one.onboardTsMs === startTsMs ? '' : instantText(one.onboardTsMs),
    one.delistTsMs === undefined ? '' : instantText(one.delistTsMs),
    one.funding.map(({ hours }) => `${hours}h`).join(', then '),
    countText(one.volumeUsdDaily / 1e6),
  ])
  const titles = ['symbol', 'market', 'type', 'tick', 'step', 'listed', 'delisted', 'funding']
  const happenings = events.map(({ tsMs, toTsMs, says }) => [
    instantText(tsMs),
    toTsMs === undefined ? '' : instantText(toTsMs),
    says,
  ])
  const width = Math.max(...premia.map(({ name }) => name.length))
  return [
    `seed ${seed}, from ${instantText(startTsMs)} to its present ${instantText(nowTsMs)}`,
    '',
    ...textTable(
      [...titles.map((title) => ({ title })), { title: 'M USD a day', align: 'right' as const }],
      instruments,
      style.dim,
    ),
    '',
    style.bold('What happens'),
    ...textTable([{ title: '' }, { title: '' }, { title: '' }], happenings).map((line) => `  ${line}`),
    '',
    style.bold('What can be earned, and what it costs'),
    ...premia.map(({ name, says }) => `  ${padEnd(name, width)}  ${says}`),
    '',
    style.dim('Nothing else gives a strategy an expected return. The numbers stand in lib/sim/effects.ts.'),
  ].join('\n')
}
