import { readdirSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Bench, Row } from './measure.ts'
import { tableText } from './tableText.ts'

/** `npm run bench -- <name>… [--quick] [--json]`: each name is a file `<name>.bench.ts` beside this one. */
const suffix = '.bench.ts'
const here = fileURLToPath(new URL('.', import.meta.url))
const known = readdirSync(here)
  .filter((name) => name.endsWith(suffix))
  .map((name) => name.slice(0, -suffix.length))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
})
const unknown = positionals.filter((name) => !known.includes(name))
if (positionals.length === 0 || unknown.length > 0) {
  for (const name of unknown) process.stderr.write(`there is no benchmark "${name}"\n`)
  process.stderr.write(`usage: npm run bench -- <${known.join('|')}> [--quick] [--json]\n`)
  process.exit(2)
}

const results: Record<string, Row[]> = {}
for (const name of positionals) {
  const { bench } = (await import(`./${name}${suffix}`)) as { bench: Bench }
  const rows = await bench.run({ quick: values.quick })
  results[name] = rows
  if (!values.json) process.stdout.write(`${bench.name}${values.quick ? ' (quick)' : ''}\n${tableText(rows)}\n`)
}
if (values.json) {
  const { version, platform, arch } = process
  const machine = { node: version, platform, arch, quick: values.quick }
  process.stdout.write(`${JSON.stringify({ machine, results }, undefined, 2)}\n`)
}
// Threads of a peer may still idle.
process.exit(0)
