import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { durationText } from '../../pipeline/cli/human.ts'
import { buildPipe } from '../pipeline/cli/builtPipe.ts'
import { otherNodes } from '../support/otherNodes.ts'
import { Reproduction, type Step, type Subject } from './reproduce.ts'

const help = `Builds a snapshot, hands it over, verifies it and builds it again on other "machines"; compares ids.

usage: npm run reproduce [-- --quick] [-- --target <name>] [-- --set <path=value>]

  --quick        a month of hourly bars
  --target       what is built (report)
  --set          override the config of this repository's project
  --symbols      the symbols, which one machine lists in another order

Other versions of Node are looked for in TICKPIPE_NODES (paths with : between them), on the PATH, under the usual version
managers and in npm's cache. Ends with 1 if anything differs.`

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    target: { type: 'string', default: 'report' },
    set: { type: 'string', multiple: true, default: [] },
    symbols: { type: 'string', default: 'BTCUSDT,ETHUSDT,SOLUSDT,BNBUSDT,XRPUSDT,DOGEUSDT,LUNAUSDT,1000PEPEUSDT' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) {
  process.stdout.write(`${help}\n`)
  process.exit(0)
}

const symbols = values.symbols.split(',')
const allow = (names: readonly string[]) => `universe.allow=${JSON.stringify(names)}`
const quick = ['from=2026-05-01', 'to=2026-06-01', 'baseInterval=1h', 'universe.size=4']
const repo = join(import.meta.dirname, '../..')
const subject: Subject = {
  project: { 'pipe.config.ts': `export { default } from ${JSON.stringify(join(repo, 'pipe.config.ts'))}\n` },
  target: values.target,
  asOf: '2026-08-05',
  set: [allow(symbols), ...(values.quick ? quick : []), ...values.set],
  shuffled: [allow([...symbols].reverse())],
}

const line = ({ name, node, says, same, wallMs }: Step): string =>
  `${same ? 'same ' : 'DIFFERS'}  ${name.padEnd(32)}  node ${node.padEnd(9)}  ${durationText(wallMs).padStart(8)}  ${says}\n`

const others = otherNodes()
process.stdout.write(`building ${subject.target} with node ${process.versions.node}\n`)
if (others.length === 0) {
  process.stdout.write('absent   no other version of Node is on this machine: name one in TICKPIPE_NODES\n')
}
const pipe = await buildPipe()
try {
  const isSame = new Reproduction(pipe, subject, (step) => process.stdout.write(line(step))).run(others)
  process.stdout.write(isSame ? 'the same everywhere\n' : 'not the same everywhere\n')
  process.exitCode = isSame ? 0 : 1
} finally {
  pipe.remove()
}
